"""Runs, as rows; a run's own progress, and the keys that keep a request from counting twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from workbench.domain.access import Principal, may_see_run
from workbench.domain.agents import Agent
from workbench.domain.models import Mode
from workbench.domain.paging import Page, check_limit, read_cursor, write_cursor
from workbench.domain.queries import RunQuery
from workbench.domain.runs import Attempt, Reason, Run, RunStatus
from workbench.errors import (
    AgentNotFound,
    IdempotencyMismatch,
    IllegalMove,
    InvalidRequest,
    NotFound,
    WorkbenchError,
)
from workbench.store.catalog import Catalog
from workbench.store.cells import (
    from_json,
    from_moment,
    moment,
    text,
    text_or_none,
    to_json,
    to_moment,
)
from workbench.store.conditions import Condition, where
from workbench.store.connection import Query, Rows
from workbench.store.landmarks import STRIDE, Landmarks
from workbench.store.objects import Objects
from workbench.store.sight import runs_seen_by
from workbench.store.tables import IDEMPOTENCY_KEYS, RUNS, Cell, Row, put
from workbench.store.transaction import Transaction

INLINE_BYTES = 16 * 1024
"""How long a value may be, as JSON, to lie in the row itself; a longer one is an object."""
KEYS_KEPT = timedelta(hours=24)
"""How long an idempotency key is remembered."""

BY_REFERENCE = "@"
"""Begins a cell that names an object instead of holding a value; no JSON text begins so."""
VALUES = ("parameters", "result", "error", "attempts", "effects")
"""The cells that may do so."""

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
            lambda ask: [self._run(RUNS.image(found)) for found in ask(sql)]
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
                row = await self._row(run)
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
                row = await self._row(run)
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
        if row is None or _has_references(row):
            run = await self._catalog.read(lambda ask: self._find(ask, row, run_id))
        else:
            run = self._run(row)
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
        return await self._catalog.read(lambda _: self._run(kept)), True

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
        return [self._run(RUNS.image(found)) for found in rows]

    def _find(self, ask: Query, row: Row | None, run_id: str) -> Run | None:
        if row is None:
            found = ask(_ONE, run_id)
            row = RUNS.image(found[0]) if found else None
        return self._run(row) if row is not None else None

    async def _row(self, run: Run) -> Row:
        return {
            "id": run.id,
            "agent_id": run.agent_id,
            "owner": run.owner,
            "agent_name": run.agent_name,
            "version": run.version,
            "fingerprint": run.fingerprint,
            "user_name": run.user,
            "parameters": await self._cell(dict(run.parameters)),
            "test": run.test,
            "status": str(run.status),
            "reason": str(run.reason) if run.reason else None,
            "result": await self._cell(run.result),
            "error": await self._cell(None if run.error is None else dict(run.error)),
            "attempt": run.attempt,
            "attempts": await self._cell(list(map(_attempt_image, run.attempts))),
            "due_at": from_moment(run.due_at),
            "boot": run.boot,
            "isolation": run.isolation,
            "resource_usage": from_json(dict(run.resource_usage)),
            "cells": from_json([dict(cell) for cell in run.cells]),
            "created_at": from_moment(run.created_at),
            "started_at": from_moment(run.started_at),
            "completed_at": from_moment(run.completed_at),
            "model": str(run.model) if run.model else None,
            "usage": from_json(dict(run.usage)) if run.usage else None,
            "effects": await self._cell(list(run.effects)) if run.effects else None,
            "parent_id": run.parent_id or None,
        }

    def _run(self, row: Row) -> Run:
        reason, error = text_or_none(row["reason"]), self._value(row["error"])
        return Run(
            id=text(row["id"]),
            agent_id=text(row["agent_id"]),
            owner=text(row["owner"]),
            agent_name=text(row["agent_name"]),
            version=text(row["version"]),
            fingerprint=text(row["fingerprint"]),
            user=text(row["user_name"]),
            parameters=_mapping(self._value(row["parameters"])),
            test=bool(row["test"]),
            status=RunStatus(text(row["status"])),
            reason=Reason(reason) if reason is not None else None,
            result=self._value(row["result"]),
            error=None if error is None else _mapping(error),
            attempt=int(row["attempt"] or 0),
            attempts=tuple(map(_attempt, _items(self._value(row["attempts"])))),
            due_at=to_moment(row["due_at"]),
            boot=text_or_none(row["boot"]) or "",
            isolation=text(row["isolation"]),
            resource_usage=to_json(row["resource_usage"]),
            cells=tuple(_items(self._value(row["cells"]))),
            created_at=moment(row["created_at"]),
            started_at=to_moment(row["started_at"]),
            completed_at=to_moment(row["completed_at"]),
            # Rows journaled by an earlier workbench do not have these.
            model=Mode(model) if (model := text_or_none(row.get("model"))) else None,
            usage=to_json(usage) if (usage := row.get("usage")) else {},
            effects=_list(self._value(effects)) if (effects := row.get("effects")) else (),
            parent_id=text_or_none(row.get("parent_id")) or "",
        )

    async def _cell(self, value: object) -> str:
        written = from_json(value)
        if len(written) <= INLINE_BYTES:
            return written
        return BY_REFERENCE + await self._objects.put(written.encode())

    def _value(self, cell: Cell) -> object:
        if cell is None:
            return None  # the row is older than its column
        written = text(cell)
        if written.startswith(BY_REFERENCE):
            return to_json(self._objects.load(written[1:]).decode())
        return to_json(written)


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


def _has_references(row: Row) -> bool:
    return any(str(row.get(column)).startswith(BY_REFERENCE) for column in VALUES)


def _attempt_image(attempt: Attempt) -> dict[str, object]:
    return {
        "number": attempt.number,
        "reason": attempt.reason,
        "error": attempt.error,
        "isolation": attempt.isolation,
        "resource_usage": attempt.resource_usage,
        "started_at": from_moment(attempt.started_at),
        "ended_at": from_moment(attempt.ended_at),
    }


def _attempt(image: Mapping[str, Any]) -> Attempt:
    return Attempt(
        number=image["number"],
        reason=None if image["reason"] is None else Reason(image["reason"]),
        error=image["error"],
        isolation=image["isolation"],
        resource_usage=image["resource_usage"],
        started_at=to_moment(image["started_at"]),
        ended_at=to_moment(image["ended_at"]),
    )


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, dict)
    return value


def _list(value: object) -> Sequence[Mapping[str, object]]:
    assert isinstance(value, list)
    return value


def _unknown(run_id: str) -> NotFound:
    return NotFound(f"There is no run {run_id!r}.", run_id=run_id)
