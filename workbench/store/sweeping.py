"""Throwing away what no row speaks of any more: notebooks of drafts long gone, rests of a purge.

Nothing is looked for by its age or its name: what a row speaks of stays, and what is about to be
spoken of keeps the sweep waiting.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from workbench.store.catalog import Catalog
from workbench.store.connection import Query
from workbench.store.objects import Objects
from workbench.store.papers import Papers
from workbench.store.references import spoken_of

_FOLDERS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What was thrown away.

    Attributes:
        objects: How many notebooks, files and large values.
        runs: Of how many runs the folders.
    """

    objects: int
    runs: int


async def sweep(catalog: Catalog, objects: Objects, papers: Papers) -> Swept:
    """Throw away whatever no row speaks of. It may be interrupted at any moment and begun again.

    Raises:
        Unavailable: The disk or the index fails.
    """
    there = await objects.all()

    async def kept() -> Collection[str]:
        return await catalog.read(lambda ask: spoken_of(ask, there), fresh=True)

    gone = await objects.throw_away(there, spoken_of=kept)
    # Which folders there are first, then which runs: a run is accepted before it has a folder.
    folders = await papers.all()
    lost: list[str] = []
    for n in range(0, len(folders), _FOLDERS_AT_ONCE):
        some = folders[n : n + _FOLDERS_AT_ONCE]
        known = await catalog.read(partial(_known, some), fresh=True)
        lost += [run_id for run_id in some if run_id not in known]
    await papers.throw_away(lost)
    return Swept(objects=gone, runs=len(lost))


def _known(run_ids: list[str], ask: Query) -> set[str]:
    return {
        found[0] for found in ask("SELECT id FROM runs WHERE id IN (SELECT unnest($1))", run_ids)
    }
