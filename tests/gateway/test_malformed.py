"""Whatever comes in that is no proper request gets a 4xx or a hang-up, never a 5xx, and changes
nothing."""

import itertools
import json
import socket

import pytest

pytestmark = pytest.mark.gateway

LIMIT = 8 * 1024 * 1024

LINES = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /agents\r\n\r\n",
    b"GET /agents HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /agents HTTP/1.1\r\n\r\n",
    b"GET /agents HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /agents HTTP/1.1\r\nHost: x y\r\n\r\n",
    b"GET  /agents HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /a\x00b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /agents?\xff=\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://elsewhere/agents HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET //agents HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"G\xc3\x8bT / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"get /agents HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /agents HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /agents HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
    b"GET /agents HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n",
    b"GET /agents HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n",
    b"GET /agents HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    b"GET /agents HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
    b"GET /agents?"
    + b"&".join(b"a%d=1" % n for n in range(2000))
    + b" HTTP/1.1\r\nHost: x\r\n\r\n",
]


def post(headers, body=b"", path=b"/agents"):
    return (
        b"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n" % path
        + b"Content-Type: application/json\r\n"
        + headers
        + b"\r\n"
        + body
    )


BODIES = [
    post(b"Content-Length: -1\r\n"),
    post(b"Content-Length: five\r\n"),
    post(b"Content-Length: 0x10\r\n"),
    post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"{}{}{}"),
    post(b"Content-Length: 99999999999999999999999999\r\n", b"{}"),
    post(b"Content-Length: 50\r\n", b'{"agent_name": "half'),
    post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"),
    post(b"Transfer-Encoding: chunked\r\n", b"-2\r\n{}\r\n0\r\n\r\n"),
    post(b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\n{}"),
    post(b"Transfer-Encoding: chunked\r\n", b"2\r\n{}XX0\r\n\r\n"),
    post(b"Transfer-Encoding: chunked\r\n", b"2\r\n{"),
    post(b"Transfer-Encoding: chunked, chunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    post(b"Transfer-Encoding: gzip\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    post(b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    post(b"Content-Encoding: gzip\r\nContent-Length: 2\r\n", b"\x1f\x8b"),
    post(b"Content-Length: 2\r\nX-Request-Id: a\x01b\r\n", b"{}"),
]

PATHS = [
    "/agents/%",
    "/agents/%zz/x",
    "/agents/%ff/x",
    "/agents/admin/%c0%ae%c0%ae",
    "/agents/admin/greeter/versions/%2e%2e",
    "/agents/admin/greeter/versions/1.0.0%00",
    "/agents/admin/greeter/versions/999999999999.0.0",
    "/agents/admin/greeter/notebook?version=%00",
    "/agents/admin/greeter/notebook?version=..%2f..",
    "/agents/admin/greeter?name=%00&times=" + "9" * 4000,
    "/agents/admin/greeter?times=1e400",
    "/agents/admin/greeter?times=%D9%A3",
    "/agents/admin/greeter?__class__=1",
    "/agents/admin/greeter?name=a;times=2&%00=1",
    "/agents/admin/greeter?x%20=%202;%20import%20os=3",
    "/agents?cursor=" + "A" * 20_000,
    "/agents?cursor=W10",
    "/agents?cursor=W1tbW11dXV0",
    "/agents?cursor=bnVsbA",
    "/agents?limit=%2D1",
    "/agents?limit=1%00",
    "/agents?q=%ff",
    "/runs?since=9999-12-31T23:59:59-14:00",
    "/runs?since=0000-00-00",
    "/runs?since=%00",
    "/runs?agent=%2F",
    "/runs?agent=..%2F..",
    "/runs?status=%00",
    "/runs/" + "é",
    "/runs/%2e%2e/events",
    "/tokens/%00",
    "/nowhere/%2e%2e/%2e%2e/etc/passwd",
    "/api/kernels/../../etc/passwd",
    "/kernelspecs/python3/..%2f..%2f..%2fetc%2fpasswd",
    "/kernelspecs/nothing/logo.png",
    "/api/kernelspecs/nothing",
    "/api/kernels/00000000-0000-0000-0000-000000000000",
    "/api/kernels/00000000-0000-0000-0000-000000000000/channels",
    "/api/kernels/x",
]

DEEP = "[" * 400 + "]" * 400


def bad_notebook(**parts):
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **parts}
    return json.dumps({"agent_name": "bad", "notebook": notebook}).encode()


BAD_AGENTS = [
    b'{"agent_name": "bad\\u0000"}',
    b'{"agent_name": "bad", "metadata": {"a": ' + DEEP.encode() + b"}}",
    b'{"agent_name": "bad", "metadata": {"a": "\\udfff"}}',
    b'{"agent_name": "bad", "metadata": {"a": 1e999}}',
    b'{"agent_name": "bad", "description": "' + b"x" * 20_000 + b'"}',
    b'{"agent_name": "bad", "agent_config": "\\u0000"}',
    b'{"agent_name": "bad", "agent_config": "' + b"(" * 5000 + b'"}',
    b'{"agent_name": "bad", "agent_config": "x = ' + b"-" * 20_000 + b'1"}',
    b'{"agent_name": "bad", "notebook": {"nbformat": 3}}',
    bad_notebook(cells=[{}]),
    bad_notebook(metadata={"workbench": 7}),
    bad_notebook(metadata={"workbench": {"cases": 7}}),
    bad_notebook(metadata={"workbench": {"input_schema": {"$ref": "file:///etc/passwd"}}}),
    b'{"agent_name": "bad", "notebook": "' + b"[" * 100_000 + b'"}',
]

BAD_HEADERS = [
    {"If-Match": "nonsense"},
    {"If-None-Match": "nonsense"},
    {"Idempotency-Key": "ü"},
    {"Last-Event-ID": "-1"},
    {"Content-Type": "\xff"},
    {"Content-Encoding": "br"},
]


def status_of(answer):
    """The status of a raw answer; None if the gateway just hung up."""
    if not answer:
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if b"application/json" in head and status >= 400:
        assert set(json.loads(body)["error"]) >= {"code", "message", "request_id"}
    return status


@pytest.fixture
def unchanged(gateway):
    def state():
        return [gateway.ask("GET", path).body for path in ("/agents?limit=200", "/runs", "/tokens")]

    before = state()
    yield
    assert state() == before
    assert gateway.ask("GET", "/healthz").status == 200


def test_what_is_no_http_is_refused(gateway, unchanged):
    told = {line[:60]: status_of(gateway.raw(line, timeout=1, shut=True)) for line in LINES}

    assert not {line: status for line, status in told.items() if (status or 400) >= 500}
    assert not {line: status for line, status in told.items() if (status or 400) < 400}


def test_a_body_that_is_cut_or_lies_about_its_length_is_refused(gateway, unchanged):
    for body in BODIES:
        sent = body.replace(b"TOKEN", gateway.token.encode())
        status = status_of(gateway.raw(sent, timeout=1, shut=True))

        assert status is None or 400 <= status < 500, (body[-80:], status)


def test_a_path_or_query_that_makes_no_sense_is_refused(gateway, unchanged):
    for path, method in itertools.product(PATHS, ("GET", "POST", "DELETE")):
        sent = path if path.isascii() else path.encode().decode("latin-1")
        raw = (
            f"{method} {sent} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: Bearer {gateway.token}\r\n\r\n"
        ).encode("latin-1")
        status = status_of(gateway.raw(raw))

        assert status is not None and 400 <= status < 500, (method, path[:80], status)


@pytest.mark.parametrize("number", range(len(BAD_AGENTS)))
def test_a_poisonous_agent_is_refused(gateway, unchanged, number):
    said = gateway.ask(
        "POST", "/agents", BAD_AGENTS[number], headers={"Content-Type": "application/json"}
    )

    assert 400 <= said.status < 500, said.body
    assert said.code in ("InvalidRequest", "InvalidAgentConfig")


@pytest.mark.parametrize("header", BAD_HEADERS, ids=str)
def test_a_header_that_makes_no_sense_is_refused_or_ignored(gateway, unchanged, header):
    for method, path in [
        ("PUT", "/agents/admin/greeter/notebook"),
        ("POST", "/agents/admin/nobody/runs"),
        ("GET", "/agents/admin/greeter/notebook"),
        ("GET", "/runs/" + "0" * 32 + "/events"),
    ]:
        said = gateway.ask(method, path, b"{}" if method != "GET" else None, headers=header)

        assert said.status < 500, said.body


def test_a_body_that_is_too_large_is_told_so_in_the_one_shape(gateway, unchanged):
    large = b'{"agent_name": "' + b"x" * LIMIT + b'"}'

    for said in (
        gateway.ask("POST", "/agents", large),
        gateway.ask("PUT", "/agents/admin/greeter/files/x", large),
    ):
        assert (said.status, said.code) == (413, "PayloadTooLarge")
        assert said.error["details"] == {"limit": LIMIT}


def test_a_body_without_a_length_is_counted_as_it_comes(gateway, unchanged):
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    sent = post(b"Transfer-Encoding: chunked\r\nConnection: close\r\n", chunk * 9 + b"0\r\n\r\n")

    answer = gateway.raw(sent.replace(b"TOKEN", gateway.token.encode()))

    assert status_of(answer) == 413
    assert b"PayloadTooLarge" in answer


def test_who_asks_first_is_told_before_sending(gateway, unchanged):
    sent = post(b"Content-Length: %d\r\nExpect: 100-continue\r\n" % (LIMIT + 1))

    answer = gateway.raw(sent.replace(b"TOKEN", gateway.token.encode()))

    assert status_of(answer) == 413


@pytest.mark.parametrize("token", [b"TOKEN", b"wrong"])
def test_an_endless_body_ends(gateway, unchanged, token):
    sent = post(b"Transfer-Encoding: chunked\r\n").replace(b"TOKEN", token)
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    accepted = 0
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plug:
        plug.sendall(sent.replace(b"TOKEN", gateway.token.encode()))
        with pytest.raises(ConnectionError):
            for accepted in range(100):
                plug.sendall(chunk)

    assert accepted < 60


def test_what_is_refused_leaves_the_line_open_for_the_next(gateway):
    bad = post(b"Content-Length: 1\r\n", b"{")
    good = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    unknown = bad.replace(b"TOKEN", b"wrong")

    answer = gateway.raw(bad.replace(b"TOKEN", gateway.token.encode()) + unknown + good)

    assert [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [400, 401, 200]
