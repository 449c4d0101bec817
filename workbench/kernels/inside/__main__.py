"""The first thing that runs in a template's process.

    python …/inside/__main__.py CONTROL_FD PARENT_PID

It is run by its path, by whatever Python there is, and makes the modules beside it known under
their own names without importing what the workbench's process needs of the packages above them.
"""

from __future__ import annotations

import importlib
import socket
import sys
from pathlib import Path
from types import ModuleType


def main() -> None:
    """Become a template."""
    control, parent = map(int, sys.argv[1:])
    here = Path(__file__).resolve().parent
    sys.path[:] = [path for path in sys.path if path != str(here)]
    root = str(here.parents[2])
    if root not in sys.path:
        sys.path.append(root)
    above = ModuleType("workbench.kernels")
    above.__path__ = [str(here.parent)]
    sys.modules["workbench.kernels"] = above
    sys.argv = ["ipykernel_launcher"]
    template = importlib.import_module("workbench.kernels.inside.template")
    template.serve(socket.socket(fileno=control), parent)


if __name__ == "__main__":
    main()
