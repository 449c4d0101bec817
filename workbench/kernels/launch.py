"""The first thing that runs in a kernel's process: it ties the kernel's life to the workbench's.

    python launch.py PARENT_PID own ARGUMENTS…        the workbench's own kernel, in this process
    python launch.py PARENT_PID exec PROGRAM …        any other

A kernel polls for the death of its parent by itself, but a thread of its own does that, and a cell
that holds the interpreter's lock in a long C call keeps it from ever looking. Linux can be asked
to kill it instead. It is run by its path and imports nothing of the workbench but `agent`.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _tie_to(parent: int) -> None:
    if sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # Daemons that its cells leave behind stay its descendants, so that they can be found.
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != parent:  # it died before it could be asked
        os._exit(1)


def _own_kernel(arguments: list[str]) -> None:
    here = str(Path(__file__).parent)
    # Not by -P, with which IPython would keep the working folder off the path as well.
    sys.path[:] = [path for path in sys.path if path != here]
    _find_the_package()
    from ipykernel import kernelapp

    # What every run needs is imported while nobody waits. By name: this is the kernel's side.
    importlib.import_module("workbench.agent")

    sys.argv = ["ipykernel_launcher", *arguments]
    kernelapp.launch_new_instance()


def _find_the_package() -> None:
    package = Path(__file__).resolve().parents[1]
    # By its place: behind a wall the folder around it may not be there to be looked through.
    spec = importlib.util.spec_from_file_location(
        "workbench", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["workbench"] = module
    spec.loader.exec_module(module)


def main() -> None:
    """Become the kernel."""
    parent, how, *rest = sys.argv[1:]
    _tie_to(int(parent))
    if how == "exec":
        os.execvp(rest[0], rest)
    _own_kernel(rest)


if __name__ == "__main__":
    main()
