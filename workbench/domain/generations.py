"""A generation: a description on its way to become the draft of an agent.

It is a value that never changes; as the work goes on there is another one in its place. What it
has come to is told by `status`, what is being done by `step`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workbench.domain.models import PICO
from workbench.domain.plans import Plan
from workbench.errors import WorkbenchError

REPAIRS = 3
"""How often cells are repaired unless somebody says otherwise."""
MOST_REPAIRS = 5


class Standing(StrEnum):
    """What a generation has come to."""

    PENDING = "pending"
    PLANNED = "planned"
    """The plan is there, and nothing more was asked for."""
    DRAFTED = "drafted"
    """The agent is there, as a draft; whether its cases pass is said by `verified`."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def settled(self) -> bool:
        """Whether nothing more comes of it."""
        return self is not Standing.PENDING


class Step(StrEnum):
    """What is being done."""

    PLANNING = "planning"
    WRITING = "writing"
    CHECKING = "checking"
    TRYING = "trying"
    REPAIRING = "repairing"


class Source(StrEnum):
    """Who writes."""

    MODEL = "model"
    STARTER = "starter"
    """Nobody: no language model is set up here, so a starter is filled in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One state of the cells, and what was wrong with it.

    Attributes:
        number: From 1.
        diagnosis: What the model thought was wrong with the one before.
        problems: What is wrong, each with `code`, `message` and where.
        changes: What is different from the round before, cell by cell.
        tried: Whether its cases were run.
    """

    number: int
    diagnosis: str = ""
    problems: Sequence[Mapping[str, object]] = ()
    changes: Sequence[Mapping[str, object]] = ()
    tried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One description on its way.

    Attributes:
        id: What it is asked after by.
        user: Who asked for it.
        agent_name: What the agent shall be called.
        description: What was asked for.
        source: Who writes.
        model: The model that was asked for; empty is the default.
        step: What is being done now; None when it has settled.
        rounds: The states of the cells, in order.
        agent: `owner/name` of the draft, once there is one.
        verified: Whether every case of the draft passed.
        calls: How often a model was asked.
        picodollars: What that cost; None if nobody knows.
        error: Why it failed, or why the draft is not verified.
    """

    id: str
    user: str
    agent_name: str
    description: str
    source: Source
    model: str = ""
    status: Standing = Standing.PENDING
    step: Step | None = None
    plan: Plan | None = None
    rounds: Sequence[Round] = ()
    agent: str = ""
    verified: bool = False
    calls: int = 0
    picodollars: int | None = 0
    error: WorkbenchError | None = None
    created_at: datetime
    ended_at: datetime | None = None

    @property
    def cost_usd(self) -> float | None:
        """What it cost, in dollars; None if nobody knows."""
        return None if self.picodollars is None else self.picodollars / PICO
