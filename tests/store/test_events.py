"""Events are numbered without gaps, told to everybody in order, and outlive a crash."""

import asyncio
import json

import pytest

from tests.store.samples import new_id
from workbench.domain.events import EventType
from workbench.errors import IllegalMove, NotFound
from workbench.store.events import RING_BYTES
from workbench.store.store import Store


async def seqs(store, run_id, after=0):
    return [event.seq async for event in store.events.follow(run_id, after=after)]


def test_followers_hear_everything_in_order_whenever_they_come(with_store):
    async def story(store):
        run_id = new_id()
        early = asyncio.create_task(seqs(store, run_id))
        await asyncio.sleep(0)
        stream = await store.events.open(run_id)
        stream.append(EventType.RUN_STARTED)
        middle = asyncio.create_task(seqs(store, run_id, after=1))
        for n in range(50):
            stream.append(EventType.LOG, {"n": n})
            await asyncio.sleep(0)
        stream.append(EventType.RUN_COMPLETED)
        await stream.close()
        late = await seqs(store, run_id, after=40)

        assert await early == list(range(1, 53))
        assert await middle == list(range(2, 53))
        assert late == list(range(41, 53))

    with_store(story)


def test_an_event_says_what_it_was_given(with_store, clock):
    async def story(store):
        run_id = new_id()
        stream = await store.events.open(run_id)
        told = [
            stream.append(EventType.OUTPUT, {"text": "ü\ud800\n", "deep": [{"a": None}]}),
            stream.append(EventType.RUN_FAILED, {"reason": "timeout"}),
        ]

        assert await store.events.read(run_id) == told
        assert [event.at for event in told] == sorted(event.at for event in told)

    with_store(story)


def test_what_json_cannot_say_becomes_null(with_store):
    async def story(store):
        run_id = new_id()
        stream = await store.events.open(run_id)
        stream.append(EventType.RESULT, {"value": [float("nan"), {"x": float("inf")}, 1.5]})

        told = (await store.events.read(run_id))[0].data
        assert told == {"value": [None, {"x": None}, 1.5]}

    with_store(story)


def test_who_falls_behind_reads_the_file_and_misses_nothing(with_store):
    async def story(store):
        run_id = new_id()
        stream = await store.events.open(run_id)
        line = "x" * 5000
        follower = store.events.follow(run_id)
        stream.append(EventType.RUN_STARTED)
        first = await anext(follower)
        many = 4 * RING_BYTES // len(line)
        for _ in range(many):
            stream.append(EventType.OUTPUT, {"text": line})
        held = sum(len(e.data["text"]) for _, e in stream.behind(stream.seq - 10))
        stream.append(EventType.RUN_CANCELLED)
        rest = [event.seq async for event in follower]

        assert stream.behind(0) is None
        assert held == 10 * len(line)
        assert [first.seq, *rest] == list(range(1, many + 3))

    with_store(story)


def test_nothing_follows_the_last_event(with_store):
    async def story(store):
        stream = await store.events.open(new_id())
        stream.append(EventType.RUN_COMPLETED)

        with pytest.raises(IllegalMove):
            stream.append(EventType.LOG)

    with_store(story)


def test_following_an_ended_run_from_its_end_ends_at_once(with_store):
    async def story(store):
        run_id = new_id()
        stream = await store.events.open(run_id)
        stream.append(EventType.RUN_STARTED)
        stream.append(EventType.RUN_COMPLETED)
        live = await seqs(store, run_id, after=2)
        await stream.close()

        assert live == []
        assert await seqs(store, run_id, after=2) == []
        assert await seqs(store, run_id, after=99) == []

    with_store(story)


def test_a_run_has_one_stream_at_a_time(with_store):
    async def story(store):
        run_id = new_id()
        stream = await store.events.open(run_id)
        with pytest.raises(IllegalMove):
            await store.events.open(run_id)
        await stream.close()
        with pytest.raises(IllegalMove):
            stream.append(EventType.LOG)
        await (await store.events.open(run_id)).close()

    with_store(story)


def test_two_who_open_at_once_do_not_both_get_it(with_store):
    async def story(store):
        run_id = new_id()
        got = await asyncio.gather(
            store.events.open(run_id), store.events.open(run_id), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in got) == ["IllegalMove", "Stream"]

    with_store(story)


def test_after_a_crash_the_numbers_go_on_and_half_a_line_is_gone(with_store):
    run_id = new_id()

    async def before(store):
        stream = await store.events.open(run_id)
        for _ in range(3):
            stream.append(EventType.LOG)
        return store.papers.events_path(run_id)

    path = with_store(before)
    with path.open("ab") as file:
        file.write(b'{"seq":4,"type":"lo')

    async def after(store):
        assert [event.seq for event in await store.events.read(run_id)] == [1, 2, 3]
        follower = asyncio.create_task(seqs(store, run_id))
        stream = await store.events.open(run_id)
        event = stream.append(EventType.RUN_FAILED, {"reason": "gateway_restarted"})
        assert event.seq == 4
        assert await follower == [1, 2, 3, 4]

    with_store(after)
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 2, 3, 4]


def test_closing_the_store_sends_followers_home(home, clock):
    async def story():
        store = await Store.open(home, clock=clock)
        run_id = new_id()
        (await store.events.open(run_id)).append(EventType.LOG)
        followers = [asyncio.create_task(seqs(store, name)) for name in (run_id, new_id())]
        await asyncio.sleep(0)
        await store.close()
        return await asyncio.gather(*followers)

    assert asyncio.run(story()) == [[1], []]


def test_what_is_no_run_has_no_events(with_store):
    async def story(store):
        with pytest.raises(NotFound):
            await store.events.open("../x")
        with pytest.raises(NotFound):
            await store.events.read("../x")
        with pytest.raises(NotFound):
            await seqs(store, "../x")

    with_store(story)
