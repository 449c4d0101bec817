"""The files of a run: what lies in its working folder when it begins, and what it leaves there.

What is left was made by a stranger: names may be links that lead anywhere, folders may nest without
end, files may claim a size no disk has. So nothing is opened by its path, only by its name in a
folder that is held open, and no link is ever followed.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workbench.domain.limits import Limits
from workbench.domain.runs import Reason
from workbench.kernels.faults import Fault

_MAX_DEPTH = 32
_MAX_ENTRIES_PER_FILE = 10
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Placed = Mapping[str, tuple[int, ...]]
"""What was placed: relative name to how to know it again."""


def place(files: Mapping[str, Path], folder: Path) -> Placed:
    """Copies of *files* in *folder*, read-only; they are known again by what is returned.

    Raises:
        ValueError: A name leads out of the folder.
        OSError: A file cannot be read or written.
    """
    placed: dict[str, tuple[int, ...]] = {}
    for name, source in files.items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ValueError(f"{name!r:.80} leads out of the working folder.")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o444)
        placed[name] = _identity(target.stat())
    return placed


def harvest(folder: Path, leave: Path, *, placed: Placed, limits: Limits) -> list[str]:
    """The names of the files that were moved from *folder* to *leave*, in order.

    Regular files only; not those that were placed and are as they were, nor anything under a name
    at the top that begins with a dot: the home is there, and programs keep their own things in it,
    as Python does in `__pycache__`.

    Raises:
        Fault: There are more than the limits allow, or they nest too deeply.
    """
    harvested: list[str] = []
    weight = 0
    try:
        root = os.open(folder, _FOLDER)
    except OSError:  # the notebook has removed it
        return harvested
    try:
        for name, parent, entry, found in _walk(root, "", limits.files):
            if placed.get(name) == _identity(found):
                continue
            weight += found.st_size
            if len(harvested) == limits.files or weight > limits.folder_bytes:
                raise _too_much(limits)
            known = name.encode(errors="replace").decode()
            _move(parent, entry, leave / known, found)
            harvested.append(known)
    finally:
        os.close(root)
    return sorted(harvested)


@dataclass(slots=True)
class _Count:
    left: int


def _walk(folder: int, prefix: str, files: int) -> Iterator[tuple[str, int, str, os.stat_result]]:
    """Every regular file below *folder*: its relative name, its folder, its name there, its stat."""
    count = _Count(_MAX_ENTRIES_PER_FILE * files + 1000)
    yield from _below(folder, prefix, 0, count)


def _below(
    folder: int, prefix: str, depth: int, count: _Count
) -> Iterator[tuple[str, int, str, os.stat_result]]:
    if depth > _MAX_DEPTH:
        raise Fault(Reason.DISK_LIMIT, f"The run left folders nested over {_MAX_DEPTH} deep.")
    with os.scandir(folder) as entries:
        for entry in entries:
            count.left -= 1
            if count.left < 0:
                raise Fault(Reason.DISK_LIMIT, "The run left too many files and folders.")
            if entry.name == "__pycache__" or (depth == 0 and entry.name.startswith(".")):
                continue
            try:
                found = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    yield prefix + entry.name, folder, entry.name, found
                elif stat.S_ISDIR(found.st_mode):
                    inner = os.open(entry.name, _FOLDER, dir_fd=folder)
                    try:
                        yield from _below(inner, f"{prefix}{entry.name}/", depth + 1, count)
                    finally:
                        os.close(inner)
            except OSError:  # locked, or gone while we looked: there is nothing to keep
                continue


def _move(parent: int, entry: str, target: Path, found: os.stat_result) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if found.st_nlink == 1:
        os.rename(entry, target, src_dir_fd=parent)
        target.chmod(0o600)
        return
    # Its other names lead to the same bytes from wherever they are.
    opened = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    with open(opened, "rb") as source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _too_much(limits: Limits) -> Fault:
    return Fault(
        Reason.DISK_LIMIT,
        f"The run left more than {limits.files:,} files or {limits.folder_bytes:,} bytes.",
    )
