"""Removing what strangers have built, however deep they nested it and whatever they locked.

Python's own way calls itself, and holds a folder open, once for every level. Here every folder is
moved up to the top before it is emptied, so that nothing is ever more than two levels deep.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(folder: Path) -> None:
    """Remove *folder* and all that is in it; what cannot be removed stays."""
    with suppress(OSError), _entered(str(folder)) as top:
        mark = secrets.token_hex(8)
        waiting, moved = _emptied(top), 0
        while waiting:
            name = waiting.pop()
            with suppress(OSError):
                with _entered(name, top) as inner:
                    for deeper in _emptied(inner):
                        with suppress(OSError):
                            _unlock(deeper, inner)
                            os.rename(deeper, f"{mark}-{moved}", src_dir_fd=inner, dst_dir_fd=top)
                            waiting.append(f"{mark}-{moved}")
                            moved += 1
                os.rmdir(name, dir_fd=top)
        os.rmdir(folder)


@contextmanager
def _entered(name: str, parent: int | None = None) -> Iterator[int]:
    _unlock(name, parent)
    opened = os.open(name, _FOLDER, dir_fd=parent)
    try:
        yield opened
    finally:
        os.close(opened)


def _unlock(name: str, parent: int | None) -> None:
    # Whoever built it may have locked themselves out, and so us.
    with suppress(OSError):
        if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.chmod(name, 0o700, dir_fd=parent)


def _emptied(folder: int) -> list[str]:
    """The folders in *folder*; nothing else is in it any more."""
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                with suppress(OSError):
                    os.unlink(entry.name, dir_fd=folder)
    return folders
