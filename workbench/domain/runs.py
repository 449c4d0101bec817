"""A run: one execution of one version of an agent.

A run is a value. It never changes; each move returns the run as it is afterwards, and whoever
asked for the move decides whether to keep it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from workbench.domain.models import Mode
from workbench.errors import IllegalMove

MOST_CELLS = 100
"""Of how many cells a run says itself how they fared."""


class RunStatus(StrEnum):
    """Where a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def settled(self) -> bool:
        """Whether nothing more can happen to the run."""
        return not _MOVES[self]


_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    # Failed straight from pending: no kernel could be had.
    RunStatus.PENDING: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED, RunStatus.FAILED}),
    RunStatus.RUNNING: frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.COMPLETED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}


class Reason(StrEnum):
    """Why a run ended otherwise than completed."""

    AGENT_ERROR = "agent_error"
    """A cell raised, or the notebook left by `exit()` or `sys.exit()`."""
    TIMEOUT = "timeout"
    OUTPUT_LIMIT = "output_limit"
    """It printed, displayed or returned more than it may."""
    CPU_LIMIT = "cpu_limit"
    MEMORY_LIMIT = "memory_limit"
    PROCESS_LIMIT = "process_limit"
    """It had more processes and threads than it may."""
    OPEN_FILES_LIMIT = "open_files_limit"
    DISK_LIMIT = "disk_limit"
    """It wrote a file, filled a folder or left files beyond what it may."""
    KERNEL_DIED = "kernel_died"
    KERNEL_START_FAILED = "kernel_start_failed"
    ISOLATION_UNAVAILABLE = "isolation_unavailable"
    """The machine had changed since it was accepted: it keeps runs apart less than this one needs."""
    KERNEL_PROTOCOL = "kernel_protocol"
    """The kernel broke the Jupyter protocol, so what it said cannot be relied on."""
    INVALID_OUTPUT = "invalid_output"
    """The result is no JSON, was given twice, or breaks the declared schema."""
    GATEWAY_RESTARTED = "gateway_restarted"
    """The workbench itself stopped or died under the run."""
    BUDGET_EXCEEDED = "budget_exceeded"
    """It failed after what may be spent on language models was spent."""
    CANCELLED_BY_USER = "cancelled_by_user"
    CALLER_ENDED = "caller_ended"
    """It was called by a run that has ended, or did not wait for it."""
    INTERNAL_ERROR = "internal_error"
    """The workbench failed at its own work, such as writing to a full disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One time a run was begun, or was to be begun, without coming to its end.

    Attributes:
        number: 1 for the first.
        reason: Why another had to follow.
        error: As that of a failed run.
        isolation: The level it ran at; empty if it never did.
        resource_usage: What it took.
        started_at: When it was begun; None if no kernel could be had.
        ended_at: When it was known to have ended; None while it goes on.
    """

    number: int
    reason: Reason | None = None
    error: Mapping[str, object] | None = None
    isolation: str = ""
    resource_usage: Mapping[str, object] = field(default_factory=dict)
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of one version of an agent.

    Attributes:
        id: UUIDv7 as 32 hex digits: runs sort by it in the order they were accepted.
        agent_id: Whose run; with `owner` and `agent_name` as they were then.
        version: The version's number, or `draft`.
        fingerprint: The notebook that is executed.
        user: Who asked for it.
        parameters: What it was given, defaults not included.
        test: Whether it is a test run.
        result: The value the agent handed back.
        error: For a failed run: `message`, and `ename`, `evalue`, `cell` where a cell did it.
        attempt: The number of the attempt it stands in, which is also the fence: who speaks for
            an earlier one is not heard. 0 until it is first begun.
        attempts: The attempts that were lost before this one.
        due_at: When a lost run may be begun again at the earliest.
        boot: The life of the workbench that began this attempt; empty while none has.
        isolation: The level it ran at; empty while it never did.
        resource_usage: What it took: `cpu_ms`, `peak_memory_bytes`, `output_bytes`.
        model: Where its language model's answers come from; None is the usual for its kind.
        usage: What its model took: `calls`, tokens by kind, `cost_usd`; empty if it asked none.
        effects: What a test run would have done outside, in order.
        parent_id: The run that called it; empty if somebody asked for it.
        cells: How its first cells fared: `id`, `index`, `status`, `ms` and what each took; the
            executed notebook has all of them.
    """

    id: str
    agent_id: str
    owner: str
    agent_name: str
    version: str
    fingerprint: str
    user: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    test: bool = False
    status: RunStatus = RunStatus.PENDING
    reason: Reason | None = None
    result: object = None
    error: Mapping[str, object] | None = None
    attempt: int = 0
    attempts: Sequence[Attempt] = ()
    due_at: datetime | None = None
    boot: str = ""
    isolation: str = ""
    resource_usage: Mapping[str, object] = field(default_factory=dict)
    cells: Sequence[Mapping[str, object]] = ()
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    model: Mode | None = None
    usage: Mapping[str, object] = field(default_factory=dict)
    effects: Sequence[Mapping[str, object]] = ()
    parent_id: str = ""

    @property
    def address(self) -> str:
        """`owner/name` of its agent."""
        return f"{self.owner}/{self.agent_name}"

    @property
    def seconds(self) -> float | None:
        """How long it ran by the clock, which may have been set; None unless it began and ended."""
        if self.started_at is None or self.completed_at is None:
            return None
        return max(0.0, (self.completed_at - self.started_at).total_seconds())

    def begin(self, *, at: datetime, isolation: str, boot: str = "") -> Run:
        """The run once a kernel has been found for it, in the life *boot* of the workbench.

        Raises:
            IllegalMove: It does not wait for one.
        """
        moved = self._move(RunStatus.RUNNING)
        return replace(
            moved,
            started_at=at,
            isolation=isolation,
            boot=boot,
            attempt=max(self.attempt, 1),
            due_at=None,
        )

    def again(
        self,
        *,
        at: datetime,
        due_at: datetime,
        reason: Reason | None,
        error: Mapping[str, object] | None = None,
        resource_usage: Mapping[str, object] | None = None,
    ) -> Run:
        """The run once its attempt is lost: it waits for the next, which has a number of its own.

        Raises:
            IllegalMove: It has been settled already.
        """
        if self.status.settled:
            raise self._refusal(RunStatus.PENDING)
        lost = Attempt(
            number=max(self.attempt, 1),
            reason=reason,
            error=error,
            isolation=self.isolation,
            resource_usage=resource_usage or {},
            started_at=self.started_at,
            ended_at=at,
        )
        return replace(
            self,
            status=RunStatus.PENDING,
            attempt=lost.number + 1,
            attempts=(*self.attempts, lost),
            due_at=due_at,
            boot="",
            isolation="",
            started_at=None,
        )

    def settle(
        self,
        status: RunStatus,
        *,
        at: datetime,
        reason: Reason | None = None,
        result: object = None,
        error: Mapping[str, object] | None = None,
        resource_usage: Mapping[str, object] | None = None,
        usage: Mapping[str, object] | None = None,
        effects: Sequence[Mapping[str, object]] = (),
        cells: Sequence[Mapping[str, object]] = (),
    ) -> Run:
        """The run once nothing more can happen to it.

        Raises:
            IllegalMove: It has been settled already, or *status* settles nothing.
        """
        if not status.settled:
            raise IllegalMove(f"{status} settles nothing.", run_id=self.id, status=str(status))
        moved = self._move(status)
        return replace(
            moved,
            completed_at=at,
            due_at=None,
            reason=reason,
            result=result,
            error=error,
            resource_usage=resource_usage or {},
            usage=usage or {},
            effects=effects,
            cells=tuple(cells[:MOST_CELLS]),
        )

    def _move(self, to: RunStatus) -> Run:
        if to not in _MOVES[self.status]:
            raise self._refusal(to)
        return replace(self, status=to)

    def _refusal(self, to: RunStatus) -> IllegalMove:
        return IllegalMove(
            f"Run {self.id} is {self.status}, so it cannot become {to}.",
            run_id=self.id,
            status=str(self.status),
        )


def attempts_of(run: Run) -> Sequence[Attempt]:
    """Every attempt of *run*, those that were lost and the one under way or at its end."""
    if run.started_at is None and not run.status.settled:
        return run.attempts
    last = Attempt(
        number=max(run.attempt, 1),
        reason=run.reason,
        error=run.error,
        isolation=run.isolation,
        resource_usage=run.resource_usage,
        started_at=run.started_at,
        ended_at=run.completed_at,
    )
    return (*run.attempts, last)
