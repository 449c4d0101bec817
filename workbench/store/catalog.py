"""The two ways in, and the way out: changing rows and asking for them.

What has rules to keep is a transaction: answered once it is journaled and in the index. What is
a run's own progress is answered once it is journaled, and reaches the index a moment later; until
then the overlay knows it. One thread writes the index, a few read it; whoever calls is on the
event loop and waits for neither.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import duckdb

from workbench.errors import Unavailable, WorkbenchError
from workbench.store.connection import Query, is_damage, is_full
from workbench.store.index import Index
from workbench.store.journal import Journal
from workbench.store.tables import Change, Key, Row, Table
from workbench.store.transaction import Transaction

T = TypeVar("T")

LINGER_SECONDS = 0.06
"""How long progress waits for company before it goes into the index."""
_RETRY_SECONDS = 1.0

_log = logging.getLogger("workbench.store")


@dataclass(slots=True)
class _Pending:
    change: Change
    n: int


class Catalog:
    """All rows of one home, for one event loop."""

    def __init__(
        self,
        index: Index,
        journal: Journal,
        *,
        readers: Executor,
        at: Callable[[str], None] = lambda point: None,
        linger_seconds: float = LINGER_SECONDS,
        committed: Callable[[Sequence[Change]], None] = lambda changes: None,
    ) -> None:
        self._index = index
        self._journal = journal
        self._readers = readers
        self._at = at
        self._linger = linger_seconds
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._jobs: deque[Callable[[], None]] = deque()
        self._pending: dict[tuple[str, Key], _Pending] = {}
        self._due = 0.0
        self._landed = journal.last
        self._closing = False
        self._thread = threading.Thread(target=self._write_on, name="index", daemon=True)
        self._thread.start()
        atexit.register(self._stop)

    async def transact(
        self, change: Callable[[Transaction], T], *, then: Callable[[T], None] | None = None
    ) -> T:
        """What *change* gives back, once all it did is journaled and in the index.

        *change* runs in the writer's thread. *then* is given the answer on the event loop, in
        the order of the transactions, even if the caller has gone away meanwhile.

        Raises:
            WorkbenchError: Whatever *change* raised; nothing it did is kept then.
            Unavailable: The disk or the index does not take it.
        """
        work = self._submit(lambda: self._healing(lambda: self._carry_out(change)))
        return await self._answer(work, then)

    async def progress(
        self, changes: Sequence[Change], *, then: Callable[[], None] | None = None
    ) -> None:
        """Have *changes* in the journal, and in the index a moment later.

        *then* is called on the event loop once they are journaled, in the order of the records.

        Raises:
            Unavailable: The disk does not take them.
        """
        kept = self._journal.append(changes, landed=lambda n: self._land(n, changes))
        await self._answer(kept, None if then is None else lambda _: then())

    async def read(self, question: Callable[[Query], T], *, fresh: bool = False) -> T:
        """What *question* makes of the rows, in a reader's thread.

        With *fresh*, all progress that anybody was told of is in the index before.

        Raises:
            WorkbenchError: Whatever *question* raised.
            Unavailable: The index does not answer, or not in time.
        """
        if fresh and self._pending:
            await self.flush()
        return await self._ask(lambda: self._index.read(question))

    def overlay(self, table: Table, *key: str) -> Row | None:
        """The row with *key*, if it has been journaled but may not be in the index yet."""
        with self._wake:
            pending = self._pending.get((table.name, key))
        return pending.change.row if pending else None

    async def flush(self) -> None:
        """Have all progress that anybody was told of in the index.

        Raises:
            Unavailable: The disk does not take it.
        """
        await asyncio.wrap_future(self._submit(lambda: self._healing(self._take_pending)))

    async def rebuild(self) -> None:
        """Make the index anew from the journal.

        Raises:
            HomeUnreadable: The journal is damaged.
            Unavailable: The disk does not take it.
        """
        await self.flush()
        work = self._submit(lambda: self._index.make_anew("a rebuild was asked for", keep=False))
        await asyncio.wrap_future(work)

    async def dump(self) -> list[str]:
        """Every row as a line of JSON, in an order that depends on nothing but the rows.

        Raises:
            Unavailable: The index does not answer.
        """
        await self.flush()
        return await self._ask(lambda: list(_dumped(self._index)))

    async def close(self) -> None:
        """Bring the index up to date and stop; nothing may be under way."""
        await asyncio.to_thread(self._stop)
        atexit.unregister(self._stop)

    def _stop(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    # The writer's thread.

    def _write_on(self) -> None:
        while True:
            with self._wake:
                while not self._jobs and not self._closing:
                    patience = self._due - time.monotonic() if self._pending else None
                    if patience is not None and patience <= 0:
                        break
                    self._wake.wait(patience)
                job = self._jobs.popleft() if self._jobs else None
                ending = self._closing and job is None
            if job is not None:
                job()
            else:
                self._take_pending_or_wait()
            if ending:
                return

    def _take_pending_or_wait(self) -> None:
        try:
            self._healing(self._take_pending)
        except Exception as error:  # noqa: BLE001 - without this thread nobody is ever answered
            _log.error("Progress of runs waits outside the index: %s", error)
            self._due = time.monotonic() + _RETRY_SECONDS

    def _take_pending(self) -> None:
        taken, landed = self._snapshot()
        if not taken:
            return
        with self._index.transaction():
            self._index.apply([pending.change for pending in taken.values()])
            self._index.note(landed)
            self._at("index.applied")
        self._forget(taken)

    def _carry_out(self, change: Callable[[Transaction], T]) -> T:
        taken, landed = self._snapshot()
        kept = None
        try:
            with self._index.transaction():
                self._index.apply([pending.change for pending in taken.values()])
                transaction = Transaction(self._index)
                result = change(transaction)
                if transaction.changes:
                    self._at("index.applied")
                    kept = self._journal.append(transaction.changes, landed=self._land_at).result()
                    self._supersede(kept, transaction.changes)
                    # What landed in between is not in the index yet.
                    self._index.note(kept if kept == landed + 1 else landed)
                    self._at("index.journaled")
        except duckdb.Error as error:
            if kept is None:
                raise
            # It is in the journal, so it has happened: only the index has to learn of it.
            _log.error("The index did not take a journaled change: %s", error)
            self._catch_up()
        else:
            self._forget(taken)
            self._at("index.committed")
        # Before anybody is answered, and in the order of the transactions.
        self._committed(transaction.changes)
        return result

    def _catch_up(self) -> None:
        try:
            self._index.reopen()
        except WorkbenchError as error:
            _log.error("The index is out of reach until the disk takes it again: %s", error)

    def _healing(self, work: Callable[[], T]) -> T:
        for attempt in range(3):
            try:
                return work()
            except duckdb.Error as error:
                hopeless = attempt == 2 or (attempt == 1 and is_full(error))
                if hopeless or not is_damage(error):
                    raise Unavailable("The index does not take it.") from error
                _log.warning("The index failed: %s", str(error).splitlines()[0])
                if attempt == 0:
                    self._index.reopen()
                else:
                    self._index.make_anew("it failed again after it was opened anew")
        raise AssertionError("the last attempt raises")

    def _snapshot(self) -> tuple[dict[tuple[str, Key], _Pending], int]:
        with self._wake:
            return dict(self._pending), self._landed

    def _forget(self, taken: dict[tuple[str, Key], _Pending]) -> None:
        with self._wake:
            for key, pending in taken.items():
                if self._pending.get(key) is pending:
                    del self._pending[key]

    def _supersede(self, n: int, changes: Sequence[Change]) -> None:
        with self._wake:
            for change in changes:
                key = (change.table.name, change.key)
                pending = self._pending.get(key)
                if pending is not None and pending.n < n:
                    del self._pending[key]

    # The journal's thread.

    def _land(self, n: int, changes: Sequence[Change]) -> None:
        with self._wake:
            if not self._pending:
                self._due = time.monotonic() + self._linger
                self._wake.notify()
            for change in changes:
                self._pending[change.table.name, change.key] = _Pending(change, n)
            self._landed = n

    def _land_at(self, n: int) -> None:
        with self._wake:
            self._landed = n

    # A reader's thread.

    def _reading(self, work: Callable[[], T]) -> T:
        for attempt in range(3):
            generation = self._index.generation
            try:
                return work()
            except duckdb.InterruptException as error:
                raise Unavailable("The question took too long.") from error
            except duckdb.Error as error:
                if attempt == 2 or is_full(error) or not is_damage(error):
                    raise Unavailable("The index does not answer.") from error
                self._heal_from_outside(generation, again=attempt == 1)
        raise AssertionError("the last attempt raises")

    def _heal_from_outside(self, generation: int, *, again: bool) -> None:
        def heal() -> None:
            if self._index.generation != generation:
                return
            if again:
                self._index.make_anew("it could not be read")
            else:
                self._index.reopen()

        self._submit(heal).result()

    # Between the threads.

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        done: Future[T] = Future()

        def job() -> None:
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - whoever waits is told
                done.set_exception(error)
            else:
                done.set_result(result)

        with self._wake:
            if self._closing:
                raise Unavailable("The workbench is shutting down.")
            self._jobs.append(job)
            self._wake.notify()
        return done

    async def _ask(self, work: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._readers, self._reading, work)

    async def _answer(self, work: Future[T], then: Callable[[T], None] | None) -> T:
        answer: asyncio.Future[T] = self._loop.create_future()

        def tell() -> None:
            error = work.exception()
            if error is None and then is not None:
                then(work.result())
            if answer.done():
                return  # the caller has gone away
            if error is None:
                answer.set_result(work.result())
            else:
                answer.set_exception(error)

        def told(_: Future[T]) -> None:
            # A loop that is closed has nobody left who waits.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(tell)

        work.add_done_callback(told)
        return await answer


def _dumped(index: Index) -> Iterator[str]:
    for table, rows in index.every():
        for row in rows:
            yield json.dumps([table.name, row], separators=(",", ":"))
