"""The composition root: opens the store and the kernels and hands them to the services.

This is the only place that builds things and the only one, besides the faces, that reads the
settings. What is built here lives on one event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from random import SystemRandom
from types import TracebackType
from typing import Self

import uuid_utils

from workbench.allowances import caps_of, limits_of, protection_of
from workbench.domain.access import Principal, Role
from workbench.domain.isolation import Isolation, Protection
from workbench.domain.network import read_hosts
from workbench.domain.runs import Run
from workbench.kernels import Executor, Relay, Wanted
from workbench.kernels.egress import Egress
from workbench.kernels.executor import NotebookExecutor
from workbench.kernels.ground import Ground, NoKernels, choose
from workbench.kernels.pool import Pool
from workbench.kernels.removal import remove
from workbench.kernels.sources import kernels_behind
from workbench.llm.configuration import read_catalogue
from workbench.llm.upstreams import Upstreams
from workbench.services.admitting import ADMIN, Admitting
from workbench.services.authoring import Authoring
from workbench.services.brokering import Brokering
from workbench.services.calling import Calling
from workbench.services.comparing import Comparing
from workbench.services.configuring import Configuring
from workbench.services.consulting import Consulting
from workbench.services.dispatching import Dispatching
from workbench.services.drafting import Drafting
from workbench.services.equipping import Equipping
from workbench.services.executing import Executing, Watch
from workbench.services.generating import Generating
from workbench.services.lending import Door, Lending
from workbench.services.measuring import Measuring
from workbench.services.postponing import Postponing
from workbench.services.publishing import Publishing
from workbench.services.purging import Purging
from workbench.services.recovering import Recovering
from workbench.services.revising import Revising
from workbench.services.running import Running
from workbench.services.settling import Settling
from workbench.services.showing import Showing
from workbench.services.spending import Spending
from workbench.services.ticketing import Ticketing
from workbench.settings import Settings
from workbench.store.keys import Keys
from workbench.store.store import Store

_log = logging.getLogger("workbench.isolation")

TRUSTED = Protection(level=Isolation.NONE)
"""For executors that are handed over with the app: nothing is asked of them."""

ADMINISTRATOR = Principal(user=ADMIN, role=Role.ADMIN)

CHANCE = SystemRandom().random
"""What spreads attempts that would else come back all at once."""


def utc_now() -> datetime:
    """The clock of the workbench."""
    return datetime.now(UTC)


def new_id() -> str:
    """A UUIDv7 (RFC 9562) as 32 hex digits: later ids sort behind earlier ones."""
    return uuid_utils.uuid7().hex


def unwatched(run: Run) -> None:
    """Nobody keeps count of runs."""


def _executor_of_agents(settings: Settings, ground: Ground, door: Door | None) -> NotebookExecutor:
    scratch = settings.home / "scratch"
    work = scratch / "runs"
    # Whatever lies here was left by a life that ended without a word.
    remove(work)
    if ground.wall is None:
        return NotebookExecutor(kernels=NoKernels(ground.cure))
    kernels = kernels_behind(
        ground.wall,
        work=work,
        cache=scratch / "cache",
        preload=settings.preload,
        cgroups=ground.cgroups,
    )
    relays: tuple[Relay, ...] = ()
    if door is not None and ground.wall.level.has_namespaces:
        # Every kernel has the same, so the ones that wait serve any run.
        relays = (Relay(port=door.port, socket=door.socket, needed=False),)
    pool = Pool(
        kernels,
        size=settings.ready_kernels,
        most=settings.most_ready_kernels,
        wanted=Wanted(limits=limits_of(settings), relays=relays),
    )
    pool.fill()
    private = read_hosts(settings.private_hosts)
    return NotebookExecutor(kernels=pool, egress=Egress(private=private), relays=relays)


class App:
    """Everything that a face needs, put together.

    Attributes:
        settings: What it was built from.
        protection: How far runs are kept apart here, and how far they must be.
        limits: What a run may take unless its agent asks for something else.
        caps: The most that an agent may ask for.
        store: What is remembered.
        admitting: Who may come in.
        authoring: Agents and their drafts.
        revising: Their earlier drafts.
        publishing: Versions.
        postponing: Versions that nobody waits for.
        configuring: Agents that are a prompt, or another agent with other defaults.
        generating: Agents written from a description.
        comparing: What is different between two states of an agent.
        purging: Agents deleted for good.
        running: Runs.
        dispatching: The line of waiting runs.
        calling: Calls of runs to other agents.
        lending: What lets a run ask a language model.
        spending: What was spent on language models, and what may be.
        brokering: Questions to language models.
        showing: Runs as pages.
        measuring: What runs come to.
        ticketing: What lets a browser open one address once.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        executor: Executor,
        door: Door | None = None,
        protection: Protection = TRUSTED,
        watch: Watch = unwatched,
        clock: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = CHANCE,
        at: Callable[[str], None] = lambda point: None,
    ) -> None:
        """Put together on an open *store*; *at* is told each point that a run passes."""
        self.settings = settings
        self.store = store
        self._executor = executor
        self.protection = protection
        self._clock = clock
        self.limits, self.caps = limits_of(settings), caps_of(settings)
        self.admitting = Admitting(access=store.access, clock=clock)
        self.ticketing = Ticketing(clock=clock)
        self._set_up_drafts()
        self._set_up_models(door)
        settling = Settling(runs=store.runs, events=store.events, at=at)
        executing = self._executing(watch, at)
        self._set_up_runs(executing, settling, watch, jitter)
        self._set_up_versions()
        self._set_up_generations()
        self._recovering = Recovering(
            runs=store.runs,
            agents=store.agents,
            versions=store.versions,
            objects=store.objects,
            dispatching=self.dispatching,
            settling=settling,
            administrator=ADMINISTRATOR,
            clock=clock,
            boot=store.boot,
        )

    def _set_up_drafts(self) -> None:
        store = self.store
        self.revising = Revising(
            agents=store.agents,
            revisions=store.revisions,
            objects=store.objects,
            clock=self._clock,
        )
        self.authoring = Authoring(
            agents=store.agents,
            versions=store.versions,
            objects=store.objects,
            revising=self.revising,
            kernels=self.settings.kernels,
            caps=self.caps,
            clock=self._clock,
            new_id=new_id,
        )
        self.comparing = Comparing(authoring=self.authoring)
        self.configuring = Configuring(authoring=self.authoring)

    def _set_up_models(self, door: Door | None) -> None:
        store, catalogue = self.store, read_catalogue(self.settings.models)
        self.lending = Lending(objects=store.objects, catalogue=catalogue, door=door)
        self.spending = Spending(calls=store.model_calls, catalogue=catalogue, clock=self._clock)
        self.brokering = Brokering(
            catalogue=catalogue,
            lending=self.lending,
            spending=self.spending,
            keys=Keys(self.settings.home, master=self.settings.master_key),
            upstreams=Upstreams(),
            clock=self._clock,
            new_id=new_id,
        )

    def _executing(self, watch: Watch, at: Callable[[str], None]) -> Executing:
        store = self.store
        return Executing(
            runs=store.runs,
            events=store.events,
            papers=store.papers,
            objects=store.objects,
            executor=self._executor,
            lending=self.lending,
            limits=self.limits,
            caps=self.caps,
            kernels=self.settings.kernels,
            protection=self.protection,
            watch=watch,
            clock=self._clock,
            boot=store.boot,
            at=at,
        )

    def _set_up_runs(
        self,
        executing: Executing,
        settling: Settling,
        watch: Watch,
        jitter: Callable[[], float],
    ) -> None:
        store = self.store
        self.dispatching = Dispatching(
            runs=store.runs,
            executing=executing,
            settling=settling,
            at_once=self.settings.runs_at_once,
            queue_limit=self.settings.queue_limit,
            watch=watch,
            clock=self._clock,
            jitter=jitter,
        )
        self.running = Running(
            runs=store.runs,
            versions=store.versions,
            events=store.events,
            papers=store.papers,
            dispatching=self.dispatching,
            equipping=Equipping(authoring=self.authoring),
            protection=self.protection,
            clock=self._clock,
            new_id=new_id,
        )
        self.calling = Calling(self.authoring, self.running, self.lending)
        self.showing = Showing(running=self.running)
        self.measuring = Measuring(statistics=store.statistics, clock=self._clock)
        self.purging = Purging(purges=store.purges, dispatching=self.dispatching)

    def _set_up_versions(self) -> None:
        self.publishing = Publishing(
            versions=self.store.versions,
            objects=self.store.objects,
            running=self.running,
            caps=self.caps,
            clock=self._clock,
        )
        self.postponing = Postponing(publishing=self.publishing, new_id=new_id)

    def _set_up_generations(self) -> None:
        consulting = Consulting(brokering=self.brokering)
        drafting = Drafting(
            authoring=self.authoring,
            publishing=self.publishing,
            consulting=consulting,
            kernels=self.settings.kernels,
            caps=self.caps,
            packages=self.settings.preload,
            clock=self._clock,
        )
        self.generating = Generating(
            drafting=drafting,
            authoring=self.authoring,
            consulting=consulting,
            clock=self._clock,
            new_id=new_id,
        )

    @property
    def isolation(self) -> str:
        """The level that runs have here; `unavailable` if none begins."""
        return self._executor.isolation

    @property
    def ready_kernels(self) -> int:
        """How many kernels wait for a run."""
        return self._executor.ready

    @property
    def journaled(self) -> int:
        """The number of the last durable record of the journal."""
        return self.store.journaled

    @property
    def index_behind(self) -> int:
        """How many durable records cannot be found by lists yet."""
        return self.store.behind

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        resume: bool = True,
        door: Door | None = None,
        watch: Watch = unwatched,
        clock: Callable[[], datetime] = utc_now,
    ) -> Self:
        """The app on its home folder, with the runs of an earlier life taken up.

        Without *resume* those that never began keep waiting: who is only here for a moment would
        begin them and be gone before they end. *watch* is told of each run that begins or ends.
        Runs ask language models at *door*; whoever gives one answers there.

        Raises:
            HomeInUse: Another process owns the home.
            HomeUnreadable: What lies there is of a newer workbench, or none of ours.
        """
        store = await Store.open(settings.home, clock=clock)
        ground = await asyncio.to_thread(choose, settings.isolation)
        _log.log(logging.INFO if ground.wall else logging.WARNING, "isolation: %s", ground.said)
        executor = _executor_of_agents(settings, ground, door)
        protection = protection_of(settings, ground)
        app = cls(
            settings,
            store=store,
            executor=executor,
            door=door,
            protection=protection,
            watch=watch,
            clock=clock,
        )
        await app.recover(resume=resume)
        return app

    async def recover(self, *, resume: bool = True) -> None:
        """Take up what an earlier life left; once, before anything else is asked of the app."""
        await self._recovering.recover(resume=resume)

    async def close(self, *, drain_seconds: float = 0.0) -> None:
        """End the runs under way, within *drain_seconds* if they can, and let go of everything."""
        await self.generating.close()
        await self.dispatching.drain(drain_seconds)
        await self.postponing.close()
        await self.brokering.close()
        await self._executor.close()
        await self.store.close()

    async def __aenter__(self) -> Self:
        """The app itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.close()
