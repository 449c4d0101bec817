"""What happened during a run, in order.

The numbered events of a run are its one truth while it runs: streams, logs, panels and the
executed notebook all derive from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class EventType(StrEnum):
    """What can happen during a run."""

    RUN_STARTED = "run.started"
    RUN_RETRYING = "run.retrying"
    """The attempt is lost and another will follow."""
    CELL_STARTED = "cell.started"
    CELL_FINISHED = "cell.finished"
    OUTPUT = "output"
    LOG = "log"
    PROGRESS = "progress"
    RESULT = "result"
    MESSAGE_DELTA = "message.delta"
    """A language model has said some more."""
    TOOL_CALL = "tool.call"
    """It wants a tool to be used."""
    TOOL_RESULT = "tool.result"
    """What came of that."""
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"

    @property
    def last(self) -> bool:
        """Whether no event follows one of this type."""
        return self in _LAST


_LAST = frozenset({EventType.RUN_COMPLETED, EventType.RUN_FAILED, EventType.RUN_CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        seq: 1 for the first event of a run, then without gaps.
        type: What kind of thing.
        at: When.
        data: The rest, as plain JSON values.
    """

    seq: int
    type: EventType
    at: datetime
    data: Mapping[str, object] = field(default_factory=dict)
