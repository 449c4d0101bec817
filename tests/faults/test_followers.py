"""Those who follow runs, however many and however slowly, hold up nobody and pile up nothing."""

import contextlib
import os
import re
import socket
import time

import pytest

pytestmark = pytest.mark.gateway

IDLE = 500


def memory(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def follow(gateway, run, *, small=False, after=None):
    plug = socket.socket()
    if small:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    plug.settimeout(30)
    plug.connect(("127.0.0.1", gateway.port))
    resume = f"Last-Event-ID: {after}\r\n" if after is not None else ""
    plug.sendall(
        f"GET /runs/{run}/events HTTP/1.1\r\nHost: x\r\n{resume}"
        f"Authorization: Bearer {gateway.token}\r\n\r\n".encode()
    )
    return plug


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def streams(gateway):
    text = gateway.ask("GET", "/metrics").body.decode()
    return float(re.search(r"^workbench_event_streams (\S+)", text, re.MULTILINE)[1])


def test_five_hundred_idle_followers_one_slow_one_and_some_who_vanish(start):
    gateway = start(env={"WORKBENCH_RUNS_AT_ONCE": "2"})
    pid = gateway.process.pid
    gateway.add("quiet", "import time\ntime.sleep(600)")
    gateway.add("chatty", "for n in range(40):\n    print(str(n % 10) * 100_000, flush=True)")
    quiet = gateway.ask("POST", "/agents/admin/quiet/runs", {}).json["id"]
    until(lambda: gateway.ask("GET", f"/runs/{quiet}").json["status"] == "running")
    chatty = gateway.ask("POST", "/agents/admin/chatty/runs", {}).json["id"]
    assert gateway.wait(chatty)["status"] == "completed"
    base, files = memory(pid), descriptors_of(pid)

    with contextlib.ExitStack() as plugs:
        for _ in range(IDLE):
            plugs.enter_context(follow(gateway, quiet))
        # Who takes a byte at a time makes the gateway wait, not remember.
        slow = [plugs.enter_context(follow(gateway, chatty, small=True)) for _ in range(20)]
        until(lambda: streams(gateway) >= IDLE + 20)
        for plug in slow:
            assert plug.recv(1)
        grown = memory(pid) - base
        # Meanwhile others are served: a run from its beginning to its end, and its stream.
        other = gateway.ask("POST", "/agents/admin/chatty/runs", {}).json["id"]
        ended = gateway.wait(other)
        whole = gateway.ask("GET", f"/runs/{other}/events").body
        half = whole[: len(whole) // 2]
        seen = int(re.findall(rb"^id: (\d+)", half, re.MULTILINE)[-1])
        rest = gateway.ask("GET", f"/runs/{other}/events", headers={"Last-Event-ID": str(seen)})
    # All of them are gone without a word.
    until(lambda: streams(gateway) == 0)
    until(lambda: descriptors_of(pid) <= files + 5)

    assert ended["status"] == "completed"
    assert rest.body.startswith(b"id: %d\n" % (seen + 1))
    assert whole.endswith(rest.body)
    assert grown < 60 * 1024 * 1024
    assert gateway.ask("GET", "/healthz").status == 200
