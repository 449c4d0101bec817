"""Keeping a home whole: its index made anew, all of it put into a file and taken out of one.

All of this is done to a home that nobody owns at the moment.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from workbench.errors import NotFound
from workbench.store import backup as archives
from workbench.store.home import Home
from workbench.store.store import Store


async def rebuild(home: Path, *, clock: Callable[[], datetime]) -> int:
    """How many rows the index of *home* has, now that it was made anew from the journal.

    Raises:
        NotFound: There is no home.
        HomeInUse: A process owns it.
        HomeUnreadable: Its journal is damaged, or of a newer workbench.
    """
    if not Home(home).journal.is_dir():
        raise NotFound(f"There is no home at {home}.")
    store = await Store.open(home, clock=clock)
    try:
        await store.rebuild()
        return len(await store.dump())
    finally:
        await store.close()


def backup(home: Path, target: Path) -> int:
    """How many bytes the archive *target* has, now that all of *home* is in it.

    Raises:
        NotFound: There is no home.
        HomeInUse: A process owns it.
        InvalidRequest: The archive would lie in the home itself.
        Unavailable: The disk does not take it.
    """
    archives.backup(home, target)
    return target.stat().st_size


def restore(source: Path, home: Path, *, clock: Callable[[], datetime]) -> None:
    """Make *home*, which must not be there yet, from the archive *source*.

    Raises:
        NotFound: There is no archive.
        HomeInUse: A process owns a home there.
        InvalidRequest: Something is there already.
        HomeUnreadable: The archive is damaged, or none of ours.
    """
    archives.restore(source, home, clock=clock)
