"""How much one run may take: what holds if nobody says otherwise, and what an agent may ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

KIB, MIB, GIB = 2**10, 2**20, 2**30

BOUNDLESS_BYTES = 2**60
_BOUNDLESS_NUMBER = 2**22
"""More processes, and more files at a time, than Linux lets anybody have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The budgets of one run.

    Attributes:
        seconds: Wall time from the first cell to the last.
        start_seconds: How long its kernel may take to be ready.
        grace_seconds: How long an interrupted cell may take to heed before it is killed.
        cpu_seconds: Processor time of all its processes together.
        memory_bytes: Memory of all its processes together, what they only share counted once.
        processes: How many processes and threads it may have at a time.
        open_files: How many files each of its processes may hold open.
        file_bytes: How large each file it writes may grow.
        folder_bytes: How much its own folders may weigh, and so what it may leave.
        files: How many files it may leave.
        scratch_bytes: How much its `/tmp` holds, where that is in memory.
        shared_memory_bytes: How much its `/dev/shm` holds, where that is its own.
        kept_output_bytes: How much output the executed notebook keeps; what is beyond is cut.
        output_bytes: How much output ends the run.
        result_bytes: How large the result may be, as JSON.
    """

    seconds: float = 60.0
    start_seconds: float = 60.0
    grace_seconds: float = 2.0
    cpu_seconds: float = 120.0
    memory_bytes: int = GIB
    processes: int = 256
    open_files: int = 1024
    file_bytes: int = 100 * MIB
    folder_bytes: int = 256 * MIB
    files: int = 1_000
    scratch_bytes: int = 64 * MIB
    shared_memory_bytes: int = 64 * MIB
    kept_output_bytes: int = 2 * MIB
    output_bytes: int = 20 * MIB
    result_bytes: int = MIB

    def at_least(self, other: Limits) -> Limits:
        """Each limit as it is here or in *other*, whichever is more."""
        larger = {f.name: max(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        return Limits(**larger)

    def granting(self, asked: Mapping[str, float], *, most: Limits) -> Limits:
        """These limits for an agent that asks for *asked*, of which nothing is above *most*.

        Who asks for a longer run and not for more of the processor may use it all the while.
        """
        given: dict[str, Any] = {n: min(value, getattr(most, n)) for n, value in asked.items()}
        seconds = min(given.get("seconds", self.seconds), most.cpu_seconds)
        given.setdefault("cpu_seconds", max(self.cpu_seconds, seconds))
        output = given.get("output_bytes", self.output_bytes)
        given["kept_output_bytes"] = min(self.kept_output_bytes, output)
        return replace(self, **given)


BOUNDLESS = Limits(
    seconds=math.inf,
    cpu_seconds=math.inf,
    memory_bytes=BOUNDLESS_BYTES,
    processes=_BOUNDLESS_NUMBER,
    open_files=_BOUNDLESS_NUMBER,
    file_bytes=BOUNDLESS_BYTES,
    folder_bytes=BOUNDLESS_BYTES,
    files=_BOUNDLESS_NUMBER,
    scratch_bytes=BOUNDLESS_BYTES,
    shared_memory_bytes=BOUNDLESS_BYTES,
    kept_output_bytes=BOUNDLESS_BYTES,
    output_bytes=BOUNDLESS_BYTES,
    result_bytes=BOUNDLESS_BYTES,
)
"""No budget at all, for a notebook that somebody runs where they could run anything."""

DECLARABLE: Mapping[str, float] = {
    "cpu_seconds": 0.1,
    "memory_bytes": 256 * MIB,
    "processes": 32,
    "open_files": 128,
    "file_bytes": KIB,
    "folder_bytes": KIB,
    "scratch_bytes": MIB,
    "shared_memory_bytes": MIB,
    "output_bytes": KIB,
    "result_bytes": 16,
}
"""What `metadata.workbench.limits` may name, and the least of it with which a kernel lives."""
