"""A gateway is asked one thing at a time; what it says is JSON or an error, and streams go on."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workbench.client.http import Gateway, path_of
from workbench.errors import InvalidRequest, NotFound, Unavailable


@contextmanager
def answering(answer):
    """A server whose every answer is `answer(handler)`; gives its address and what was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def _any(self):
            length = int(self.headers.get("Content-Length", 0))
            self.body = self.rfile.read(length)
            asked.append(self)
            answer(self)

        do_GET = do_POST = do_PUT = do_DELETE = _any

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def says(status, content, kind="application/json"):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def stream(*events):
    lines = (f"id: {e['seq']}\nevent: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
    return says(200, "".join(lines).encode(), "text/event-stream")


def test_a_question_carries_the_token_and_its_body_as_json():
    with answering(says(200, b'{"a": 1}')) as (url, asked):
        answer = Gateway(url, "secret").ask("POST", "/agents", body={"x": "ü"}, query={"q": "a b"})

    assert answer.json() == {"a": 1}
    assert asked[0].headers["Authorization"] == "Bearer secret"
    assert asked[0].headers["Content-Type"] == "application/json"
    assert json.loads(asked[0].body) == {"x": "ü"}
    assert asked[0].path == "/agents?q=a+b"


def test_the_token_is_never_in_the_address():
    with answering(says(200, b"{}")) as (url, asked):
        Gateway(url, "secret").ask("GET", "/agents", query={"test": True, "none": None})

    assert asked[0].path == "/agents?test=true"


def test_what_the_gateway_refuses_is_raised():
    body = json.dumps({"error": {"code": "NotFound", "message": "no run", "details": {"run": 1}}})

    with answering(says(404, body.encode())) as (url, _), pytest.raises(NotFound) as raised:
        Gateway(url, "t").ask("GET", "/runs/x")

    assert str(raised.value) == "no run"
    assert raised.value.details == {"run": 1}


def test_a_gateway_that_is_gone_is_unavailable_and_named():
    with answering(says(200, b"")) as (url, _):
        pass

    with pytest.raises(Unavailable, match=url):
        Gateway(url, "t").ask("GET", "/agents")


def test_a_gateway_that_takes_too_long_is_unavailable():
    over = threading.Event()

    with answering(lambda _: over.wait(10)) as (url, _):
        with pytest.raises(Unavailable, match="does not answer"):
            Gateway(url, "t").ask("GET", "/agents", patience_seconds=0.1)
        over.set()


def test_something_that_speaks_no_json_is_no_gateway():
    with answering(says(200, b"<html>")) as (url, _), pytest.raises(Unavailable, match="JSON"):
        Gateway(url, "t").ask("GET", "/").json()


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "file:///etc/passwd", "http://"])
def test_an_address_that_is_none_is_refused_at_once(url):
    with pytest.raises(InvalidRequest, match="no address"):
        Gateway(url, "t")


def test_whatever_a_name_holds_stays_one_part_of_the_path():
    assert path_of("tokens", "../a b?c#d") == "/tokens/..%2Fa%20b%3Fc%23d"


STARTED = {"seq": 1, "type": "run.started"}
PRINTED = {"seq": 2, "type": "output", "text": "a\nb"}
ENDED = {"seq": 3, "type": "run.completed"}


def test_events_are_followed_to_the_last_one():
    with answering(stream(STARTED, PRINTED, ENDED)) as (url, asked):
        events = list(Gateway(url, "t").events("r1"))

    assert events == [STARTED, PRINTED, ENDED]
    assert asked[0].path == "/runs/r1/events"


def test_a_stream_that_breaks_is_taken_up_where_it_ended():
    def answer(handler):
        seen = int(handler.headers.get("Last-Event-ID", 0))
        stream(*[STARTED, PRINTED, ENDED][seen : seen + 1])(handler)

    with answering(answer) as (url, asked):
        events = list(Gateway(url, "t").events("r1"))

    assert events == [STARTED, PRINTED, ENDED]
    assert [a.headers["Last-Event-ID"] for a in asked] == [None, "1", "2"]


def test_a_stream_that_never_goes_on_is_given_up():
    with (
        answering(stream()) as (url, asked),
        pytest.raises(Unavailable, match="without a last one"),
    ):
        list(Gateway(url, "t").events("r1"))

    assert len(asked) < 20


def test_the_events_of_no_run_are_an_error():
    body = json.dumps({"error": {"code": "NotFound", "message": "no run"}}).encode()

    with answering(says(404, body)) as (url, _), pytest.raises(NotFound):
        list(Gateway(url, "t").events("r1"))
