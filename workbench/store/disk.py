"""Writing files so that after a crash they are whole or not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp-"
"""What the names of unfinished files begin with; they are swept when a home is claimed."""


def make_folder(path: Path) -> None:
    """Make *path* and what is missing above it, open to its owner only, whatever the umask."""
    missing = [path, *path.parents]
    missing = missing[: next(i for i, folder in enumerate(missing) if folder.is_dir())]
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        folder.chmod(0o700)
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Make sure that the names in the folder *path* outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file to write to, which is at *path* whole and for good once the block is left.

    Raises:
        OSError: The disk is full or broken; nothing is at *path* that was not there before.
    """
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_whole(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put a file with *data* at *path*, replacing the one before, whole and for good.

    Raises:
        OSError: The disk is full or broken; nothing is at *path* that was not there before.
    """
    with whole_file(path, mode=mode) as file:
        file.write(data)
