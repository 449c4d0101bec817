"""The store: one home, opened, with everything that can be asked of it or put into it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from workbench.store.access import Access
from workbench.store.agents import Agents
from workbench.store.backup import write_archive
from workbench.store.catalog import LINGER_SECONDS, Catalog
from workbench.store.directory import Directory
from workbench.store.events import Events
from workbench.store.home import Home
from workbench.store.index import Index
from workbench.store.journal import Journal
from workbench.store.model_calls import ModelCalls
from workbench.store.objects import Objects
from workbench.store.opening import open_index
from workbench.store.papers import Papers
from workbench.store.purges import Purges
from workbench.store.revisions import Revisions
from workbench.store.runs import Runs
from workbench.store.snapshots import SNAPSHOT_BYTES
from workbench.store.statistics import RunStatistics
from workbench.store.sweeping import Swept, sweep
from workbench.store.versions import Versions

_READERS = 3
_FILE_THREADS = 4


class Store:
    """One home while this process owns it; made by `Store.open`, for one event loop.

    Attributes:
        home: The folder and its lock.
        boot: What tells this life of the home from every other.
        agents: Agents.
        versions: Their published versions.
        revisions: Their earlier drafts.
        runs: Their runs.
        model_calls: What was asked of language models.
        statistics: What the runs come to.
        access: Users and tokens.
        objects: Bytes by fingerprint.
        events: What happens during runs.
        papers: What runs leave behind.
        purges: Agents deleted for good.
    """

    def __init__(
        self,
        home: Home,
        journal: Journal,
        index: Index,
        *,
        clock: Callable[[], datetime],
        at: Callable[[str], None],
        linger_seconds: float,
    ) -> None:
        self.home = home
        self.boot = uuid.uuid4().hex
        self._journal = journal
        self._index = index
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")
        self._threads = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="files")
        directory = Directory()
        self._catalog = Catalog(
            index,
            journal,
            readers=self._readers,
            at=at,
            linger_seconds=linger_seconds,
            committed=directory.take_in,
        )
        self.objects = Objects(home.objects, threads=self._threads)
        self.papers = Papers(home.runs, threads=self._threads, at=at)
        self.events = Events(self.papers, clock=clock, threads=self._threads)
        self.agents = Agents(self._catalog, directory)
        self.versions = Versions(self._catalog, self.agents)
        self.runs = Runs(self._catalog, self.objects)
        self.model_calls = ModelCalls(self._catalog)
        self.statistics = RunStatistics(self._catalog)
        self.revisions = Revisions(self._catalog, self.agents, self.objects)
        self.access = Access(self._catalog)
        self.purges = Purges(
            self._catalog,
            agents=self.agents,
            versions=self.versions,
            runs=self.runs,
            papers=self.papers,
            objects=self.objects,
        )

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Callable[[], datetime],
        at: Callable[[str], None] = lambda point: None,
        snapshot_bytes: int = SNAPSHOT_BYTES,
        linger_seconds: float = LINGER_SECONDS,
    ) -> Store:
        """The store in the home folder *path*, which is made if it is not there.

        Args:
            path: The home folder.
            clock: Gives the present moment, in UTC.
            at: Told the name of each point that a change passes on its way to the disk.
            snapshot_bytes: How long the journal grows before a snapshot takes its place.
            linger_seconds: How long runs' progress may wait outside the index.

        Raises:
            HomeInUse: Another process owns the home.
            HomeUnreadable: It is damaged, or of a newer workbench.
            Unavailable: The disk does not take it.
        """
        home = Home(path)

        def prepare() -> tuple[Journal, Index]:
            home.claim()
            try:
                return open_index(home, clock=clock, at=at, snapshot_bytes=snapshot_bytes)
            except BaseException:
                home.release()
                raise

        journal, index = await asyncio.to_thread(prepare)
        store = cls(home, journal, index, clock=clock, at=at, linger_seconds=linger_seconds)
        try:
            await store.agents.load()
            await store.runs.load()
            await store.runs.forget_keys(now=clock())
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def journaled(self) -> int:
        """The number of the last durable record of the journal."""
        return self._journal.last

    @property
    def behind(self) -> int:
        """How many durable records the index has not taken in yet."""
        return max(0, self._journal.last - self._index.applied)

    async def rebuild(self) -> None:
        """Make the index anew from the journal.

        Raises:
            HomeUnreadable: The journal is damaged.
            Unavailable: The disk does not take it.
        """
        await self._catalog.rebuild()

    async def sweep(self) -> Swept:
        """Throw away whatever no row speaks of: rests of purges and of drafts long gone.

        Raises:
            Unavailable: The disk or the index fails.
        """
        return await sweep(self._catalog, self.objects, self.papers)

    async def flush(self) -> None:
        """Have everything that anybody was told of in the index.

        Raises:
            Unavailable: The disk does not take it.
        """
        await self._catalog.flush()

    async def dump(self) -> list[str]:
        """Every row as a line of JSON, in an order that depends on nothing but the rows.

        Raises:
            Unavailable: The index does not answer.
        """
        return await self._catalog.dump()

    async def backup(self, target: Path) -> None:
        """Put the whole home into the archive *target*, while it is in use.

        Raises:
            InvalidRequest: The archive would lie in the home itself.
            HomeUnreadable: What lies in the home is damaged.
            Unavailable: The disk does not take it.
        """
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, write_archive, self.home, target)

    async def close(self) -> None:
        """Finish what is under way, bring the index up to date and let the home go."""
        await self.events.close()
        await self.agents.close()
        await self._catalog.close()
        await asyncio.to_thread(self._shut)

    async def __aenter__(self) -> Self:
        """The store itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store, whatever has happened."""
        await self.close()

    def _shut(self) -> None:
        self._readers.shutdown()
        self._threads.shutdown()
        self._journal.close()
        self._index.close()
        self.home.release()
