"""The servers that `workbench up` starts, each a process of its own that ends when we do."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.cli import leash
from workbench.errors import Unavailable

_LAST_LINES = 12
_SECRET = re.compile(r"(^|_)(KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIALS)$", re.IGNORECASE)
# Where somebody else's workbench is, and how a command is to speak, is not for the servers.
_OURS = frozenset({"WORKBENCH_URL", "WORKBENCH_JSON"})


def harmless_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """*environment* without what opens doors: a child's can be read for as long as it lives."""
    return {
        name: value
        for name, value in environment.items()
        if not _SECRET.search(name) and name not in _OURS
    }


def leashed(command: Sequence[str]) -> list[str]:
    """*command*, as one that dies with us however we die.

    It must be started from the main thread: Linux kills a process that asked to die with its
    parent when the thread that made it ends.
    """
    return [sys.executable, "-I", leash.__file__, str(os.getpid()), *command]


class Child:
    """One server.

    Attributes:
        name: What people call it.
        process: The process; the leader of a session of its own.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        given: str | None = None,
    ) -> None:
        """Start it, from the main thread; *given* is what it reads from its standard input."""
        self.name = name
        self._log = log
        with log.open("wb") as written:
            self.process = subprocess.Popen(
                leashed(command),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=written,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches us alone, and we end them in order.
                start_new_session=True,
            )
        if given is not None:
            assert self.process.stdin is not None
            self.process.stdin.write(given.encode())
            self.process.stdin.close()

    def lines(self) -> list[str]:
        """What it has said so far, in whole lines."""
        text = self._log.read_text(errors="replace")
        return text[: text.rfind("\n") + 1].splitlines()

    def check(self) -> None:
        """Make sure that it lives.

        Raises:
            Unavailable: It has ended; `details` hold the last it said.
        """
        if (code := self.process.poll()) is not None:
            last = self.lines()[-_LAST_LINES:]
            raise Unavailable(f"{self.name} has ended with code {code}.", code=code, last=last)

    def stop(self, seconds: float) -> None:
        """Ask it to end, and make it end if it has not after *seconds*."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it, and what it started in its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
