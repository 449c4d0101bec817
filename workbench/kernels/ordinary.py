"""Ordinary kernels: any installed kernelspec, as a child process, talked to over files' sockets.

Each stands behind a wall of its own. Without one a kernel is as safe as the account it runs
under: nothing keeps agents' code from the rest of the disk or from the network then.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import string
import sys
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from workbench.domain.isolation import Isolation
from workbench.domain.network import Network
from workbench.errors import KernelLost
from workbench.kernels import Usage, Wanted
from workbench.kernels.confining import confinement_of, seen_inside, with_own_cache
from workbench.kernels.connection import (
    INSIDE_FILE,
    Connection,
    connection_file,
    make_context,
)
from workbench.kernels.environment import House, Housing
from workbench.kernels.hello import hello
from workbench.kernels.inside.confinement import SOCKETS, Confinement
from workbench.kernels.processes import Process
from workbench.kernels.shown import program
from workbench.kernels.sockets import SocketFolders
from workbench.kernels.walls import Wall

_log = logging.getLogger(__name__)

OWN = frozenset({"", "python3"})
"""The names that mean the workbench's own kernel; every notebook made in Jupyter says `python3`."""

FRAME_BYTES = 32 * 1024 * 1024
"""The largest part of a message that is taken in at all."""

_BELOW_BUBBLEWRAP = 2
"""Bubblewrap is the parent of the first process of the new system, and that of the kernel."""

_LAUNCH = str(Path(__file__).with_name("launch.py"))
_PYTHON_NAMES = re.compile(r"python(3(\.\d+)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """How to start a kernel."""

    name: str
    own: bool = False
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    by_message: bool = False
    needs: Sequence[str] = ()


class OrdinaryKernel:
    """A kernel that is a child process of ours."""

    fleeting: bool
    own: bool
    overran = False  # nobody counts for it as a whole
    stale = False  # whatever is installed, it will be imported when it is asked for

    def __init__(
        self,
        *,
        process: Process,
        connection: Connection,
        house: House,
        sockets: Path,
        recipe: _Recipe,
    ) -> None:
        self.connection = connection
        self.folder = house.folder
        self.root = process.pid
        self.room: Sequence[Path] = () if house.root is None else (house.root,)
        self.fleeting = house.root is not None
        self.own = recipe.own
        self.dead = process.dead
        self._process = process
        self._house = house
        self._sockets = sockets
        self._by_message = recipe.by_message

    def take(self) -> None:
        """Mark the moment from which its use is counted."""
        self._process.take()

    async def interrupt(self) -> None:
        """Ask what it is executing to stop; it may not heed."""
        if self._by_message:
            await self.connection.interrupt()
        else:
            self._process.interrupt()

    def kill(self) -> None:
        """End it and its children at once."""
        self._process.kill()

    async def end(self) -> Usage:
        """What it took, once it has been killed and reaped; its folders stay."""
        usage = self._process.usage()
        self.connection.close()
        try:
            await self._process.end()
        except TimeoutError:
            _log.warning("Process %d does not end, although it was killed.", self.root)
        finally:
            shutil.rmtree(self._sockets, ignore_errors=True)
        return usage

    def clear(self) -> None:
        """Remove every folder that was made for it; may take long, never fails."""
        self._house.clear()


class OrdinaryKernels:
    """Starts ordinary kernels."""

    ready = 0

    def __init__(
        self,
        *,
        housing: Housing,
        wall: Wall | None = None,
        own: Collection[str] = OWN,
        frame_bytes: int = FRAME_BYTES,
    ) -> None:
        """Kernels put up by *housing*, each behind a *wall*, if any.

        The names in *own* mean the workbench's own kernel.
        """
        self.isolation = str(wall.level if wall else Isolation.NONE)
        self._housing = housing
        self._wall = wall
        self._own = own
        self._context = make_context(frame_bytes=frame_bytes)
        self._sockets = SocketFolders()

    def kind(self, wanted: Wanted) -> Hashable:
        """The kernelspec, and what its wall holds it to."""
        own = wanted.kernel in self._own
        return "" if own else wanted.kernel, self._wall and self._held(wanted, own=own)

    async def start(self, wanted: Wanted, *, seconds: float) -> OrdinaryKernel:
        """A kernel that nobody has used, ready for its first cell.

        Raises:
            KernelLost: There is no kernelspec of that name, or it was not ready in time.
        """
        if any(relay.needed for relay in wanted.relays):
            raise KernelLost(
                "Only the workbench's own Python kernel can be kept to some hosts;"
                " ask for network none or open."
            )
        kernel = self._launch(wanted)
        try:
            code = "pass" if kernel.own else ""
            await hello(kernel.connection, dead=kernel.dead, seconds=seconds, code=code)
        except BaseException:
            await asyncio.shield(_discard(kernel))
            raise
        return kernel

    def _launch(self, wanted: Wanted) -> OrdinaryKernel:
        try:
            house = self._housing()
            sockets = self._sockets.new()
        except OSError as error:
            raise KernelLost(f"No folder could be made for a kernel: {error}.") from error
        try:
            file = connection_file(sockets, kernel_name=wanted.kernel, inside=self._inside)
            recipe = self._recipe(wanted.kernel, file)
            process = self._process(wanted, recipe, house, sockets)
        except (OSError, KernelLost) as error:
            house.clear()
            shutil.rmtree(sockets, ignore_errors=True)
            if isinstance(error, KernelLost):
                raise
            raise KernelLost(f"No kernel could be started: {error}.") from error
        connection = Connection.of(file, context=self._context)
        return OrdinaryKernel(
            process=process, connection=connection, house=house, sockets=sockets, recipe=recipe
        )

    @property
    def _inside(self) -> str:
        """Where a kernel finds its sockets, if not where we do."""
        return SOCKETS if self._wall and self._wall.level.has_namespaces else ""

    def _recipe(self, name: str, file: Path) -> _Recipe:
        seen = Path(self._inside) / INSIDE_FILE if self._inside else file
        # The first process of its own system is its parent there.
        parent = 1 if self._inside else os.getpid()
        return _own(seen, parent) if name in self._own else _installed(name, seen, parent)

    def _process(self, wanted: Wanted, recipe: _Recipe, house: House, sockets: Path) -> Process:
        filled = _filled(recipe.environment, house.environment)
        environment = {**house.environment, **filled}
        argv, deep = recipe.argv, 0
        if self._wall is not None:
            work = self._wall.work(recipe.needs)
            lend = {str(house.root or house.folder): "", str(sockets): ""}
            if self._inside:
                environment = seen_inside(environment, work=work)
                lend = {str(house.folder): work, str(sockets): self._inside}
                deep = _BELOW_BUBBLEWRAP
            elif self._wall.level is not Isolation.NONE:
                environment = with_own_cache(environment)
            held = self._held(wanted, own=recipe.own)
            argv = self._wall.kernel(argv, confinement=held, show=recipe.needs, lend=lend)
        return Process(argv, folder=house.folder, environment=environment, deep=deep)

    def _held(self, wanted: Wanted, *, own: bool) -> Confinement:
        assert self._wall is not None
        network = wanted.network == Network.OPEN
        return confinement_of(wanted.limits, level=self._wall.level, network=network, own=own)

    async def close(self) -> None:
        """Let go of everything it holds; kernels that are out must have been ended."""
        self._context.destroy(linger=0)
        self._sockets.close()


async def _discard(kernel: OrdinaryKernel) -> None:
    await kernel.end()
    kernel.clear()


def _own(file: Path, parent: int) -> _Recipe:
    arguments = (
        "-f",
        str(file),
        # Nobody will ever ask for the history of a kernel that runs one notebook.
        "--HistoryManager.enabled=False",
        # Half a millisecond of sleep a cell, for clients that take the answer for the end.
        "--Kernel._execute_sleep=0.0",
    )
    return _Recipe(name="", own=True, argv=(*_launched("own", parent, sys.executable), *arguments))


def _installed(name: str, file: Path, parent: int) -> _Recipe:
    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        raise KernelLost(f"There is no kernelspec named {name!r:.80}.", kernel=name) from None
    said = {
        "connection_file": str(file),
        "prefix": sys.prefix,
        "resource_dir": str(spec.resource_dir),
    }
    argv = [_substituted(word, said) for word in spec.argv]
    if _PYTHON_NAMES.fullmatch(argv[0]):
        argv[0] = sys.executable
    return _Recipe(
        name=name,
        argv=(*_launched("exec", parent, sys.executable, "-I", "-S"), *argv),
        environment=spec.env,
        by_message=spec.interrupt_mode == "message",
        needs=(
            str(spec.resource_dir),
            *(program(found) if (found := shutil.which(argv[0])) else ()),
        ),
    )


def _launched(how: str, parent: int, *python: str) -> tuple[str, ...]:
    return (*python, _LAUNCH, str(parent), how)


def _substituted(word: str, said: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: said.get(m[1], m[0]), word)


def _filled(environment: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    return {k: string.Template(v).safe_substitute(known) for k, v in environment.items()}
