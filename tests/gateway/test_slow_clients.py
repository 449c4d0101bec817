"""Who sends slowly, or nothing at all, is cut off, and nobody else notices."""

import contextlib
import socket
import threading
import time

import pytest

from workbench.settings import read

pytestmark = pytest.mark.gateway

SECONDS = 1.0
HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory, gateway):
    """A gateway that waits a second for anything."""
    seconds = str(SECONDS)
    env = {
        "WORKBENCH_HEAD_SECONDS": seconds,
        "WORKBENCH_BODY_SECONDS": seconds,
        "WORKBENCH_HEAD_BYTES": "4096",
        "WORKBENCH_READY_KERNELS": "0",
    }
    hasty = type(gateway)(tmp_path_factory.mktemp("hasty") / "home", env=env)
    yield hasty
    code, _ = hasty.stop()
    assert code == 0
    assert "Traceback" not in hasty.log.read_text()


def cut_off(gateway, *pieces, pause=0.2):
    """After how many seconds the gateway hangs up on who sends *pieces* and no more."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plug:
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def send():
            with contextlib.suppress(OSError):
                for piece in pieces:
                    plug.sendall(piece)
                    if gone.wait(pause):
                        return

        gone = threading.Event()
        sending = threading.Thread(target=send)
        sending.start()
        with contextlib.suppress(ConnectionError):
            while plug.recv(65536):
                pass
        gone.set()
        sending.join()
    return time.monotonic() - begun


def letters(data):
    return [data[at : at + 1] for at in range(len(data))]


def test_who_says_nothing_is_cut_off(hasty):
    assert SECONDS * 0.9 < cut_off(hasty) < 5


@pytest.mark.parametrize(
    "head", [[HEAD], letters(HEAD + b"A: " + b"a" * 100)], ids=["half", "letter by letter"]
)
def test_half_a_head_is_cut_off(hasty, head):
    assert SECONDS * 0.9 < cut_off(hasty, *head) < 5


@pytest.mark.parametrize("body", [[b'{"a'], letters(b" " * 100)], ids=["half", "letter by letter"])
@pytest.mark.parametrize(
    "length", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"], ids=["long", "chunked"]
)
def test_half_a_body_is_cut_off(hasty, length, body):
    head = (
        b"POST /agents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        + hasty.token.encode() + b"\r\n" + length + b"\r\n\r\n"
    )  # fmt: skip
    pieces = (
        [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in body] if b"chunked" in length else body
    )

    assert SECONDS * 0.9 < cut_off(hasty, head, *pieces) < 5


def test_a_line_that_is_not_used_any_more_is_given_up(hasty):
    assert SECONDS * 0.9 < cut_off(hasty, HEAD + b"\r\n") < 5


def test_others_are_answered_while_a_hundred_dawdle(hasty):
    with contextlib.ExitStack() as plugs:
        for _ in range(100):
            plug = socket.create_connection(("127.0.0.1", hasty.port), timeout=10)
            plugs.enter_context(plug)
            plug.sendall(HEAD)
        assert hasty.ask("GET", "/healthz", timeout=5).status == 200


def test_a_head_that_is_too_large_is_refused(hasty):
    fits = hasty.ask("GET", "/healthz", headers={"X": "a" * 3000})

    assert fits.status == 200
    assert not hasty.raw(HEAD + b"X: " + b"a" * 5000 + b"\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_waiting_for_a_run_is_not_dawdling(hasty):
    hasty.add("slow", "import time\ntime.sleep(2)")

    assert hasty.ask("GET", "/agents/admin/slow", timeout=60).status == 200


def test_by_default_there_is_time_but_not_for_ever(tmp_path):
    settings = read({}, home=tmp_path)

    assert 10 <= settings.head_seconds <= 120 and 60 <= settings.body_seconds <= 600
