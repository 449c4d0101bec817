"""Server-sent events, as the HTML standard has them, out of a stream of bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.client.requests import Request, path_of
from workbench.domain.events import EventType
from workbench.errors import Unavailable

SILENCE_SECONDS = 60.0
"""The gateway says something at least every 15 seconds, so a stream this silent is dead."""

_RESUMPTIONS = 5


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


class Reader:
    """Puts lines together to messages; one that is cut off by the end of the stream is none."""

    def __init__(self) -> None:
        self._last_id, self._type = "", "message"
        self._data: list[str] = []

    def take(self, line: bytes) -> Message | None:
        """The message that ends with *line*, if one does."""
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            return self._ended()
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id":
            self._last_id = value
        return None

    def _ended(self) -> Message | None:
        data, kind = self._data, self._type
        self._data, self._type = [], "message"
        return Message(id=self._last_id, type=kind, data="\n".join(data)) if data else None


def messages(lines: Lines) -> Iterator[Message]:
    """The messages of a stream."""
    reader = Reader()
    while line := lines.readline():
        if message := reader.take(line):
            yield message


class Following:
    """How far somebody has come in the events of a run, however often the stream breaks.

    Attributes:
        ended: Whether the last event has been read.
    """

    def __init__(self, run_id: str, *, after: int = 0) -> None:
        self.ended = False
        self._run_id = run_id
        self._after = self._before = after
        self._fruitless = 0

    @property
    def request(self) -> Request:
        """The question for the events that are still to come."""
        said = {"Accept": "text/event-stream"}
        if self._after:
            said["Last-Event-ID"] = str(self._after)
        return Request(
            path=path_of("runs", self._run_id, "events"),
            headers=said,
            patience_seconds=SILENCE_SECONDS,
        )

    @property
    def pause_seconds(self) -> float:
        """How long to leave the gateway alone before it is asked again."""
        return 0.05 * self._fruitless

    def read(self, message: Message) -> dict[str, Any]:
        """The event that *message* tells of."""
        event: dict[str, Any] = json.loads(message.data)
        self._after = int(event["seq"])
        self.ended = EventType(event["type"]).last
        return event

    def broken(self, why: Unavailable | None = None) -> None:
        """Take note that the stream ended before its last event.

        Raises:
            Unavailable: It has done so too often without anything new; it is *why* if given.
        """
        self._fruitless = 0 if self._after > self._before else self._fruitless + 1
        self._before = self._after
        if self._fruitless > _RESUMPTIONS:
            raise why or Unavailable(f"The events of run {self._run_id} end without a last one.")
