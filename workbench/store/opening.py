"""Opening a claimed home: the journal, the index, and the bound on the one's length."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import duckdb

from workbench.errors import Unavailable
from workbench.store.home import Home
from workbench.store.index import Index
from workbench.store.journal import Journal
from workbench.store.snapshots import SNAPSHOT_BYTES, bound


def open_index(
    home: Home,
    *,
    clock: Callable[[], datetime],
    at: Callable[[str], None] = lambda point: None,
    snapshot_bytes: int = SNAPSHOT_BYTES,
) -> tuple[Journal, Index]:
    """The journal and the index of a claimed *home*, one as far as the other.

    Raises:
        HomeUnreadable: The journal is damaged, or of a newer workbench.
        Unavailable: The disk does not take it.
    """
    try:
        journal = Journal(home.journal, clock=clock, at=at)
    except OSError as error:
        raise Unavailable(f"The journal cannot be opened: {error.strerror}.") from error
    index = None
    try:
        index = Index(home.index, journal, clock=clock)
        bound(journal, index, snapshot_bytes=snapshot_bytes)
    except BaseException:
        if index is not None:
            with suppress(duckdb.Error):
                index.close()
        journal.close()
        raise
    return journal, index
