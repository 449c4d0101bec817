"""However an upstream misbehaves, the asker gets an answer that can be read, in time."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.llm.upstream import (
    COMPLETION,
    STREAM_HEAD,
    answer,
    chunks,
    failure,
    misbehaving,
    piece,
    stream,
)
from workbench.domain.models import Api, Upstream
from workbench.errors import ModelSilent
from workbench.llm.questions import ask
from workbench.llm.upstreams import FAILURES, Upstreams

KEY = "sk-canary-0123456789"
BODY = {"model": "m", "messages": [{"role": "user", "content": "2+2"}]}
QUESTION = ask(Api.CHAT, BODY)
STREAMED = ask(Api.CHAT, {**BODY, "stream": True})


def asked(*plan, question=QUESTION, times=1, **more):
    """What came back, and the upstream that was asked."""

    async def play():
        async with misbehaving() as server:
            server.will(*plan)
            given = {"retries": 2, "seconds": 20.0, "silence_seconds": 10.0, **more}
            limits = {
                name: given.pop(name)
                for name in ("answer_bytes", "patience_seconds", "rest_seconds")
                if name in given
            }
            upstreams = Upstreams(**limits)
            upstream = Upstream(name="one", kind="openai", url=server.url, **given)
            try:
                for _ in range(times - 1):
                    with pytest.raises(ModelSilent):
                        await upstreams.ask(upstream, question, question.body, key=KEY)
                reply = await upstreams.ask(upstream, question, question.body, key=KEY)
                frames = [frame async for frame in reply.frames] if reply.frames else None
                return reply, frames, server
            finally:
                await upstreams.close()

    return asyncio.run(play())


def test_an_answer_is_brought_back_and_the_key_goes_nowhere_but_up():
    reply, _, server = asked(answer(COMPLETION, headers=[("X-Secret", KEY)]))

    assert json.loads(reply.body) == COMPLETION == reply.answer
    assert f"Authorization: Bearer {KEY}" in server.heads[0]
    assert KEY not in repr(reply)


def test_azure_is_asked_in_azures_way():
    _, _, server = asked(answer(COMPLETION))
    assert server.heads[0].startswith("POST /v1/chat/completions ")

    async def play():
        async with misbehaving() as server:
            server.will(answer(COMPLETION))
            azure = Upstream(name="a", kind="azure", url=server.url, version="2026-01-01")
            upstreams = Upstreams()
            await upstreams.ask(azure, QUESTION, BODY, key=KEY)
            await upstreams.close()
            return server.heads[0]

    head = asyncio.run(play())
    assert "/openai/deployments/m/chat/completions?api-version=2026-01-01" in head
    assert f"api-key: {KEY}" in head
    assert "Authorization" not in head


@pytest.mark.parametrize(
    "first",
    [
        failure(429, retry_after="0"),
        failure(429, retry_after="0.01"),
        failure(429, retry_after_ms="10"),
        failure(429, retry_after=format_datetime(datetime.now(UTC) - timedelta(seconds=5))),
        failure(429, retry_after="-1"),
        failure(503, retry_after_ms="1"),
        failure(500, retry_after_ms="1"),
        failure(408, retry_after_ms="1"),
    ],
)
def test_what_may_pass_is_asked_again_after_as_long_as_is_said(first):
    reply, _, server = asked(first, answer(COMPLETION))

    assert reply.status == 200
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("only", "status"),
    [
        (failure(429, code="insufficient_quota"), 429),
        (failure(429, x_should_retry="false"), 429),
        (failure(429, retry_after="3600"), 429),
        (failure(429, retry_after=format_datetime(datetime.now(UTC) + timedelta(days=1))), 429),
        (failure(400), 400),
        (failure(404), 404),
        (failure(422), 422),
    ],
)
def test_what_will_not_pass_is_handed_on_at_once(only, status):
    reply, _, server = asked(only)

    assert reply.status == status
    assert json.loads(reply.body)["error"]["message"] == "no"
    assert len(server.asked) == 1


def test_a_wait_that_cannot_be_read_is_as_good_as_none():
    reply, _, server = asked(failure(429, retry_after="soon"), answer(COMPLETION))

    assert reply.status == 200
    assert len(server.asked) == 2


def test_an_upstream_that_stays_down_is_handed_on_after_the_agreed_number_of_tries():
    reply, _, server = asked(failure(500, retry_after_ms="1"), retries=2)

    assert reply.status == 500
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [401, 403])
def test_our_key_being_no_good_is_not_the_askers_fault(status):
    with pytest.raises(ModelSilent, match="workbench models key one"):
        asked(failure(status))


@pytest.mark.parametrize(
    "wrong",
    [
        answer(b'{"id": "chatcmpl-1", "choi'),
        answer(b"<html>hello</html>"),
        answer(b"[]"),
        answer(b""),
        answer({}, status=302, headers=[("Location", "http://127.0.0.1:1/")]),
    ],
)
def test_half_an_answer_is_none(wrong):
    with pytest.raises(ModelSilent, match="no answer"):
        asked(wrong)


def test_an_error_without_a_body_is_told_as_one():
    reply, _, _ = asked(answer(b"bad gateway", status=502), retries=0)

    assert reply.status == 502
    assert json.loads(reply.body)["error"]["type"] == "upstream_error"


def test_an_answer_without_end_is_cut_off():
    async def flood(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        for _ in range(1600):
            writer.write(b" " * 65536)
            await writer.drain()

    with pytest.raises(ModelSilent, match="more than 1,000,000 bytes"):
        asked(flood, answer_bytes=1_000_000)


def test_a_stream_without_end_is_cut_off():
    async def flood(writer):
        writer.write(STREAM_HEAD)
        for _ in range(1600):
            writer.write(piece(b"data: " + b"x" * 65000))
            await writer.drain()

    _, frames, _ = asked(flood, question=STREAMED, answer_bytes=1_000_000)

    assert b"more than 1,000,000 bytes" in frames[-1]


def test_who_drips_is_not_waited_for_for_ever():
    async def drip(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    with pytest.raises(ModelSilent, match="in time"):
        asked(drip, seconds=0.4)


def test_who_drips_a_stream_is_not_waited_for_for_ever():
    async def drip(writer):
        writer.write(STREAM_HEAD)
        while True:
            writer.write(piece(b": still here\n\n"))
            await writer.drain()
            await asyncio.sleep(0.02)

    _, frames, _ = asked(drip, question=STREAMED, seconds=3.0)

    assert b"in time" in frames[-1]


def test_who_falls_silent_is_not_waited_for_for_ever():
    async def hang(writer):
        await asyncio.sleep(5)

    with pytest.raises(ModelSilent, match="in time"):
        asked(hang, silence_seconds=0.3)


def test_who_hangs_up_is_asked_again():
    async def hang_up(writer):
        writer.close()

    reply, _, server = asked(hang_up, answer(COMPLETION))

    assert reply.status == 200
    assert len(server.asked) == 2


def test_nobody_there_is_said():
    upstream = Upstream(name="gone", kind="openai", url="http://127.0.0.1:9/v1", retries=0)

    async def play():
        await Upstreams().ask(upstream, QUESTION, BODY, key="")

    with pytest.raises(ModelSilent, match="cannot be reached"):
        asyncio.run(play())


def test_a_stream_comes_in_whole_frames_however_it_is_cut_up():
    whole = b"".join(chunks("fo", "ur")).replace(b"\n\n", b"\r\n\r\n")

    async def bytewise(writer):
        writer.write(STREAM_HEAD)
        for number in range(len(whole)):
            writer.write(piece(whole[number : number + 1]))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    _, frames, _ = asked(bytewise, question=STREAMED)

    assert frames == chunks("fo", "ur")


def test_a_stream_that_is_cut_says_so_in_its_last_frame():
    async def cut(writer):
        writer.write(stream(chunks("fo", done=False, usage=False), end=False))
        await writer.drain()

    _, frames, _ = asked(cut, question=STREAMED)

    assert b"cut its answer off" in frames[-1]
    assert len(frames) == 2


def test_a_key_that_comes_back_is_not_handed_on():
    reply, _, _ = asked(failure(400, code=f"what is {KEY}?"))
    assert KEY.encode() not in reply.body

    _, frames, _ = asked(stream(chunks(f"your key is {KEY}")), question=STREAMED)
    assert KEY.encode() not in b"".join(frames)
    assert b"[key]" in b"".join(frames)


def test_who_fails_again_and_again_is_left_alone_for_a_while():
    begun = time.monotonic()
    with pytest.raises(ModelSilent, match="left alone") as refused:
        asked(answer(b"no"), times=FAILURES + 1, retries=0)

    assert refused.value.details["upstream"] == "one"
    assert time.monotonic() - begun < 30


def test_who_was_left_alone_is_asked_again_later():
    reply, _, _ = asked(
        *[answer(b"no")] * FAILURES,
        answer(COMPLETION),
        times=FAILURES + 1,
        retries=0,
        rest_seconds=0.0,
    )

    assert reply.status == 200
