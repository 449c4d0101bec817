"""What Linux tells about processes, read without a library and without asking them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")

_CHARGED = (b"\nRssAnon:", b"\nRssShmem:", b"\nVmSwap:")

AVAILABLE = Path("/proc/self/task").is_dir()
"""Whether there is anything to read here: other systems than Linux have no `/proc`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What some processes had at one moment, together.

    Attributes:
        cpu_ns: Processor time of them and of the children they have reaped, in nanoseconds.
        tasks: How many processes and threads they are.
        resident: Their memory in RAM, in bytes, with what they share counted each time.
        charged: What they may have made the machine hold, in bytes: pages of their own, shared
            memory and swap.
        residents: `resident` of each.
        highest: The most that was ever resident of each.
    """

    cpu_ns: int = 0
    tasks: int = 0
    resident: int = 0
    charged: int = 0
    residents: Mapping[int, int]
    highest: Mapping[int, int]


def children(pid: int) -> list[int]:
    """The children of *pid*, of whichever of its threads."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, _read(f"/proc/{pid}/task/{task}/children").split())
    except OSError:
        return found
    return found


def family(pid: int, *, most: int) -> list[int]:
    """*pid* and its descendants, as far as they are there; no more than *most*."""
    found = [pid]
    for parent in found:
        if len(found) >= most:
            break
        found += children(parent)
    return found[:most]


def read(pids: Iterable[int]) -> Reading:
    """What *pids* have; those that have ended meanwhile have nothing."""
    cpu = tasks = charged = 0
    residents: dict[int, int] = {}
    highest: dict[int, int] = {}
    for pid in pids:
        try:
            fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
            status = _read(f"/proc/{pid}/status")
        except OSError:
            continue
        cpu += _used_ns(pid, fields)
        tasks += int(fields[17])
        residents[pid] = _bytes(status, b"\nVmRSS:")
        highest[pid] = _bytes(status, b"\nVmHWM:")
        charged += sum(_bytes(status, name) for name in _CHARGED)
    return Reading(
        cpu_ns=cpu,
        tasks=tasks,
        resident=sum(residents.values()),
        charged=charged,
        residents=residents,
        highest=highest,
    )


def _used_ns(pid: int, fields: Sequence[bytes]) -> int:
    own, reaped = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    try:
        exact = _clock_ns(pid)
    except OSError:  # it has ended
        exact = own * _TICK_NS
    return exact + reaped * _TICK_NS


def _clock_ns(pid: int) -> int:
    # The clock that clock_getcpuclockid(3) gives for another process: exact, where the numbers
    # in its files are ticks of ten milliseconds.
    return time.clock_gettime_ns((~pid << 3) | 2)


def cpu_ms(pid: int) -> int:
    """The processor time that *pid* has used so far; 0 if it has ended, or none is meant."""
    try:
        return _clock_ns(pid) // 1_000_000 if pid else 0
    except OSError:
        return 0


def number(pidfd: int) -> int:
    """The number that the process behind *pidfd* has here; 0 if it has ended."""
    for line in _read(f"/proc/self/fdinfo/{pidfd}").splitlines():
        if line.startswith(b"Pid:"):
            return max(0, int(line.split()[1]))
    return 0


def proportional(pid: int) -> int:
    """The memory of *pid*, in bytes, where a page that several processes map is divided by them.

    Much slower than `read`, and not to be had for processes that may not be looked into.

    Raises:
        OSError: There is no such process, or it may not be looked into.
    """
    rollup = _read(f"/proc/{pid}/smaps_rollup")
    return sum(_bytes(rollup, name) for name in (b"\nPss_Anon:", b"\nPss_Shmem:", b"\nSwapPss:"))


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        while piece := os.read(descriptor, 65_536):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def _bytes(text: bytes, name: bytes) -> int:
    at = text.find(name)
    return int(text[at + len(name) :].split(maxsplit=1)[0]) * 1024 if at >= 0 else 0
