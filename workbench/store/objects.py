"""Bytes kept under the fingerprint of what they say: notebooks, agents' files, large values."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from pathlib import Path

from workbench.errors import HomeUnreadable, NotFound, Unavailable
from workbench.store.disk import make_folder, write_whole
from workbench.store.recent import Recent

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_LATELY_BYTES = 256 * 1024
"""How large what was read lately may be to be remembered."""
_LATELY = 64


def fingerprint(data: bytes) -> str:
    """What *data* is kept under: its SHA-256, in hex."""
    return hashlib.sha256(data).hexdigest()


class Objects:
    """Everything that is kept by fingerprint; what is kept once never changes."""

    def __init__(self, folder: Path, *, threads: Executor) -> None:
        self._folder = folder
        self._threads = threads
        # What every run of an agent reads again: waking a thread takes longer than reading it.
        self._lately: Recent[str, bytes] = Recent(limit=_LATELY)
        self._referring = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._open = asyncio.Event()
        self._open.set()

    async def put(self, data: bytes) -> str:
        """The fingerprint *data* is kept under, once it is on disk.

        Raises:
            Unavailable: The disk is full or broken.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.keep, data)

    async def get(self, mark: str) -> bytes:
        """What is kept under the fingerprint *mark*.

        Raises:
            NotFound: Nothing is.
            HomeUnreadable: What lies there is not what was put there.
        """
        data = self._lately.get(mark)
        if data is None:
            epoch = self._lately.epoch
            loop = asyncio.get_running_loop()
            data = await loop.run_in_executor(self._threads, self.load, mark)
            if len(data) <= _LATELY_BYTES:
                self._lately.learn(mark, data, epoch=epoch)
        return data

    async def all(self) -> list[str]:
        """The fingerprints of all that is kept at the moment.

        Raises:
            Unavailable: The disk fails.
        """

        def walk() -> list[str]:
            if not self._folder.is_dir():
                return []
            parts = (part for part in self._folder.iterdir() if part.is_dir())
            found = (path.name for part in parts for path in part.iterdir())
            return [name for name in found if _FINGERPRINT.fullmatch(name)]

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, walk)
        except OSError as error:
            raise Unavailable(f"The disk fails: {error.strerror}.") from error

    def exists(self, mark: str) -> bool:
        """Whether something is kept under the fingerprint *mark*."""
        return _FINGERPRINT.fullmatch(mark) is not None and self.path(mark).is_file()

    def size(self, mark: str) -> int:
        """How many bytes are kept under the fingerprint *mark*; 0 if nothing is."""
        try:
            return self.path(mark).stat().st_size
        except OSError:
            return 0

    def path(self, mark: str) -> Path:
        """Where the object lies or would lie; only for reading.

        Raises:
            NotFound: *mark* is no fingerprint.
        """
        if not _FINGERPRINT.fullmatch(mark):
            raise NotFound("There is no such object.", fingerprint=mark[:80])
        return self._folder / mark[:2] / mark

    @asynccontextmanager
    async def referring(self) -> AsyncIterator[None]:
        """While inside, nothing is thrown away: what is put need not be spoken of by a row yet.

        Never to be entered by who is inside already: a sweep may begin in between.
        """
        while not self._open.is_set():
            await self._open.wait()
        self._referring += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._referring -= 1
            if not self._referring:
                self._quiet.set()

    async def throw_away(
        self, marks: Collection[str], *, spoken_of: Callable[[], Awaitable[Collection[str]]]
    ) -> int:
        """How many of *marks* are gone: all that are not among those *spoken_of*.

        *spoken_of* is asked when nobody is inside `referring`, and nobody enters until all is done.

        Raises:
            Unavailable: The disk fails.
        """
        # One sweep after the other.
        while not self._open.is_set():
            await self._open.wait()
        self._open.clear()
        try:
            await self._quiet.wait()
            gone = set(marks) - set(await spoken_of())
            for mark in gone:
                self._lately.drop(mark)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._remove, gone)
        finally:
            self._open.set()

    def _remove(self, marks: Collection[str]) -> int:
        try:
            for mark in marks:
                self.path(mark).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"The disk fails: {error.strerror}.") from error
        return len(marks)

    def keep(self, data: bytes) -> str:
        """As `put`, for threads."""
        mark = fingerprint(data)
        path = self.path(mark)
        if path.is_file():
            return mark
        try:
            make_folder(path.parent)
            write_whole(path, data, mode=0o400)
        except OSError as error:
            raise Unavailable(f"The disk does not take it: {error.strerror}.") from error
        return mark

    def load(self, mark: str) -> bytes:
        """As `get`, for threads."""
        try:
            data = self.path(mark).read_bytes()
        except FileNotFoundError:
            raise NotFound("There is no such object.", fingerprint=mark) from None
        if fingerprint(data) != mark:
            raise HomeUnreadable(f"Object {mark} is damaged.", fingerprint=mark)
        return data
