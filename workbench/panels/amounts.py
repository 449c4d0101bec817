"""Amounts as people write them: `512 MiB`, `1.5 GiB`, `90`."""

from __future__ import annotations

import re
from collections.abc import Mapping

_UNITS: Mapping[str, int] = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_WRITTEN = ("GiB", "GB", "MiB", "MB", "KiB", "kB")
_AMOUNT = re.compile(r"(?P<number>\d{1,15}(\.\d{1,6})?)\s*(?P<unit>[a-z]{0,3})")


def bytes_of(text: str) -> int:
    """The number of bytes that *text* writes.

    Raises:
        ValueError: It writes none.
    """
    found = _AMOUNT.fullmatch(text.strip().lower().replace(",", ""))
    if found is None or found["unit"] not in _UNITS:
        raise ValueError(f"{text!r:.100} is no size.")
    return round(float(found["number"]) * _UNITS[found["unit"]])


def written_bytes(count: float) -> str:
    """*count* so that `bytes_of` reads the same again, in the largest unit that is short."""
    for unit in _WRITTEN:
        amount = count / _UNITS[unit.lower()]
        if 1 <= amount < 10_000 and round(amount, 2) == amount:
            return f"{amount:.10g} {unit}"
    return str(int(count))


def written(name: str, amount: float) -> str:
    """What the limit called *name* comes to, for people."""
    if name.endswith("_bytes"):
        return written_bytes(amount)
    number = f"{amount:,.10g}"
    return f"{number} s" if name.endswith("_seconds") else number
