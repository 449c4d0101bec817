"""Putting all of a home into one archive, and making a home from one.

The index is left out: it is made anew from what is in. The journal goes in first, so that all it
speaks of goes in after it even while the home is in use by its owner.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath

from workbench.errors import HomeInUse, HomeUnreadable, InvalidRequest, NotFound, Unavailable
from workbench.store.disk import TEMPORARY, make_folder, sync_folder, whole_file
from workbench.store.home import Home, owner
from workbench.store.opening import open_index
from workbench.store.segments import is_whole

FORMAT = 1

_CARD = "backup.json"
_JOURNAL, _OBJECTS, _RUNS = "journal", "objects", "runs"
_CHUNK = 1024 * 1024


def backup(path: Path, target: Path) -> None:
    """Put the home *path*, which nobody owns at the moment, into the archive *target*.

    Raises:
        NotFound: There is no home at *path*.
        HomeInUse: Another process owns the home; ask that one.
        HomeUnreadable: What lies in the home is damaged.
        Unavailable: The disk does not take the archive.
    """
    if not (path / _JOURNAL).is_dir():
        raise NotFound(f"There is no home at {path}.")
    home = Home(path)
    home.claim()
    try:
        write_archive(home, target)
    finally:
        home.release()


def write_archive(home: Home, target: Path) -> None:
    """Put the claimed *home* into the archive *target*, and read it back to be sure.

    Raises:
        InvalidRequest: The archive would lie among what goes into it.
        HomeUnreadable: What lies in the home is damaged.
        Unavailable: The disk does not take it.
    """
    target = target.absolute()
    if target.is_relative_to(home.path):
        raise InvalidRequest("The archive must not lie in the home itself.")
    card = json.dumps({"backup": FORMAT}).encode()
    try:
        with (
            whole_file(target) as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            info = tarfile.TarInfo(_CARD)
            info.size = len(card)
            archive.addfile(info, io.BytesIO(card))
            for root in (_JOURNAL, _OBJECTS, _RUNS):
                for path in _files(home.path / root):
                    _add(archive, path, path.relative_to(home.path).as_posix())
        with target.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
            for member in _members(archive):
                _check(archive, member)
    except HomeUnreadable:
        target.unlink(missing_ok=True)
        raise
    except OSError as error:
        raise Unavailable(f"The disk does not take the archive: {error.strerror}.") from error


def restore(source: Path, path: Path, *, clock: Callable[[], datetime]) -> None:
    """Make the home *path* from the archive *source*; it is whole, or not there at all.

    Raises:
        NotFound: There is no archive.
        HomeInUse: A process owns a home at *path*.
        InvalidRequest: *path* is there and not empty.
        HomeUnreadable: *source* is no archive of a home, a damaged one, or of a newer workbench.
        Unavailable: The disk does not take it.
    """
    path = path.absolute()
    _refuse_occupied(path)
    if not source.is_file():
        raise NotFound(f"There is no archive {source}.")
    made = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        make_folder(made)
        _extract(source, made)
        _prove(made, clock)
        os.sync()
        if path.exists():
            path.rmdir()
        made.replace(path)
        sync_folder(path.parent)
    except tarfile.TarError as error:
        raise HomeUnreadable(f"{source.name} is no archive of a home: {error}.") from error
    except OSError as error:
        raise Unavailable(f"The disk does not take it: {error.strerror}.") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _files(root: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if not name.startswith(TEMPORARY):
                yield Path(parent, name)


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return  # a link that a run left, or something gone since it was listed
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return
        info = tarfile.TarInfo(name)
        info.size, info.mtime = found.st_size, int(found.st_mtime)
        info.mode = 0o400 if name.startswith(_OBJECTS) else 0o600
        # A live file may grow while it is read: what is taken is what was there. Half a line at
        # the end of the journal is a torn tail like any other.
        archive.addfile(info, file)


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The files of a home in *archive*, once its first member has shown that it is one."""
    first = archive.next()
    stream = archive.extractfile(first) if first and first.name == _CARD else None
    try:
        card = json.loads(stream.read(_CHUNK)) if stream else {}
    except ValueError:
        card = {}
    made_by = card.get("backup") if isinstance(card, dict) else None
    if not isinstance(made_by, int):
        raise HomeUnreadable("This is no archive of a home.")
    if made_by > FORMAT:
        raise HomeUnreadable(f"The archive is of format {made_by}, of a newer workbench.")
    while (member := archive.next()) is not None:
        if not _belongs(member):
            raise HomeUnreadable(f"The archive holds something strange: {member.name[:80]!r}.")
        yield member


def _belongs(member: tarfile.TarInfo) -> bool:
    parts = PurePosixPath(member.name).parts
    plain = member.isreg() and not member.issparse()
    return plain and ".." not in parts and parts[:1] in {(_JOURNAL,), (_OBJECTS,), (_RUNS,)}


def _check(archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    """Read *member* to its end.

    Raises:
        HomeUnreadable: It does not say what it said when it was kept.
    """
    stream = archive.extractfile(member)
    assert stream is not None
    path = PurePosixPath(member.name)
    good = True
    if path.parts[0] == _OBJECTS:
        digest = hashlib.sha256()
        while data := stream.read(_CHUNK):
            digest.update(data)
        good = digest.hexdigest() == path.name
    elif path.parts[0] == _JOURNAL:
        good = all(is_whole(line) for line in stream if line.endswith(b"\n"))
    else:
        while stream.read(_CHUNK):
            pass
    if not good:
        raise HomeUnreadable(f"{member.name} is damaged.", file=member.name)


def _refuse_occupied(path: Path) -> None:
    holder = owner(path) if path.is_dir() else None
    if holder is not None:
        raise HomeInUse(f"The home {path} is in use by process {holder.pid}.", pid=holder.pid)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InvalidRequest(f"{path} is not empty; restore into a new folder.")


def _extract(source: Path, made: Path) -> None:
    with source.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
        # Nothing in a plain archive is larger than the archive: that is all that can be taken.
        if shutil.disk_usage(made).free < source.stat().st_size:
            raise Unavailable(f"There is no room for the home at {made.parent}.")
        for member in _members(archive):
            _check(archive, member)
            make_folder((made / member.name).parent)
            archive.extract(member, made, filter="data")
            (made / member.name).chmod(member.mode & 0o600)


def _prove(made: Path, clock: Callable[[], datetime]) -> None:
    """Open the home just made, as its owner will."""
    home = Home(made)
    home.claim()
    try:
        journal, index = open_index(home, clock=clock)
        index.close()
        journal.close()
    finally:
        home.release()
