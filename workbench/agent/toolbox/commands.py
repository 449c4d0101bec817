"""A shell in the run's folder, behind the run's walls, where that is asked for and allowed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Any

from workbench.agent.speech import situation
from workbench.agent.tools import MOST_LETTERS, Tool, tool

ALLOWED = "WORKBENCH_RUN_SHELL"
"""What is set in the environment of a run whose models may have a shell."""
SECONDS = 120.0
_SECRETS = ("OPENAI_API_KEY", "WORKBENCH_RUN_TOKEN")


def shell(seconds: float = SECONDS) -> Sequence[Tool]:
    """A tool for commands of a shell, each of which may take *seconds*; a test run only says which.

    Raises:
        PermissionError: The agent does not ask for it, or the administrator does not allow it.
    """
    if situation().run_id and not os.environ.get(ALLOWED):
        raise PermissionError(
            "A model has no shell here: the agent must ask for it (metadata.workbench.shell = true)"
            " and the administrator allow it (the setting shell)."
        )

    def carry_out(command: str) -> dict[str, Any]:
        """Carry out a command of the shell in the working folder.

        Args:
            command: For /bin/sh.
        """
        return _carried_out(command, seconds)

    return [tool(carry_out, name="shell", effects="write")]


def _carried_out(command: str, seconds: float) -> dict[str, Any]:
    environment = {name: text for name, text in os.environ.items() if name not in _SECRETS}
    with TemporaryFile() as said:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=situation().folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"It took longer than {seconds:g} seconds.") from None
        finally:
            # Whatever it left in the background ends with it.
            _kill(process)
        size = said.tell()
        said.seek(max(0, size - MOST_LETTERS // 2))
        text = said.read().decode(errors="replace")
    return {"code": code, "output": text, "left_out": max(0, size - MOST_LETTERS // 2)}


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()
