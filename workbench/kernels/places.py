"""Where forked kernels live: what their templates see, and what each of them does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.domain.network import Network
from workbench.kernels import Wanted, shown
from workbench.kernels.confining import confinement_of, with_own_cache
from workbench.kernels.environment import House, apart, needful
from workbench.kernels.environments import CACHE, HOUSES, Interpreter, view
from workbench.kernels.inside.confinement import WORK, Confinement
from workbench.kernels.inside.orders import Recipe
from workbench.kernels.templates import Making
from workbench.kernels.walls import Wall

_MAIN = str(shown.INSIDE / "__main__.py")
_SCRATCH = "/tmp/.ipython"
_OWN = {"HOME": WORK, "TMPDIR": "/tmp", "IPYTHONDIR": _SCRATCH}
_WHILE_PREPARED = {"XDG_CACHE_HOME": CACHE, "MPLCONFIGDIR": f"{CACHE}/matplotlib"}
_AFTERWARDS = {"XDG_CACHE_HOME": "/tmp/.cache", "MPLCONFIGDIR": "/tmp/.matplotlib"}
_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one kernel lives.

    Attributes:
        house: Its folders, as the workbench sees them.
        folder: Its current folder, as it sees it itself.
        confinement: What it is held in.
        environment: What its environment has besides its template's.
    """

    house: House
    folder: str
    confinement: Confinement
    environment: Mapping[str, str]


class Places:
    """Places for kernels behind one wall."""

    def __init__(
        self, *, wall: Wall, work: Path, cache: Path, inherited: Mapping[str, str]
    ) -> None:
        """Folders are made below *work*; templates keep what they find out in *cache*."""
        self.wall = wall
        self._housing = apart(work=work, cache=cache, inherited=inherited)
        self._work = work
        self._cache = cache
        self._needful = needful(inherited)

    @property
    def walled(self) -> bool:
        """Whether each kernel has a system of its own."""
        return self.wall.level.has_namespaces

    def held(self, wanted: Wanted) -> Confinement:
        """What a kernel is held to, wherever it lives."""
        network = wanted.network == Network.OPEN
        return confinement_of(wanted.limits, level=self.wall.level, network=network)

    def making(self, interpreter: Interpreter, *, network: bool, preload: Sequence[str]) -> Making:
        """How templates of *interpreter* are made."""
        if self.walled:
            return self._walled(interpreter, network=network, preload=preload)
        environment = self._needful | {
            "PATH": os.path.dirname(interpreter.executable) + ":" + _PATH,
            "HOME": str(self._cache),
            "XDG_CACHE_HOME": str(self._cache),
            "MPLCONFIGDIR": str(self._cache / "matplotlib"),
        }
        scratch = str(self._cache / "ipython")
        return Making(
            interpreter=interpreter,
            launch=lambda fd: [interpreter.executable, _MAIN, str(fd), str(os.getpid())],
            environment=environment,
            recipe=Recipe(environment=environment, preload=preload, scratch=scratch),
        )

    def _walled(self, interpreter: Interpreter, *, network: bool, preload: Sequence[str]) -> Making:
        seen = view(interpreter)
        executable = seen.seen(interpreter.executable)
        environment = self._needful | _OWN | _WHILE_PREPARED
        environment["PATH"] = f"{os.path.dirname(executable)}:{_PATH}"
        if "VIRTUAL_ENV" in environment:
            environment["VIRTUAL_ENV"] = seen.seen(environment["VIRTUAL_ENV"])

        def launch(fd: int) -> list[str]:
            return self.wall.template(
                [executable, seen.seen(_MAIN), str(fd), "0"],
                show=seen.shown,
                lend={str(self._work): HOUSES, str(self._cache): CACHE},
                network=network,
            )

        recipe = Recipe(
            environment=environment,
            preload=preload,
            scratch=_SCRATCH,
            path=[seen.seen(folder) for folder in interpreter.sites],
        )
        return Making(
            interpreter=interpreter, launch=launch, environment=environment, recipe=recipe
        )

    def place(self, wanted: Wanted, interpreter: Interpreter) -> Place:
        """A new one.

        Raises:
            OSError: Its folders cannot be made.
        """
        house = self._housing()
        held = self.held(wanted)
        if self.walled:
            lent = f"{HOUSES}/{house.folder.relative_to(self._work)}"
            held = replace(held, folder=lent, hidden=(HOUSES, CACHE))
            own, folder = _AFTERWARDS, WORK
        else:
            held = replace(held, readable=self._readable(interpreter), writable=(str(house.root),))
            own = with_own_cache({name: house.environment[name] for name in _OWN})
            folder = str(house.folder)
        environment = {**own, **dict(wanted.environment)}
        return Place(house=house, folder=folder, confinement=held, environment=environment)

    def _readable(self, interpreter: Interpreter) -> tuple[str, ...]:
        environment = tuple(outside for outside, _ in view(interpreter).pairs)
        return (*shown.SYSTEM, *shown.LINKS, *shown.CONFIGURATION, *environment, str(self._cache))
