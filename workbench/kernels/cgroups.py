"""Control groups: memory, processes and processor time of a run as one, exactly.

What the kernel counts per process can be spread over many; a group counts them together, also
those that detached themselves. Groups are made below the one that this process is in, so they
need root, or a group that was handed over (`Delegate=yes` of systemd).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.kernels import Usage

MOUNT = Path("/sys/fs/cgroup")
_NEEDED = ("memory", "pids")
_PATIENCE_SECONDS = 1.0
_CURE = (
    "Start the workbench in a group of its own: systemd-run --user --scope -p Delegate=yes"
    " workbench serve, or as a systemd service with Delegate=yes."
)


class NoCgroups(Exception):
    """No groups can be made here; `cure` says what would change that."""

    cure = _CURE


@dataclass(frozen=True, slots=True)
class Cgroup:
    """The group of one run.

    Attributes:
        folders: Its folder; with version 1, one per controller.
    """

    folders: Mapping[str, Path]
    version: int

    def admit(self, pids: Iterable[int]) -> None:
        """Take processes in; what they start from now on is in, too.

        Raises:
            OSError: The system does not let them.
        """
        for pid in pids:
            for folder in set(self.folders.values()):
                with contextlib.suppress(ProcessLookupError):
                    (folder / "cgroup.procs").write_text(str(pid))

    @property
    def overran(self) -> bool:
        """Whether the kernel ended one of its processes because memory had run out."""
        name = "memory.events" if self.version == _UNIFIED else "memory.oom_control"
        return _numbers(self.folders["memory"] / name).get("oom_kill", 0) > 0

    def usage(self) -> Usage:
        """What all its processes took since they were admitted."""
        if self.version == _UNIFIED:
            cpu_ms = _numbers(self.folders["cpuacct"] / "cpu.stat").get("usage_usec", 0) // 1000
            peak = _number(self.folders["memory"] / "memory.peak")
        else:
            cpu_ms = _number(self.folders["cpuacct"] / "cpuacct.usage") // 1_000_000
            peak = _number(self.folders["memory"] / "memory.max_usage_in_bytes")
        return Usage(cpu_ms=cpu_ms, peak_memory_bytes=peak)

    def remove(self) -> None:
        """Let go of the group, once its processes have been ended; never fails."""
        until = time.monotonic() + _PATIENCE_SECONDS
        for folder in set(self.folders.values()):
            while not _removed(folder) and time.monotonic() < until:
                time.sleep(0.005)


_UNIFIED = 2


class Cgroups:
    """Makes groups for runs.

    Attributes:
        version: Of the interface: 1 or 2.
    """

    def __init__(self, folders: Mapping[str, Path], *, version: int) -> None:
        """Groups are made in *folders*, one for each controller."""
        self.version = version
        self._folders = folders

    @classmethod
    def open(cls, mount: Path = MOUNT, proc: Path = Path("/proc/self/cgroup")) -> Cgroups:
        """What makes groups below our own; one has been made and removed already.

        Raises:
            NoCgroups: None can be made.
        """
        try:
            groups = _own_groups(proc.read_text())
            cgroups = cls._separate(mount, groups) or cls._unified(mount, groups)
            cgroups.make(memory_bytes=1 << 30, processes=64).remove()
        except (OSError, KeyError) as error:
            raise NoCgroups(f"no control group can be made here: {error}") from error
        return cgroups

    @classmethod
    def _separate(cls, mount: Path, groups: Mapping[str, str]) -> Cgroups | None:
        if not all(name in groups and (mount / name).is_dir() for name in _NEEDED):
            return None
        names = (*_NEEDED, "cpuacct")
        folders = {name: _below(mount / name, groups[name]) / _OURS for name in names}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
            _sweep(folder)
        return cls(folders, version=1)

    @classmethod
    def _unified(cls, mount: Path, groups: Mapping[str, str]) -> Cgroups:
        own = _below(mount, groups[""])
        if own.name == _LEAF:
            own = own.parent
        missing = set(_NEEDED) - set((own / "cgroup.controllers").read_text().split())
        if missing:
            raise OSError(f"the group {own.name!r} has no controller {', '.join(sorted(missing))}")
        # A group with processes in it hands no controllers on, so ours moves one step down.
        (own / _LEAF).mkdir(exist_ok=True)
        (own / _LEAF / "cgroup.procs").write_text(str(os.getpid()))
        _sweep(own)
        try:
            (own / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in _NEEDED))
        except OSError:  # others are in it too
            (own / "cgroup.procs").write_text(str(os.getpid()))
            _removed(own / _LEAF)
            raise
        return cls(dict.fromkeys((*_NEEDED, "cpuacct"), own), version=_UNIFIED)

    def make(self, *, memory_bytes: int, processes: int) -> Cgroup:
        """A new group, that may have so much memory, without swap, and so many tasks.

        Raises:
            OSError: The system does not let us.
        """
        name = f"workbench-{os.getpid()}-{secrets.token_hex(4)}"
        group = Cgroup(
            {kind: folder / name for kind, folder in self._folders.items()}, self.version
        )
        for folder in set(group.folders.values()):
            folder.mkdir(parents=True)
        try:
            for path, value in self._bounds(group.folders, memory_bytes, processes):
                if path.exists():
                    path.write_text(str(value))
        except OSError:
            group.remove()
            raise
        return group

    def _bounds(
        self, folders: Mapping[str, Path], memory_bytes: int, processes: int
    ) -> Sequence[tuple[Path, int]]:
        memory = folders["memory"]
        pids = (folders["pids"] / "pids.max", processes)
        if self.version == _UNIFIED:
            once = (memory / "memory.oom.group", 1)
            swap = (memory / "memory.swap.max", 0)
            return [(memory / "memory.max", memory_bytes), swap, once, pids]
        both = (memory / "memory.memsw.limit_in_bytes", memory_bytes)
        return [(memory / "memory.limit_in_bytes", memory_bytes), both, pids]

    def close(self) -> None:
        """Remove the folder that groups were made in, if none is left in it."""
        if self.version != _UNIFIED:
            for folder in set(self._folders.values()):
                _removed(folder)


_OURS = "workbench"
_LEAF = "workbench-itself"


def _sweep(folder: Path) -> None:
    """Remove the groups of workbenches of ours that were killed; none with a process in it goes."""
    for group in folder.glob(f"{_OURS}-*"):
        if not os.path.exists(f"/proc/{group.name.split('-')[1]}"):
            _removed(group)


def _own_groups(text: str) -> dict[str, str]:
    """The group of this process by controller; with version 2 that has no name."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        _, names, path = line.split(":", 2)
        found |= dict.fromkeys(names.split(","), path)
    return found


def _below(mount: Path, group: str) -> Path:
    # In a namespace of cgroups the group is the root, whatever it is outside.
    own = mount / group.lstrip("/")
    return own if own.is_dir() else mount


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _numbers(path: Path) -> dict[str, int]:
    try:
        pairs = (line.split(maxsplit=1) for line in path.read_text().splitlines())
        return {name: int(value) for name, value in pairs}
    except (OSError, ValueError):
        return {}
