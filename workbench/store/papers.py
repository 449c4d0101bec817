"""What a run leaves behind: a folder by the day it was accepted, its notebook, its files.

What a further attempt of the run leaves lies in a folder of that attempt's own below it, so that no
two attempts ever write to the same place.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from workbench.errors import NotFound, Unavailable
from workbench.store.disk import make_folder, whole_file

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """A file that a run left.

    Attributes:
        path: Relative, with forward slashes.
        size: In bytes.
    """

    path: str
    size: int


class Papers:
    """The folders of all runs."""

    def __init__(
        self, folder: Path, *, threads: Executor, at: Callable[[str], None] = lambda point: None
    ) -> None:
        """The folders below *folder*; *at* is told each point that a file passes."""
        self._folder = folder
        self._threads = threads
        self._at = at

    def folder(self, run_id: str) -> Path:
        """The run's folder, which need not be there yet.

        Raises:
            NotFound: *run_id* is no id of a run.
        """
        if not _RUN_ID.fullmatch(run_id):
            raise _unknown(run_id)
        # The first 48 bits of a UUIDv7 are the milliseconds since 1970.
        try:
            day = _EPOCH + timedelta(milliseconds=int(run_id[:12], 16))
        except OverflowError:
            raise _unknown(run_id) from None
        return self._folder / f"{day.year:04}/{day.month:02}/{day.day:02}/{run_id}"

    def events_path(self, run_id: str) -> Path:
        """Where the run's events are written down."""
        return self.folder(run_id) / "events.ndjson"

    def attempt_folder(self, run_id: str, attempt: int) -> Path:
        """What that attempt of the run leaves lies here; the first one's in the run's own folder.

        Raises:
            NotFound: *run_id* is no id of a run.
        """
        folder = self.folder(run_id)
        return folder if attempt <= 1 else folder / "attempts" / str(attempt)

    def notebook_path(self, run_id: str, *, attempt: int = 1) -> Path:
        """Where the notebook that *attempt* executed lies, once it does."""
        return self.attempt_folder(run_id, attempt) / "notebook.ipynb"

    def files_path(self, run_id: str, *, attempt: int = 1) -> Path:
        """The folder of the files that *attempt* left, which need not be there."""
        return self.attempt_folder(run_id, attempt) / "files"

    async def make_files_folder(self, run_id: str) -> Path:
        """`files_path`, once it is there.

        Raises:
            Unavailable: The disk does not take it.
        """
        path = self.files_path(run_id)
        await self._write(lambda: make_folder(path))
        return path

    async def write_notebook(self, run_id: str, data: bytes, *, attempt: int = 1) -> Path:
        """Where the executed notebook lies, once it lies there whole and for good.

        Raises:
            Unavailable: The disk does not take it.
        """
        path = self.notebook_path(run_id, attempt=attempt)

        def write() -> None:
            make_folder(path.parent)
            with whole_file(path) as file:
                file.write(data)
                self._at("notebook.written")

        await self._write(write)
        return path

    async def write_file(self, run_id: str, name: str, data: bytes, *, attempt: int = 1) -> None:
        """Put a file among those the run left, instead of one of that name.

        Raises:
            Unavailable: The disk does not take it.
        """
        path = self.files_path(run_id, attempt=attempt) / name

        def write() -> None:
            make_folder(path.parent)
            with whole_file(path) as file:
                file.write(data)

        await self._write(write)

    async def notebook(self, run_id: str, *, attempt: int = 1) -> bytes:
        """The executed notebook.

        Raises:
            NotFound: The attempt has left none, or not yet.
        """
        path = self.notebook_path(run_id, attempt=attempt)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, path.read_bytes)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"Run {run_id} has no notebook yet.", run_id=run_id) from None

    async def files(self, run_id: str, *, attempt: int = 1) -> list[RunFile]:
        """The files the attempt left, by path; links and the like are none."""
        path = self.files_path(run_id, attempt=attempt)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: sorted(_walk(path), key=_path))

    async def open_file(self, run_id: str, path: str, *, attempt: int = 1) -> BinaryIO:
        """The file the attempt left under the relative *path*, open for reading.

        Raises:
            NotFound: It left none there; a link, a folder or a device counts as none.
        """
        folder = self.files_path(run_id, attempt=attempt)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, _open_beneath, folder, path)
        except (OSError, ValueError):
            raise NotFound(f"Run {run_id} left no such file.", run_id=run_id) from None

    async def all(self) -> list[str]:
        """The ids of all runs that have a folder at the moment.

        Raises:
            Unavailable: The disk fails.
        """
        found: list[str] = []

        def walk() -> None:
            for path in self._folder.glob("????/??/??/*"):
                if _RUN_ID.fullmatch(path.name) and self.folder(path.name) == path:
                    found.append(path.name)

        await self._write(walk)
        return found

    async def throw_away(self, run_ids: Iterable[str]) -> None:
        """Have nothing left of those runs.

        Raises:
            Unavailable: The disk fails; some may be gone and some not.
        """

        def remove() -> None:
            for run_id in run_ids:
                folder = self.folder(run_id)
                if folder.is_dir():
                    _open_up(folder)
                    shutil.rmtree(folder)

        await self._write(remove)

    async def _write(self, work: Callable[[], None]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            raise Unavailable(f"The disk does not take it: {error.strerror}.") from error


def _unknown(run_id: str) -> NotFound:
    return NotFound(f"There is no run {run_id!r}.", run_id=run_id)


def _open_up(folder: Path) -> None:
    """Make sure that what is in *folder* can be removed: a run may have left it read-only."""
    for parent, folders, _ in os.walk(folder, followlinks=False):
        for name in folders:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o700)


def _path(file: RunFile) -> str:
    return file.path


def _walk(folder: Path) -> Iterator[RunFile]:
    for parent, _, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(parent, name)
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                yield RunFile(path=path.relative_to(folder).as_posix(), size=found.st_size)


def _open_beneath(folder: Path, path: str) -> BinaryIO:
    """Open *path* step by step, so that no link on the way can lead out of *folder*."""
    steps = PurePosixPath(path).parts
    if not steps or path.startswith("/") or ".." in steps:
        raise ValueError(path)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    parent = os.open(folder, flags | os.O_DIRECTORY)
    try:
        for step in steps[:-1]:
            inner = os.open(step, flags | os.O_DIRECTORY, dir_fd=parent)
            os.close(parent)
            parent = inner
        # Not blocking: a pipe left there would make the opening wait for ever.
        descriptor = os.open(steps[-1], flags | os.O_NONBLOCK, dir_fd=parent)
    finally:
        os.close(parent)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(path)
    return os.fdopen(descriptor, "rb")
