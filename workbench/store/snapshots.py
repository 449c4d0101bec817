"""Keeping the journal from growing for ever."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.store.index import Index
from workbench.store.journal import Journal
from workbench.store.tables import Change, put

SNAPSHOT_BYTES = 64 * 1024 * 1024
"""How long a journal grows before a snapshot takes its place."""
_ROWS_PER_RECORD = 100


def bound(journal: Journal, index: Index, *, snapshot_bytes: int) -> bool:
    """Have the journal begin anew if it has grown too long; whether it had.

    A journal may always become as long as the snapshot before it, so that the work is in
    proportion to what was written.

    Raises:
        HomeUnreadable: The journal is damaged.
        Unavailable: The disk does not take it; nothing has changed.
    """
    if journal.tail_bytes <= max(snapshot_bytes, journal.snapshot_bytes):
        return False
    # From the journal's own words, not from whatever may have happened to the index since.
    index.make_anew("the journal has grown long", keep=False)
    journal.snapshot(_everything(index))
    with index.transaction():
        index.note(journal.last)
    return True


def _everything(index: Index) -> Iterator[list[Change]]:
    for table, rows in index.every():
        for i in range(0, len(rows), _ROWS_PER_RECORD):
            yield [put(table, row) for row in rows[i : i + _ROWS_PER_RECORD]]
