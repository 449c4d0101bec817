"""What `-p NAME VALUE` means."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.domain.names import is_parameter_name
from workbench.errors import InvalidInput


def texts(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The values by name, as they were written.

    Raises:
        InvalidInput: A name is none, or is given twice.
    """
    given: dict[str, str] = {}
    for name, text in pairs:
        if not is_parameter_name(name):
            raise InvalidInput(f"{name[:80]!r} cannot be the name of a parameter.", unknown=[name])
        if name in given:
            raise InvalidInput(f"{name} is given twice.", parameter=name)
        given[name] = text
    return given
