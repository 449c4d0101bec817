"""The log tells of every request and run to programs, and never a secret to anybody."""

import json
import logging
import sys
import time

import pytest

from workbench.errors import InvalidRequest
from workbench.gateway.logs import AsJson, about
from workbench.settings import read

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

CANARY = "canary-that-nobody-may-hear-of"


def lines(gateway):
    return [json.loads(line) for line in gateway.log.read_text().splitlines()]


def until(gateway, wanted):
    """The lines, once one of them is as it is *wanted*."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = lines(gateway)
        if any(wanted(line) for line in found):
            return found
    raise AssertionError(found)


def test_each_request_has_a_line_that_says_what_and_whose_and_how(start, sources):
    gateway = start(env={"WORKBENCH_LOG_FORMAT": "json"})
    gateway.add("greeter", sources["greeter"])
    said = gateway.ask("GET", "/agents/admin/greeter?name=Ada", headers={"X-Request-Id": "find-me"})
    gateway.ask("GET", "/nowhere/at/all", token=None)

    found = until(gateway, lambda line: line.get("route") == "unknown")
    (line,) = [line for line in found if line.get("request_id") == "find-me"]

    assert line["level"] == "info" and line["logger"] == "workbench.gateway"
    assert (line["method"], line["route"]) == ("GET", "/agents/{owner}/{name}")
    assert (line["status"], line["user"]) == (200, "admin")
    assert line["run_id"] == said.headers["X-Run-Id"]
    assert line["ms"] > 0 and line["time"].endswith("Z")


def test_each_run_has_a_line_when_it_begins_and_when_it_ends(start, sources):
    gateway = start(env={"WORKBENCH_LOG_FORMAT": "json"})
    gateway.add("breaker", sources["breaker"])
    gateway.ask("GET", "/agents/admin/breaker")

    found = until(gateway, lambda line: line.get("status") == "failed")
    told = [line for line in found if line["logger"] == "workbench.runs"]

    assert [line["status"] for line in told] == ["running", "failed"]
    assert len({line["run_id"] for line in told}) == 1
    assert told[1]["reason"] == "agent_error" and told[1]["agent"] == "admin/breaker"
    assert told[1]["ms"] > 0


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_holds_a_token_a_query_a_body_or_a_result(start, sources, form):
    secret = f"{CANARY}-as-a-token"
    gateway = start(env={"WORKBENCH_LOG_FORMAT": form}, token=secret)
    gateway.add("greeter", sources["greeter"], description=CANARY)
    token = gateway.newcomer("ada")
    for path in (
        f"/agents/admin/greeter?name={CANARY}",
        f"/agents?q={CANARY}",
        f"/agents?token={secret}",
        f"/nowhere/{CANARY}?access_token={secret}",
        f"/agents/{CANARY}/x",
        f"/runs/{CANARY}/files/{CANARY}",
        f"/runs/{'0' * 32}/events?ticket={CANARY}",
        f"/api/kernels?token={secret}",
        f"/agents?cursor={CANARY}",
    ):
        gateway.ask("GET", path)
        gateway.ask("GET", path, token=token)
        gateway.ask("GET", path, token=f"wb_0000000000000000_{CANARY}")
    made = gateway.ask("POST", "/tickets", {"path": f"/runs/{'0' * 32}/logs"}).json
    gateway.ask("GET", made["url"], token=None)
    gateway.ask("POST", "/agents/admin/greeter", {"name": CANARY})
    gateway.ask("POST", "/agents", {"agent_name": "x", "agent_config": f"({CANARY}"})
    gateway.ask("POST", "/agents", f'{{"{CANARY}'.encode())
    gateway.raw(f"GET /{CANARY} HTTP/9\r\n\r\n".encode(), timeout=1, shut=True)
    gateway.raw(f"GET / HTTP/1.1\r\nHost: x\r\nBad {CANARY}\r\n\r\n".encode(), timeout=1)
    gateway.stop()

    log = gateway.log.read_text()
    assert CANARY not in log, log
    for hidden in (token, made["ticket"], gateway.token):
        assert hidden not in log
    assert form == "text" or len(log.splitlines()) > 20


def test_a_form_nobody_knows_is_refused(tmp_path):
    with pytest.raises(InvalidRequest, match="log_format"):
        read({"WORKBENCH_LOG_FORMAT": "xml"}, home=tmp_path)


def test_a_failure_of_ours_is_one_line_with_all_of_it():
    try:
        raise ValueError("broken\nin two")
    except ValueError:
        record = logging.LogRecord(
            "a.b", logging.ERROR, "x", 1, "it %s", ("broke",), sys.exc_info()
        )
    for name, value in about({"run_id": "1", "user": ""}).items():
        setattr(record, name, value)

    line = AsJson().format(record)

    assert "\n" not in line
    said = json.loads(line)
    assert (said["message"], said["run_id"], said["level"]) == ("it broke", "1", "error")
    assert "ValueError: broken\nin two" in said["exception"]
    assert "user" not in said
