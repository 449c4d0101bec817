"""What may be asked twice is asked again when no answer came; anything else never is."""

import asyncio
import json
import socket
import threading
from contextlib import contextmanager

import pytest

from workbench.client.asynchronous import AsyncGateway
from workbench.client.http import Gateway
from workbench.client.requests import Request
from workbench.errors import NotFound, Unavailable

READ = Request(path="/agents", repeatable=True)
WRITE = Request(method="POST", path="/agents", body={"x": "ü"})


@contextmanager
def speaking(*connections):
    """A server that answers each connection by the raw texts given for it, one per question."""
    heads = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        for answers in connections:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                for answer in answers:
                    head = b"".join(iter(lines.readline, b"\r\n"))
                    length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
                    heads.append((head, lines.read(int(length or 0))))
                    if answer is not None:
                        connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heads
    finally:
        server.close()
        thread.join(5)


def says(content, status=200, *more):
    head = [f"HTTP/1.1 {status} x", f"Content-Length: {len(content)}", *more]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + content


def waiting(url, *requests):
    gateway = Gateway(url, "secret")
    try:
        return [gateway.send(request).content for request in requests]
    finally:
        gateway.close()


def awaited(url, *requests):
    async def ask():
        gateway = AsyncGateway(url, "secret")
        try:
            return [(await gateway.send(request)).content for request in requests]
        finally:
            await gateway.close()

    return asyncio.run(ask())


both = pytest.mark.parametrize("ask", [waiting, awaited])


@both
def test_questions_share_a_connection_while_it_is_kept_open(ask):
    with speaking([says(b"1"), says(b"2")]) as (url, heads):
        assert ask(url, READ, READ) == [b"1", b"2"]

    assert all(b"Authorization: Bearer secret" in head for head, _ in heads)


@both
def test_what_was_kept_open_and_closed_over_there_is_asked_anew(ask):
    with speaking([says(b"1")], [says(b"2")]) as (url, _):
        assert ask(url, READ, READ) == [b"1", b"2"]


@both
def test_what_changes_something_never_goes_where_it_may_be_lost(ask):
    with speaking([says(b"1")], [says(b"2")]) as (url, heads):
        assert ask(url, READ, WRITE) == [b"1", b"2"]

    assert json.loads(heads[1][1]) == {"x": "ü"}


@both
def test_a_lost_answer_is_asked_for_again_only_if_that_does_no_harm(ask):
    with speaking([None], [None], [says(b"3")]) as (url, heads):
        assert ask(url, READ) == [b"3"]
    assert len(heads) == 3

    with speaking([None]) as (url, heads), pytest.raises(Unavailable, match="does not answer"):
        ask(url, WRITE)
    assert len(heads) == 1


@both
def test_an_answer_in_pieces_is_put_together(ask):
    pieces = (
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    )
    with speaking([pieces, says(b"next")]) as (url, _):
        assert ask(url, READ, READ) == [b"abcde", b"next"]


@both
def test_an_answer_without_a_length_ends_with_its_connection(ask):
    with speaking([b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\nabc"]) as (url, _):
        assert ask(url, READ) == [b"abc"]


@both
def test_who_takes_too_long_is_not_asked_again(ask):
    server = socket.create_server(("127.0.0.1", 0))
    with server:
        impatient = Request(path="/", repeatable=True, patience_seconds=0.1)
        with pytest.raises(Unavailable, match="does not answer"):
            ask(f"http://127.0.0.1:{server.getsockname()[1]}", impatient)


@both
@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nab"]
)
def test_what_is_no_answer_is_none(ask, answer):
    with speaking([answer]) as (url, _), pytest.raises(Unavailable):
        ask(url, WRITE)


@both
def test_what_is_refused_is_not_asked_again(ask):
    body = json.dumps({"error": {"code": "NotFound", "message": "no run"}}).encode()
    with speaking([says(body, 404)]) as (url, heads), pytest.raises(NotFound, match="no run"):
        ask(url, READ)
    assert len(heads) == 1


@both
def test_what_has_moved_is_asked_where_it_is_now_but_nowhere_else(ask):
    there = says(b"", 308, "Location: /agents/a/new/about?x=1")
    with speaking([there, says(b"found")]) as (url, heads):
        assert ask(url, READ) == [b"found"]
    assert heads[1][0].startswith(b"GET /agents/a/new/about?x=1 ")

    for abroad in ("http://example.org/agents", "//example.org/agents"):
        with speaking([says(b"", 308, f"Location: {abroad}")]) as (url, heads):
            assert ask(url, READ) == [b""]
        assert len(heads) == 1


def stream(*events):
    lines = "".join(f"id: {e['seq']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()
    return b"HTTP/1.1 200 x\r\nContent-Type: text/event-stream\r\n\r\n" + lines


EVENTS = [{"seq": 1, "type": "run.started"}, {"seq": 2, "type": "run.completed"}]


def test_a_stream_that_is_awaited_is_taken_up_where_it_broke():
    async def follow(url):
        return [event async for event in AsyncGateway(url, "t").events("r1")]

    with speaking([stream(EVENTS[0])], [stream(EVENTS[1])]) as (url, heads):
        assert asyncio.run(follow(url)) == EVENTS

    assert b"Last-Event-ID: 1" in heads[1][0]


def test_a_stream_that_never_comes_is_given_up():
    async def follow(url):
        return [event async for event in AsyncGateway(url, "t").events("r1")]

    with speaking() as (url, _):
        pass
    with pytest.raises(Unavailable, match="does not answer"):
        asyncio.run(follow(url))
