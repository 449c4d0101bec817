"""Ordinary kernels: any installed kernelspec, as a child process, talked to over files' sockets.

They are as safe as the account they run under: their environment and folders are their own, but
nothing keeps agents' code from the rest of the disk or from the network. Their isolation is `none`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import string
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from workbench.errors import KernelLost
from workbench.kernels import Usage, Wanted
from workbench.kernels.connection import (
    LONGEST_SOCKET_PATH,
    Connection,
    connection_file,
    make_context,
)
from workbench.kernels.environment import House, Housing
from workbench.kernels.hello import hello
from workbench.kernels.processes import Process

_log = logging.getLogger(__name__)

OWN = frozenset({"", "python3"})
"""The names that mean the workbench's own kernel; every notebook made in Jupyter says `python3`."""

FRAME_BYTES = 32 * 1024 * 1024
"""The largest part of a message that is taken in at all."""

_SOCKETS = "wb-"
# What a socket's path has below the root: `/wb-4194304-abcdefgh/tmpabcdefgh/k-1`.
_BELOW_ROOT = 36
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


class OrdinaryKernel:
    """A kernel that is a child process of ours."""

    fleeting: bool
    own: bool

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

    isolation = "none"
    ready = 0

    def __init__(
        self, *, housing: Housing, own: Collection[str] = OWN, frame_bytes: int = FRAME_BYTES
    ) -> None:
        """Kernels put up by *housing*; the names in *own* mean the workbench's own kernel."""
        self._housing = housing
        self._own = own
        self._context = make_context(frame_bytes=frame_bytes)
        # Not among the working folders: their paths may be too long for a socket.
        root = _root_of_sockets(tempfile.gettempdir())
        _sweep_sockets(root)
        self._sockets = Path(tempfile.mkdtemp(prefix=f"{_SOCKETS}{os.getpid()}-", dir=root))

    def kind(self, wanted: Wanted) -> str:
        """The kernelspec: nothing else makes a difference to an ordinary kernel."""
        return "" if wanted.kernel in self._own else wanted.kernel

    async def start(self, wanted: Wanted, *, seconds: float) -> OrdinaryKernel:
        """A kernel that nobody has used, ready for its first cell.

        Raises:
            KernelLost: There is no kernelspec of that name, or it was not ready in time.
        """
        kernel = self._launch(wanted.kernel)
        try:
            code = "pass" if kernel.own else ""
            await hello(kernel.connection, dead=kernel.dead, seconds=seconds, code=code)
        except BaseException:
            await asyncio.shield(_discard(kernel))
            raise
        return kernel

    def _launch(self, name: str) -> OrdinaryKernel:
        try:
            house = self._housing()
            sockets = Path(tempfile.mkdtemp(dir=self._sockets))
        except OSError as error:
            raise KernelLost(f"No folder could be made for a kernel: {error}.") from error
        try:
            file = connection_file(sockets, kernel_name=name)
            recipe = _own(file) if name in self._own else _installed(name, file)
            environment = {
                **house.environment,
                **_filled(recipe.environment, house.environment),
            }
            process = Process(recipe.argv, folder=house.folder, environment=environment)
        except (OSError, KernelLost) as error:
            house.clear()
            shutil.rmtree(sockets, ignore_errors=True)
            if isinstance(error, KernelLost):
                raise
            raise KernelLost(f"No kernel could be started: {error}.") from error
        connection = Connection(file, context=self._context)
        return OrdinaryKernel(
            process=process, connection=connection, house=house, sockets=sockets, recipe=recipe
        )

    async def close(self) -> None:
        """Let go of everything it holds; kernels that are out must have been ended."""
        self._context.destroy(linger=0)
        shutil.rmtree(self._sockets, ignore_errors=True)


def _root_of_sockets(temporary: str) -> Path:
    """The folder for temporary files, or one that every Unix has if that is too deep for sockets."""
    deep = len(os.fsencode(temporary)) + _BELOW_ROOT > LONGEST_SOCKET_PATH
    return Path("/tmp" if deep else temporary)


def _sweep_sockets(root: Path) -> None:
    """Remove the socket folders of workbenches of ours that were killed."""
    for folder in root.glob(f"{_SOCKETS}*-*"):
        pid = folder.name.removeprefix(_SOCKETS).partition("-")[0]
        try:
            if pid.isdecimal() and folder.lstat().st_uid == os.getuid():
                os.kill(int(pid), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # another has just removed it
            continue


async def _discard(kernel: OrdinaryKernel) -> None:
    await kernel.end()
    kernel.clear()


def _own(file: Path) -> _Recipe:
    arguments = (
        "-f",
        str(file),
        # Nobody will ever ask for the history of a kernel that runs one notebook.
        "--HistoryManager.enabled=False",
        # Half a millisecond of sleep a cell, for clients that take the answer for the end.
        "--Kernel._execute_sleep=0.0",
    )
    return _Recipe(name="", own=True, argv=(*_launched("own", sys.executable), *arguments))


def _installed(name: str, file: Path) -> _Recipe:
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
        argv=(*_launched("exec", sys.executable, "-I", "-S"), *argv),
        environment=spec.env,
        by_message=spec.interrupt_mode == "message",
    )


def _launched(how: str, *python: str) -> tuple[str, ...]:
    return (*python, _LAUNCH, str(os.getpid()), how)


def _substituted(word: str, said: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: said.get(m[1], m[0]), word)


def _filled(environment: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    return {k: string.Template(v).safe_substitute(known) for k, v in environment.items()}
