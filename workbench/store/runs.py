"""Runs, as rows; a run's own progress, and the keys that keep a request from counting twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench.domain.access import Principal, may_see_run
from workbench.domain.agents import Agent
from workbench.domain.paging import Page, check_limit, read_cursor, write_cursor
from workbench.domain.queries import RunQuery
from workbench.domain.runs import Run
from workbench.errors import (
    AgentNotFound,
    IdempotencyMismatch,
    IllegalMove,
    InvalidRequest,
    NotFound,
    WorkbenchError,
)
from workbench.store.catalog import Catalog
from workbench.store.cells import from_moment, moment
from workbench.store.conditions import Condition, where
from workbench.store.connection import Query, Rows
from workbench.store.landmarks import STRIDE, Landmarks
from workbench.store.objects import Objects
from workbench.store.run_images import RunImages, is_elsewhere
from workbench.store.sight import runs_seen_by
from workbench.store.tables import IDEMPOTENCY_KEYS, RUNS, Row, put
from workbench.store.transaction import Transaction

KEYS_KEPT = timedelta(hours=24)
"""How long an idempotency key is remembered."""

_UNSETTLED = "status IN ('pending', 'running')"
_LANDMARKS = f"""
    SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM runs) AS numbered
    WHERE n % {STRIDE} = 0
"""
_ONE = f"SELECT {RUNS.listed} FROM runs WHERE id = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """What makes two requests of one user the same request.

    Attributes:
        key: What the caller calls the request.
        fingerprint: What the request says, in short: another one under the same key is refused.
    """

    key: str
    fingerprint: str


class Runs:
    """Every run the workbench remembers.

    Attributes:
        epoch: Another number whenever a run was written since: lists may read otherwise now.
    """

    def __init__(self, catalog: Catalog, objects: Objects) -> None:
        self._catalog = catalog
        self._objects = objects
        self._images = RunImages(objects)
        # Where every run stands that may still move; asked before a move is journaled.
        self._moving: dict[str, Run] = {}
        self._landmarks = Landmarks()
        self.epoch = 0
        # How many runs of an agent are on their way in, and the agents that take no more.
        self._accepting: Counter[str] = Counter()
        self._shut: set[str] = set()

    async def load(self) -> None:
        """Remember the runs that are not settled; once, before anything else."""
        sql = f"SELECT {RUNS.listed} FROM runs WHERE {_UNSETTLED} ORDER BY id"
        unsettled = await self._catalog.read(
            lambda ask: [self._images.run(RUNS.image(found)) for found in ask(sql)]
        )
        self._moving = {run.id: run for run in unsettled}
        ids = await self._catalog.read(lambda ask: [found[0] for found in ask(_LANDMARKS)])
        self._landmarks = Landmarks(ids)

    async def accept(
        self,
        run: Run,
        *,
        key: Idempotency | None = None,
        then: Callable[[Run], None] = lambda run: None,
    ) -> tuple[Run, bool]:
        """*run* and False, once it is durable; or the run its key stands for already, and True.

        *then* is given a new run in the moment it is durable, before anybody else can know of it
        and even if the caller has gone away meanwhile.

        Raises:
            IdempotencyMismatch: The key stands for another request.
            IllegalMove: A run of that id is under way.
            AgentNotFound: Its agent is being deleted.
            Unavailable: The disk does not take it.
        """
        if run.id in self._moving:
            raise IllegalMove(f"Run {run.id} was accepted already.", run_id=run.id)
        if run.agent_id in self._shut:
            raise AgentNotFound(f"{run.address} is being deleted.", agent=run.address)
        self._accepting[run.agent_id] += 1
        try:
            async with self._objects.referring():
                row = await self._images.of(run)
                if key is not None:
                    return await self._accept_once(run, row, key, then)
                await self._catalog.progress([put(RUNS, row)], then=lambda: self._begin(run, then))
                return run, False
        finally:
            self._accepting[run.agent_id] -= 1
            if not self._accepting[run.agent_id]:
                del self._accepting[run.agent_id]

    async def record(self, run: Run) -> Run:
        """*run*, once it is durable that it stands so.

        Raises:
            NotFound: No run of that id was accepted.
            IllegalMove: It is settled, or has been begun anew since.
            Unavailable: The disk does not take it; it stands as before.
        """
        stood = self._moving.get(run.id)
        if stood is None:
            raise await self._gone(run.id)
        if stood.status.settled or run.attempt < stood.attempt:
            raise IllegalMove(
                f"Run {run.id} is {stood.status} in attempt {stood.attempt}.",
                run_id=run.id,
                status=str(stood.status),
            )
        # Before anything is awaited: two who settle at once must not both be let through.
        self._moving[run.id] = run
        try:
            async with self._objects.referring():
                row = await self._images.of(run)
                if self._moving.get(run.id) is not run:
                    # Its large values took so long that the next step overtook it.
                    raise IllegalMove(f"Run {run.id} has moved on meanwhile.", run_id=run.id)
                await self._catalog.progress([put(RUNS, row)], then=lambda: self._moved(run))
        except Exception:
            if self._moving.get(run.id) is run:
                self._moving[run.id] = stood
            raise
        return run

    async def get(self, principal: Principal, run_id: str) -> Run:
        """The run as it stands.

        Raises:
            NotFound: There is none, or none that *principal* may know of.
        """
        row = self._catalog.overlay(RUNS, run_id)
        if row is None or is_elsewhere(row):
            run = await self._catalog.read(lambda ask: self._find(ask, row, run_id))
        else:
            run = self._images.run(row)
        if run is None or not may_see_run(principal, run):
            raise _unknown(run_id)
        return run

    async def list(self, principal: Principal, query: RunQuery) -> Page[Run]:
        """The runs that *query* asks for and *principal* may see, newest first.

        Raises:
            InvalidRequest: The limit or the cursor makes no sense.
        """
        limit = check_limit(query.limit)
        below = read_cursor(query.cursor, parts=1)[0] if query.cursor is not None else None
        wanted = [runs_seen_by(principal), *_conditions(query, below)]
        if query.agent_id is None:
            floors = self._landmarks.floors(below)

            def question(ask: Query) -> Sequence[Run]:
                return self._runs(_near(ask, wanted, floors, limit + 1))
        else:

            def question(ask: Query) -> Sequence[Run]:
                return self._runs(_scattered(ask, wanted, limit + 1))

        runs = await self._catalog.read(question, fresh=True)
        more = len(runs) > limit
        page = runs[:limit]
        return Page(items=page, next_cursor=write_cursor(page[-1].id) if more else None)

    async def unsettled(self) -> Sequence[Run]:
        """The runs that have not ended yet, in the order they were accepted."""
        runs = sorted(self._moving.values(), key=lambda run: run.id)
        return [run for run in runs if not run.status.settled]

    def shut(self, agent: Agent) -> None:
        """Accept no run of *agent* any more.

        Raises:
            IllegalMove: One waits or is under way.
        """
        unsettled = sum(run.agent_id == agent.id for run in self._moving.values())
        if unsettled or self._accepting[agent.id]:
            raise IllegalMove(
                f"Runs of {agent.address} wait or are under way: call them off, or let them end.",
                agent=agent.address,
                unsettled=unsettled,
            )
        self._shut.add(agent.id)

    def reopen(self, agent: Agent) -> None:
        """Accept runs of *agent* again."""
        self._shut.discard(agent.id)

    async def forget_keys(self, *, now: datetime) -> None:
        """Forget the idempotency keys that are too old to count.

        Raises:
            Unavailable: The disk does not take it.
        """
        sql = (
            "SELECT user_name, idempotency_key FROM idempotency_keys"
            " WHERE created_at <= CAST($1 AS TIMESTAMP)"
        )

        def change(rows: Transaction) -> None:
            old = rows.query(sql, from_moment(now - KEYS_KEPT))
            if old:
                rows.delete(IDEMPOTENCY_KEYS, old)

        await self._catalog.transact(change)

    async def _accept_once(
        self, run: Run, row: Row, key: Idempotency, begun: Callable[[Run], None]
    ) -> tuple[Run, bool]:
        if not 1 <= len(key.key) <= 255:
            raise InvalidRequest("An idempotency key has 1 to 255 characters.")

        def change(rows: Transaction) -> tuple[Row, bool]:
            earlier = _earlier(rows, run, key)
            if earlier is not None:
                return earlier, True
            rows.put(IDEMPOTENCY_KEYS, _key_row(run, key))
            rows.put(RUNS, row)
            return row, False

        def then(answer: tuple[Row, bool]) -> None:
            if not answer[1]:
                self._begin(run, begun)

        kept, replayed = await self._catalog.transact(change, then=then)
        if not replayed:
            return run, False
        return await self._catalog.read(lambda _: self._images.run(kept)), True

    def forget(self) -> None:
        """Take note that some runs are gone."""
        self.epoch += 1

    def _begin(self, run: Run, then: Callable[[Run], None]) -> None:
        self.epoch += 1
        self._moving[run.id] = run
        self._landmarks.pass_by(run.id)
        then(run)

    def _moved(self, run: Run) -> None:
        self.epoch += 1
        if run.status.settled:
            self._moving.pop(run.id, None)

    async def _gone(self, run_id: str) -> WorkbenchError:
        row = self._catalog.overlay(RUNS, run_id)
        run = await self._catalog.read(lambda ask: self._find(ask, row, run_id))
        if run is None:
            return _unknown(run_id)
        return IllegalMove(
            f"Run {run_id} is {run.status} already.", run_id=run_id, status=str(run.status)
        )

    def _runs(self, rows: Rows) -> Sequence[Run]:
        return [self._images.run(RUNS.image(found)) for found in rows]

    def _find(self, ask: Query, row: Row | None, run_id: str) -> Run | None:
        if row is None:
            found = ask(_ONE, run_id)
            row = RUNS.image(found[0]) if found else None
        return self._images.run(row) if row is not None else None


def _near(ask: Query, wanted: Sequence[Condition], floors: Iterable[str | None], most: int) -> Rows:
    """The newest rows that are wanted, looked for no further back than they are likely to lie."""
    rows: Rows = []
    for floor in floors:
        near = [Condition("id >= {}", (floor,))] if floor is not None else []
        conditions, values = where([*wanted, *near])
        rows = ask(
            f"SELECT {RUNS.listed} FROM runs WHERE {conditions} ORDER BY id DESC LIMIT {most}",
            *values,
        )
        if len(rows) >= most:
            break
    return rows


def _scattered(ask: Query, wanted: Sequence[Condition], most: int) -> Rows:
    """The newest rows that are wanted, wherever they lie.

    First which they are, then what is in them: few columns of many rows are read faster than many.
    """
    conditions, values = where(wanted)
    ids = ask(f"SELECT id FROM runs WHERE {conditions} ORDER BY id DESC LIMIT {most}", *values)
    if not ids:
        return []
    places = ", ".join(f"${n}" for n in range(1, len(ids) + 1))
    return ask(
        f"SELECT {RUNS.listed} FROM runs WHERE id IN ({places}) ORDER BY id DESC",
        *(run_id for (run_id,) in ids),
    )


def _earlier(rows: Transaction, run: Run, key: Idempotency) -> Row | None:
    stored = rows.row(IDEMPOTENCY_KEYS, run.user, key.key)
    if stored is None or moment(stored["created_at"]) <= run.created_at - KEYS_KEPT:
        return None
    if stored["fingerprint"] != key.fingerprint:
        raise IdempotencyMismatch(
            "This idempotency key was used before with another request.", key=key.key
        )
    return rows.row(RUNS, stored["run_id"])


def _key_row(run: Run, key: Idempotency) -> Row:
    return {
        "user_name": run.user,
        "idempotency_key": key.key,
        "fingerprint": key.fingerprint,
        "run_id": run.id,
        "created_at": from_moment(run.created_at),
    }


def _conditions(query: RunQuery, below: str | None) -> Iterator[Condition]:
    yield Condition("test = {}", (query.test,))
    if below is not None:
        yield Condition("id < {}", (below,))
    if query.agent_id is not None:
        yield Condition("agent_id = {}", (query.agent_id,))
    if query.version is not None:
        yield Condition("version = {}", (query.version,))
    if query.status is not None:
        yield Condition("status = {}", (str(query.status),))
    if query.since is not None:
        yield Condition("created_at >= CAST({} AS TIMESTAMP)", (from_moment(query.since),))
    if query.until is not None:
        yield Condition("created_at < CAST({} AS TIMESTAMP)", (from_moment(query.until),))


def _unknown(run_id: str) -> NotFound:
    return NotFound(f"There is no run {run_id!r}.", run_id=run_id)
