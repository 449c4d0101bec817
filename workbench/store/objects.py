"""Bytes kept under the fingerprint of what they say: notebooks, agents' files, large values."""

from __future__ import annotations

import asyncio
import hashlib
import re
from concurrent.futures import Executor
from pathlib import Path

from workbench.errors import HomeUnreadable, NotFound, Unavailable
from workbench.store.disk import make_folder, write_whole

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def fingerprint(data: bytes) -> str:
    """What *data* is kept under: its SHA-256, in hex."""
    return hashlib.sha256(data).hexdigest()


class Objects:
    """Everything that is kept by fingerprint; what is kept once never changes."""

    def __init__(self, folder: Path, *, threads: Executor) -> None:
        self._folder = folder
        self._threads = threads

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
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.load, mark)

    def exists(self, mark: str) -> bool:
        """Whether something is kept under the fingerprint *mark*."""
        return _FINGERPRINT.fullmatch(mark) is not None and self.path(mark).is_file()

    def path(self, mark: str) -> Path:
        """Where the object lies or would lie; only for reading.

        Raises:
            NotFound: *mark* is no fingerprint.
        """
        if not _FINGERPRINT.fullmatch(mark):
            raise NotFound("There is no such object.", fingerprint=mark[:80])
        return self._folder / mark[:2] / mark

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
