"""What one route takes and answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.errors import WorkbenchError

Refusals = tuple[type[WorkbenchError], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One name a query or a header may give.

    Attributes:
        name: As it is sent.
        schema: JSON Schema of its value.
        doc: What it decides.
    """

    name: str
    schema: Mapping[str, object]
    doc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What one route takes and answers with.

    Attributes:
        query: What its query may name.
        headers: Which request headers it heeds.
        body: A schema of `workbench.gateway.schemas`, or a media type; empty if it takes none.
        gives: For each status of success a schema or a media type, or several with blanks between;
            empty for no body.
        tells: Which headers of the answer are worth a look.
        refuses: What it may answer besides `EVERYWHERE`.
    """

    query: tuple[Option, ...] = ()
    headers: tuple[Option, ...] = ()
    body: str = ""
    gives: Mapping[int, str] = field(default_factory=dict)
    tells: tuple[str, ...] = ()
    refuses: Refusals = ()
