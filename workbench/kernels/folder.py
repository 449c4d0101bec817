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
    left_bytes = 0
    try:
        root = os.open(folder, _FOLDER)
    except OSError:  # the notebook has removed it
        return harvested
    try:
        for name, parent, entry, found in _walk(root, limits.files, hidden=False):
            if not stat.S_ISREG(found.st_mode) or placed.get(name) == _identity(found):
                continue
            left_bytes += found.st_size
            if len(harvested) == limits.files or left_bytes > limits.folder_bytes:
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


def weight(folder: Path, limits: Limits) -> int:
    """What is in *folder* takes up so many bytes of the disk; nothing if it cannot be opened.

    Raises:
        Fault: There are more files and folders than the limits allow, or they nest too deeply.
    """
    try:
        root = os.open(folder, _FOLDER)
    except OSError:  # the notebook has removed it
        return 0
    try:
        seen: dict[int, int] = {}
        for _, _, _, found in _walk(root, limits.files, hidden=True):
            # A sparse file claims more than it takes, a small one takes more than it is.
            seen[found.st_ino] = min(found.st_size, found.st_blocks * 512)
        return sum(seen.values())
    finally:
        os.close(root)


def _walk(
    folder: int, files: int, *, hidden: bool
) -> Iterator[tuple[str, int, str, os.stat_result]]:
    """Every entry below *folder*: its relative name, its folder, its name there, its stat.

    What programs keep for themselves is left out, unless it is *hidden* things that are looked for.
    """
    count = _Count(_MAX_ENTRIES_PER_FILE * files + 1000)
    yield from _below(folder, "", 0, count, hidden=hidden)


def _below(
    folder: int, prefix: str, depth: int, count: _Count, *, hidden: bool
) -> Iterator[tuple[str, int, str, os.stat_result]]:
    if depth > _MAX_DEPTH:
        raise Fault(Reason.DISK_LIMIT, f"The run made folders nested over {_MAX_DEPTH} deep.")
    with os.scandir(folder) as entries:
        for entry in entries:
            count.left -= 1
            if count.left < 0:
                raise Fault(Reason.DISK_LIMIT, "The run made too many files and folders.")
            kept = entry.name == "__pycache__" or (depth == 0 and entry.name.startswith("."))
            if kept and not hidden:
                continue
            try:
                found = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
                yield prefix + entry.name, folder, entry.name, found
                if stat.S_ISDIR(found.st_mode):
                    inner = os.open(entry.name, _FOLDER, dir_fd=folder)
                    try:
                        yield from _below(
                            inner, f"{prefix}{entry.name}/", depth + 1, count, hidden=hidden
                        )
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
