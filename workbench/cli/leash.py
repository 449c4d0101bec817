"""The first thing that runs in a child of `workbench up`: it ties the child's life to ours.

    python leash.py PARENT_PID PROGRAM ARGUMENTS…

Killed outright, a parent can stop nobody; Linux can. It is run by its path and imports nothing.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the program."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(parent):  # it died before it could be asked
            os._exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
