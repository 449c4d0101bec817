"""The words of a notebook's cells, for those who look for it."""

from __future__ import annotations

import json

MOST_WORDS = 200_000
"""How much of a notebook can be found by what it says, in characters."""


def words(content: bytes) -> str:
    """What the cells of a notebook as it is kept say, in lower case and bounded."""
    cells = json.loads(content)["cells"]
    told: list[str] = []
    left = MOST_WORDS
    for cell in cells:
        if left <= 0:
            break
        source = cell["source"][:left]
        told.append(source)
        left -= len(source) + 1
    # A database keeps no NUL.
    return "\n".join(told).replace("\0", " ").lower()[:MOST_WORDS]
