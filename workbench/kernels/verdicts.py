"""Which limit was behind an error: the system says no in its own words, and a run fails by ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.domain.limits import BOUNDLESS, Limits
from workbench.domain.runs import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The limit that an error came from.

    Attributes:
        reason: What the run ends with.
        hint: What it may have, and how it is asked for more.
    """

    reason: Reason
    hint: str


# What the error is called, what it says, whose doing that is, and by which budgets.
_SIGNS = tuple(
    (re.compile(ename), re.compile(evalue), reason, names)
    for ename, evalue, reason, names in (
        (r"_?(Array)?MemoryError", r"", Reason.MEMORY_LIMIT, ("memory_bytes",)),
        (r"OutOfMemoryException", r"", Reason.MEMORY_LIMIT, ("memory_bytes",)),
        (r"OSError", r"\[Errno 12\]", Reason.MEMORY_LIMIT, ("memory_bytes",)),
        (r"OSError", r"\[Errno 24\]", Reason.OPEN_FILES_LIMIT, ("open_files",)),
        (r"OSError", r"\[Errno 27\]", Reason.DISK_LIMIT, ("file_bytes",)),
        (
            r"OSError",
            r"\[Errno (28|122)\]",
            Reason.DISK_LIMIT,
            ("folder_bytes", "scratch_bytes", "shared_memory_bytes"),
        ),
        (r"BlockingIOError", r"\[Errno 11\]", Reason.PROCESS_LIMIT, ("processes",)),
        (r"RuntimeError", r"can't start new thread", Reason.PROCESS_LIMIT, ("processes",)),
    )
)


def limit_behind(ename: str, evalue: str, limits: Limits) -> Verdict | None:
    """The limit that a cell's error *ename* says it has met; None if it speaks of none."""
    for named, said, reason, names in _SIGNS:
        if named.fullmatch(ename) and said.match(evalue):
            if all(getattr(limits, name) >= getattr(BOUNDLESS, name) for name in names):
                return None
            allowed = ", ".join(f"{name} {getattr(limits, name):,}" for name in names)
            return Verdict(
                reason=reason, hint=f"limits of this run: {allowed}; metadata.workbench.limits"
            )
    return None
