"""What runs take, looked at from outside, by one thread for all of them.

A limit that the system keeps for each process by itself says nothing of a run that has fifty. So
the processes of every run are found, from its topmost one down, and what they hold is added up,
some twenty times a second; a run that has more than it may is told of at once. What only a look can
tell may be exceeded until the next one.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.domain.limits import Limits
from workbench.domain.runs import Reason
from workbench.kernels import proc
from workbench.kernels.faults import Fault
from workbench.kernels.folder import weight

LOOK_SECONDS = 0.05
"""How long between two looks at the processes of a run."""
_WEIGH_SECONDS = 0.5
"""How long between two looks at its folders, at least."""
_SHARE = 10
"""Looking takes no more than one part in so many of a processor,"""
_LONGEST_PAUSE_SECONDS = 0.5
"""unless nobody would be looked at for so long."""
_NEAR = 0.8
"""How much of a limit must have been used up for a death to be its doing."""
_BEYOND = 64
"""How many processes beyond the limit are looked at; that there are more is known by then."""
_MOST_LOOKED_AT = 10_000
_FIRST = -20

_log = logging.getLogger(__name__)

Exceeded = Callable[[Fault], None]
"""Is told, in another thread, of what a run has too much of; once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """What was taken from one moment to another.

    Attributes:
        cpu_ms: Processor time, in milliseconds.
        peak_memory_bytes: The most memory in RAM at a time, shared pages included.
    """

    cpu_ms: float
    peak_memory_bytes: int


class Gauge:
    """What one run takes."""

    def __init__(
        self, root: int, *, limits: Limits, room: Sequence[Path] = (), placed_bytes: int = 0
    ) -> None:
        """The run below the process *root*, which may fill *room* beyond what was placed there."""
        self._root = root
        self._limits = limits
        self._room = room
        self._room_bytes = limits.folder_bytes + placed_bytes
        self._weigh_at = 0.0
        self._lock = threading.Lock()
        self._family = proc.family(root, most=_BEYOND) if proc.AVAILABLE else []
        first = proc.read(self._family)
        self._cpu_before = self._cpu = self._lap_cpu = first.cpu_ns
        self._seen = self._peak = first.resident
        self._charged_before = first.charged
        self._highest = dict(first.highest)
        self._most_charged = self._most_tasks = 0

    @property
    def cpu_ms(self) -> int:
        """The processor time it has taken so far, in milliseconds."""
        return (self._cpu - self._cpu_before) // 1_000_000

    @property
    def peak_memory_bytes(self) -> int:
        """The most memory it has had in RAM at a time, as far as was seen."""
        return self._peak

    def lap(self) -> Lap:
        """What was taken since the last lap, or since there is a gauge."""
        reading = self._read()
        with self._lock:
            spent, self._lap_cpu = self._cpu - self._lap_cpu, self._cpu
            peak, self._seen = self._seen, reading.resident
        return Lap(cpu_ms=round(spent / 1_000_000, 3), peak_memory_bytes=peak)

    def look(self) -> Fault | None:
        """What it has too much of; for the thread that looks."""
        self._family = proc.family(
            self._root, most=min(self._limits.processes + _BEYOND, _MOST_LOOKED_AT)
        )
        reading = self._read()
        return self._too_much(reading) or self._too_full()

    def hit(self, reason: Reason) -> bool:
        """Whether it has come close to the limit that *reason* stands for."""
        reading = self._read()
        limits = self._limits
        used, allowed = {
            Reason.CPU_LIMIT: (self.cpu_ms / 1000, limits.cpu_seconds),
            # What it came with may be shared, with what it was forked from.
            Reason.MEMORY_LIMIT: (
                self._most_charged - self._charged_before,
                limits.memory_bytes - self._charged_before,
            ),
            Reason.PROCESS_LIMIT: (max(self._most_tasks, reading.tasks), limits.processes),
        }[reason]
        return used >= _NEAR * allowed

    def _read(self) -> proc.Reading:
        reading = proc.read(self._family)
        with self._lock:
            self._cpu = max(self._cpu, reading.cpu_ns)
            grown = [
                reading.resident + highest - reading.residents[pid]
                for pid, highest in reading.highest.items()
                # A mark that has moved was set since the last reading.
                if highest > self._highest.get(pid, highest)
            ]
            self._highest.update(reading.highest)
            self._seen = max(self._seen, reading.resident, *grown)
            self._peak = max(self._peak, self._seen)
            self._most_charged = max(self._most_charged, reading.charged)
            self._most_tasks = max(self._most_tasks, reading.tasks)
        return reading

    def _too_much(self, reading: proc.Reading) -> Fault | None:
        limits = self._limits
        if self._cpu - self._cpu_before > limits.cpu_seconds * 1e9:
            return cpu_fault(limits)
        if reading.tasks > limits.processes:
            return Fault(
                Reason.PROCESS_LIMIT,
                f"The run had more than {limits.processes:,} processes and threads.",
            )
        if reading.charged > limits.memory_bytes and self._shared_out() > limits.memory_bytes:
            return memory_fault(limits)
        return None

    def _shared_out(self) -> int:
        """The memory of all its processes, what several of them map counted once."""
        total = 0
        for pid in self._family:
            try:
                total += proc.proportional(pid)
            except (FileNotFoundError, ProcessLookupError):  # it has ended
                continue
            except OSError:
                # The first process may be ours, and keep everybody from looking into it.
                if pid != self._root:
                    return self._most_charged
        return total

    def _too_full(self) -> Fault | None:
        began = time.thread_time()
        if time.monotonic() < self._weigh_at:
            return None
        try:
            full = sum(weight(folder, self._limits) for folder in self._room) > self._room_bytes
        except Fault as fault:
            return fault
        spent = time.thread_time() - began
        self._weigh_at = time.monotonic() + max(_WEIGH_SECONDS, spent * _SHARE)
        if full:
            return Fault(
                Reason.DISK_LIMIT,
                f"The run filled its folder with more than {self._limits.folder_bytes:,} bytes.",
            )
        return None


def cpu_fault(limits: Limits) -> Fault:
    """The fault of a run that used more of the processor than it may."""
    return Fault(
        Reason.CPU_LIMIT,
        f"The run used more than its {limits.cpu_seconds:g} seconds of processor time.",
    )


def memory_fault(limits: Limits) -> Fault:
    """The fault of a run that used more memory than it may."""
    return Fault(
        Reason.MEMORY_LIMIT, f"The run used more than its {limits.memory_bytes:,} bytes of memory."
    )


def _go_first() -> None:
    """Let this thread have its turn before others, if we may ask for that."""
    # Behind hundreds of busy processes it would have to wait for seconds to see them.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _FIRST)


class Meter:
    """The thread that looks at runs; there is none while there is nothing to look at."""

    def __init__(self, *, look_seconds: float = LOOK_SECONDS) -> None:
        """Look at every run after *look_seconds*."""
        self._look_seconds = look_seconds
        self._watched: dict[Gauge, Exceeded] = {}
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    @contextmanager
    def watching(self, gauge: Gauge, exceeded: Exceeded) -> Iterator[None]:
        """Look at what *gauge* measures, and tell *exceeded* of it."""
        with self._change:
            self._watched[gauge] = exceeded
            if self._thread is None and proc.AVAILABLE:
                self._thread = threading.Thread(target=self._run, name="meter", daemon=True)
                self._thread.start()
            self._change.notify()
        try:
            yield
        finally:
            with self._change:
                self._watched.pop(gauge, None)

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        with self._change:
            self._change.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        _go_first()
        pause = self._look_seconds
        while not self._closed.wait(pause):
            with self._change:
                while not self._watched and not self._closed.is_set():
                    self._change.wait()
                watched = list(self._watched.items())
            began = time.thread_time()
            for gauge, exceeded in watched:
                self._look(gauge, exceeded)
            spent = time.thread_time() - began
            pause = min(max(self._look_seconds, spent * _SHARE), _LONGEST_PAUSE_SECONDS)

    def _look(self, gauge: Gauge, exceeded: Exceeded) -> None:
        try:
            fault = gauge.look()
        except Exception:  # noqa: BLE001
            # One run that cannot be looked at must not keep the others from being.
            _log.exception("What a run takes cannot be seen.")
            return
        if fault is None:
            return
        with self._change:
            if self._watched.pop(gauge, None) is not None:
                exceeded(fault)
