"""The Pythons that kernels can be forked from: where each lies, and how it looks behind a wall."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from workbench.errors import KernelLost

HOUSES, CACHE = "/houses", "/cache"
"""Where a template sees the folders of all runs, and the one it may write to beforehand."""

_TAKEN = ("/work", "/tmp", "/k", HOUSES, CACHE, "/dev", "/proc", "/run", "/opt")
"""Where a wall puts things of its own: what lies there outside has another place inside."""

_OLDEST = (3, 10)
_PROBE_SECONDS = 60.0
_PROBE = """
import json, os, site, sys
from importlib.util import find_spec
sites = [p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages")]
print(json.dumps({"executable": sys.executable, "prefixes": [sys.prefix, sys.base_prefix],
    "sites": sites, "version": sys.version_info[:2], "ipykernel": bool(find_spec("ipykernel"))}))
"""
_PYTHON = re.compile(r"python(3(\.\d+)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python that has ipykernel.

    Attributes:
        executable: What is started.
        prefixes: The folders it consists of.
        sites: The folders its packages lie in.
    """

    executable: str
    prefixes: Sequence[str]
    sites: Sequence[str]

    @property
    def packages(self) -> object:
        """Something else as soon as a package is installed, removed or replaced."""
        return tuple(_changed(folder) for folder in self.sites)


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


def own_interpreter() -> Interpreter:
    """The one that the workbench itself runs on."""
    sites = [p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages")]
    return Interpreter(
        executable=sys.executable, prefixes=(sys.prefix, sys.base_prefix), sites=tuple(sites)
    )


def interpreter(executable: str) -> Interpreter | None:
    """What *executable* is; None if it is no Python of ours, or has no ipykernel."""
    try:
        asked = subprocess.run(
            [executable, "-c", _PROBE],
            capture_output=True,
            timeout=_PROBE_SECONDS,
            cwd="/",
            check=True,
        )
        said = json.loads(asked.stdout)
        if not said["ipykernel"] or tuple(said["version"]) < _OLDEST:
            return None
        return Interpreter(
            executable=said["executable"], prefixes=said["prefixes"], sites=said["sites"]
        )
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None


def executable_of(kernel: str) -> str | None:
    """The Python that the kernelspec *kernel* starts ipykernel with; None if it is another's.

    Raises:
        KernelLost: There is no kernelspec of that name.
    """
    try:
        spec = KernelSpecManager().get_kernel_spec(kernel)
    except NoSuchKernel:
        raise KernelLost(f"There is no kernelspec named {kernel!r:.80}.", kernel=kernel) from None
    argv = spec.argv
    if argv[1:3] != ["-m", "ipykernel_launcher"] or argv[3:] != ["-f", "{connection_file}"]:
        return None
    # What a kernelspec sets may matter before the interpreter starts.
    if spec.env:
        return None
    return sys.executable if _PYTHON.fullmatch(argv[0]) else argv[0]


@dataclass(frozen=True, slots=True)
class View:
    """How folders of this machine look from behind a wall.

    Attributes:
        pairs: What is shown: where it lies, and where it is seen.
    """

    pairs: Sequence[tuple[str, str]]

    @property
    def shown(self) -> dict[str, str]:
        """The same as a wall wants it."""
        return dict(self.pairs)

    def seen(self, path: str) -> str:
        """Where *path* is seen, if it is."""
        for outside, inside in reversed(self.pairs):
            below = PurePosixPath(path)
            if below.is_relative_to(outside):
                return str(PurePosixPath(inside) / below.relative_to(outside))
        return path


_PACKAGE = str(Path(__file__).resolve().parents[1])


def view(interpreter: Interpreter) -> View:
    """What of this machine a kernel of *interpreter* has to see besides the system."""
    pairs: list[tuple[str, str]] = []

    def show(path: str) -> None:
        if any(PurePosixPath(path).is_relative_to(taken) for taken in _TAKEN):
            pairs.append((path, f"/opt/w{len(pairs)}"))
        elif (path, path) not in pairs:
            pairs.append((path, path))

    for folder in (*interpreter.prefixes[::-1], *interpreter.sites):
        if not any(PurePosixPath(folder).is_relative_to(shown) for shown, _ in pairs):
            show(folder)
            if (real := os.path.realpath(folder)) != folder:
                show(real)
    # The package alone: beside it may lie whatever its owner keeps there.
    pairs.append((_PACKAGE, f"/opt/w{len(pairs)}/workbench"))
    return View(pairs)
