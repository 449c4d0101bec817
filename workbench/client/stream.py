"""Server-sent events, as the HTML standard has them, out of a stream of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class Lines(Protocol):
    """Where the bytes come from."""

    def readline(self) -> bytes:
        """The next line with its end; nothing at the end of all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One event of a stream."""

    id: str
    type: str
    data: str


def messages(lines: Lines) -> Iterator[Message]:
    """The messages of a stream; one that is cut off by its end is none."""
    last_id, kind = "", "message"
    data: list[str] = []
    while line := lines.readline():
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            if data:
                yield Message(id=last_id, type=kind, data="\n".join(data))
            kind, data = "message", []
            continue
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id":
            last_id = value
