"""One process and all that it starts: watched, measured and ended.

A process is told from others by its pidfd where there is one: a number may be another's by the
time a signal arrives, a pidfd never is.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.kernels import Usage, proc

_TICKS = os.sysconf("SC_CLK_TCK")
_POLL_SECONDS = 0.05
_REAP_SECONDS = 10.0
_QUIET_LOOKS = 2


class Process:
    """A child of ours, leader of a session of its own.

    Attributes:
        dead: Done as soon as it is gone; it has been reaped then.
    """

    def __init__(
        self, argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], deep: int = 0
    ) -> None:
        """Start it, with nothing on its standard streams.

        What is meant stands *deep* generations below what is started: a wall comes before it.

        It must be started from a thread that lives as long as we do: Linux kills a process that
        asked to die with its parent when the thread that made it ends.

        Raises:
            OSError: The program or the folder is not there.
        """
        self._loop = asyncio.get_running_loop()
        self.dead: asyncio.Future[None] = self._loop.create_future()
        self._rusage: Usage | None = None
        self._cpu_before = 0
        self._deep = deep
        self._popen = subprocess.Popen(
            argv,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        self._pidfd = -1
        if hasattr(os, "pidfd_open"):
            self._pidfd = os.pidfd_open(self.pid)
            self._loop.add_reader(self._pidfd, self._gone)
        else:
            self._poll()

    def _poll(self) -> None:
        if not self._reap():
            self._loop.call_later(_POLL_SECONDS, self._poll)

    def _gone(self) -> None:
        # Before it is reaped its number, and so its group's, cannot be another's.
        _signal_group(self.pid, signal.SIGKILL)
        if self._reap():
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)

    def _reap(self) -> bool:
        if self.dead.done():
            return True
        pid, status, used = os.wait4(self.pid, os.WNOHANG)
        if not pid:
            return False
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        unit = 1 if sys.platform == "darwin" else 1024
        cpu_ms = round((used.ru_utime + used.ru_stime) * 1000)
        self._rusage = Usage(cpu_ms=cpu_ms, peak_memory_bytes=used.ru_maxrss * unit)
        self.dead.set_result(None)
        return True

    def take(self) -> None:
        """Count its processor time from now on."""
        self._cpu_before = self._measure().cpu_ms

    def usage(self) -> Usage:
        """What it has taken since `take`."""
        used = self._measure()
        return Usage(
            cpu_ms=max(0, used.cpu_ms - self._cpu_before), peak_memory_bytes=used.peak_memory_bytes
        )

    def _measure(self) -> Usage:
        # The peak that a reaped process reports includes that of whoever started it.
        try:
            meant = self._meant()
            fields = Path(f"/proc/{meant}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{meant}/status").read_text()
            ticks = sum(int(field) for field in fields[11:15])
            peak = int(status.partition("VmHWM:")[2].split(maxsplit=1)[0])
        except (OSError, ValueError, IndexError):
            return self._rusage or Usage()
        return Usage(cpu_ms=ticks * 1000 // _TICKS, peak_memory_bytes=peak * 1024)

    def interrupt(self) -> None:
        """Send it, and what it started and did not set apart, what Ctrl-C sends."""
        if not self.dead.done():
            # It leads no group behind a wall, which the signal would bring down.
            (_signal if self._deep else _signal_group)(self._meant(), signal.SIGINT)

    def _meant(self) -> int:
        pid = self.pid
        for _ in range(self._deep):
            pid = next(iter(proc.children(pid)), pid)
        return pid

    def kill(self) -> None:
        """End it and all its descendants at once."""
        if self.dead.done():
            return
        for pid in stop_family(self.pid):
            _signal(pid, signal.SIGKILL)
        _signal_group(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Return when it has been killed and reaped.

        Raises:
            TimeoutError: The system does not let go of it.
        """
        self.kill()
        await asyncio.wait_for(asyncio.shield(self.dead), _REAP_SECONDS)


def stop_family(pid: int) -> list[int]:
    """The descendants of *pid*, stopped, so that none can reap another while they are counted.

    A signal does not stop what is in the midst of a fork, so it is looked again until two looks
    running find nobody new.
    """
    family: dict[int, None] = {pid: None}
    stopped: set[int] = set()
    quiet = 0
    while quiet < _QUIET_LOOKS:
        for one in family.keys() - stopped:
            _signal(one, signal.SIGSTOP)
            stopped.add(one)
        time.sleep(0)
        family |= dict.fromkeys(child for one in family for child in proc.children(one))
        quiet = 0 if family.keys() - stopped else quiet + 1
    return [one for one in family if one != pid]


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _signal_group(leader: int, number: int) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return
