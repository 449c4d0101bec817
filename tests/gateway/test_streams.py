"""A stream says what happens at once, that it still lives when nothing does, and ends."""

import asyncio
import json
from datetime import UTC, datetime

from workbench.domain.events import Event, EventType
from workbench.gateway.streams import as_sse, sse

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STARTED = Event(seq=1, type=EventType.RUN_STARTED, at=NOON, data={"test": False})
COMPLETED = Event(seq=2, type=EventType.RUN_COMPLETED, at=NOON, data={"text": "two\nlines"})


async def happening(*events, then=None):
    for event in events:
        yield event
    if then is not None:
        await then.wait()


def test_an_event_is_three_lines_and_its_data_one_of_them():
    lines = as_sse(COMPLETED).decode().split("\n")

    assert lines[:2] == ["id: 2", "event: run.completed"]
    assert json.loads(lines[2].removeprefix("data: "))["text"] == "two\nlines"
    assert lines[3:] == ["", ""]


def test_a_stream_ends_behind_the_last_event():
    async def collect():
        return [piece async for piece in sse(happening(STARTED, COMPLETED), ends=asyncio.Event())]

    assert asyncio.run(collect()) == [as_sse(STARTED), as_sse(COMPLETED)]


def test_a_silent_stream_says_that_it_lives():
    async def second():
        events = happening(STARTED, then=asyncio.Event())
        stream = sse(events, ends=asyncio.Event(), keep_alive_seconds=0.01)
        await anext(stream)
        piece = await anext(stream)
        await stream.aclose()
        return piece

    assert asyncio.run(second()).startswith(b":")


def test_a_stream_nobody_listens_to_ends_at_once_and_lets_go():
    let_go = []

    async def forever():
        try:
            await asyncio.Event().wait()
            yield STARTED
        finally:
            let_go.append(True)

    async def follow():
        ends = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, ends.set)
        return [piece async for piece in sse(forever(), ends=ends)]

    assert asyncio.run(follow()) == []
    assert let_go == [True]
