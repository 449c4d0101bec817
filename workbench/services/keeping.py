"""Keeping a home whole: its index made anew, all of it put into a file and taken out of one.

All of this is done to a home that nobody owns at the moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from workbench.errors import NotFound
from workbench.store import backup as archives
from workbench.store.home import Home
from workbench.store.store import Store
from workbench.store.sweeping import Swept


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What came of a rebuild.

    Attributes:
        rows: How many the index has now.
        swept: What was thrown away because no row speaks of it; None if that was not asked for.
    """

    rows: int
    swept: Swept | None


async def rebuild(home: Path, *, sweep: bool = False, clock: Callable[[], datetime]) -> Rebuilt:
    """Make the index of *home* anew from the journal; with *sweep*, throw away what is not in it.

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
        swept = await store.sweep() if sweep else None
        return Rebuilt(rows=len(await store.dump()), swept=swept)
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
