"""A run over HTTP: found, followed from any event on, called off, and what it left."""

import http.client
import json
import socket
import threading

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

LEAVER = """\
from pathlib import Path
from workbench import agent
Path("out").mkdir()
Path("out/page.html").write_text("<script>alert(1)</script>")
Path("big.bin").write_bytes(b"x" * 1_000_000)
agent.result(None)
"""


def events_of(body):
    """The events of a stream that has ended."""
    events = []
    for block in body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if lines:
            events.append((int(lines["id"]), lines["event"], json.loads(lines["data"])))
    return events


@pytest.fixture(scope="module")
def ended(gateway):
    run = gateway.ask("POST", "/agents/admin/greeter/runs", {"parameters": {"name": "Ada"}}).json
    return gateway.wait(run["id"])


def test_a_run_says_all_about_itself(ended):
    named = {
        "id", "agent", "version", "status", "reason", "test", "parameters", "result", "error",
        "created_at", "started_at", "completed_at", "execution_time_ms", "resource_usage",
        "cells", "isolation", "attempt", "attempts",
    }  # fmt: skip

    assert named <= set(ended)
    assert ended["status"] == "completed"
    assert ended["agent"] == "admin/greeter"
    assert ended["created_at"] <= ended["started_at"] <= ended["completed_at"]
    assert {cell["status"] for cell in ended["cells"]} == {"completed"}
    assert all(cell["peak_memory_bytes"] > 0 for cell in ended["cells"])


def test_each_attempt_of_a_run_is_on_record(gateway, notebook):
    content = notebook(
        "print('so far')", "import os; os._exit(1)", retry={"max": 1, "backoff_seconds": 0}
    )
    gateway.ask("POST", "/agents", {"agent_name": "dying", "notebook": content})
    gateway.ask("POST", "/agents/admin/dying/versions?force=true")
    run = gateway.ask("POST", "/agents/admin/dying/runs", {}).json["id"]

    ended = gateway.wait(run)
    events = events_of(gateway.ask("GET", f"/runs/{run}/events").body)
    notebooks = [gateway.ask("GET", f"/runs/{run}/notebook?attempt={n}") for n in (1, 2, 3)]

    assert (ended["status"], ended["reason"], ended["attempt"]) == ("failed", "kernel_died", 2)
    told = [(a["attempt"], a["reason"], a["error"]["message"]) for a in ended["attempts"]]
    assert [one[:2] for one in told] == [(1, "kernel_died"), (2, "kernel_died")]
    kinds = [kind for _, kind, _ in events if kind.startswith("run.")]
    assert kinds == ["run.started", "run.retrying", "run.started", "run.failed"]
    assert [said.status for said in notebooks] == [200, 200, 404]
    assert all("so far" in str(said.json["cells"]) for said in notebooks[:2])
    assert gateway.ask("GET", f"/runs/{run}/files?attempt=0").status == 400


def test_a_stream_tells_a_run_from_its_first_event_to_its_last(gateway, ended):
    said = gateway.ask("GET", f"/runs/{ended['id']}/events")
    events = events_of(said.body)

    assert said.headers["Content-Type"] == "text/event-stream"
    assert [seq for seq, _, _ in events] == list(range(1, len(events) + 1))
    types = [kind for _, kind, _ in events]
    assert (types[0], types[-1]) == ("run.started", "run.completed")
    assert {"cell.started", "cell.finished", "output", "log", "result"} <= set(types)
    assert all(data["seq"] == seq and data["type"] == kind for seq, kind, data in events)


def test_a_stream_goes_on_behind_the_last_event_that_was_seen(gateway, ended):
    whole = events_of(gateway.ask("GET", f"/runs/{ended['id']}/events").body)

    for seen in (0, 1, 3, len(whole) - 1, len(whole), len(whole) + 1000):
        rest = gateway.ask(
            "GET", f"/runs/{ended['id']}/events", headers={"Last-Event-ID": str(seen)}
        )
        assert events_of(rest.body) == whole[seen:]


def test_a_stream_tells_what_happens_as_it_happens(gateway):
    run = gateway.ask("POST", "/agents/admin/sleeper/runs", {}).json["id"]
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request(
        "GET", f"/runs/{run}/events", headers={"Authorization": f"Bearer {gateway.token}"}
    )
    stream = connection.getresponse()
    while b"asleep" not in stream.readline():
        pass
    gateway.ask("POST", f"/runs/{run}/cancel")
    rest = stream.read()
    connection.close()

    assert b"event: run.cancelled" in rest


def test_a_follower_who_reads_slowly_misses_nothing(gateway):
    gateway.add("chatty", "for n in range(60):\n    print(str(n) * 20_000, flush=True)")
    run = gateway.ask("POST", "/agents/admin/chatty/runs", {}).json["id"]
    with socket.socket() as plug:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plug.connect(("127.0.0.1", gateway.port))
        plug.sendall(
            f"GET /runs/{run}/events HTTP/1.0\r\nAuthorization: Bearer {gateway.token}\r\n\r\n".encode()
        )
        plug.recv(1)
        settled = gateway.wait(run)
        told = b""
        while piece := plug.recv(65536):
            told += piece
    events = events_of(told.partition(b"\r\n\r\n")[2])

    assert settled["status"] == "completed"
    assert [seq for seq, _, _ in events] == list(range(1, len(events) + 1))
    assert events[-1][1] == "run.completed"
    assert len(told) > 1_000_000


def test_a_follower_who_vanishes_is_forgotten(gateway):
    run = gateway.ask("POST", "/agents/admin/sleeper/runs", {}).json["id"]
    for _ in range(20):
        gateway.raw(
            f"GET /runs/{run}/events HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {gateway.token}\r\n\r\n".encode(),
            timeout=0.02,
        )
    gateway.ask("POST", f"/runs/{run}/cancel")

    assert gateway.wait(run)["status"] == "cancelled"
    assert gateway.ask("GET", "/healthz").status == 200


def test_waiting_ends_with_the_run_or_with_patience(gateway):
    run = gateway.ask("POST", "/agents/admin/sleeper/runs", {}).json["id"]

    soon = gateway.ask("GET", f"/runs/{run}?wait=0.1").json
    told = []
    waiting = threading.Thread(target=lambda: told.append(gateway.wait(run)))
    waiting.start()
    said = gateway.ask("POST", f"/runs/{run}/cancel")
    waiting.join(30)

    assert soon["status"] in ("pending", "running")
    assert said.status == 202
    assert said.headers["Location"] == f"/runs/{run}"
    assert (told[0]["status"], told[0]["reason"]) == ("cancelled", "cancelled_by_user")
    assert gateway.ask("POST", f"/runs/{run}/cancel").json == told[0]


def test_runs_are_found_and_turned_page_by_page(gateway):
    started = [
        gateway.ask("POST", "/agents/admin/greeter/runs", {"test": test}).json["id"]
        for test in (False, True, False)
    ]
    for run in started:
        gateway.wait(run)

    def ids(query):
        return [run["id"] for run in gateway.ask("GET", f"/runs?{query}").json["items"]]

    assert ids("limit=2&agent=admin/greeter") == [started[2], started[0]]
    assert ids("limit=1&test=true") == [started[1]]
    assert ids("since=2999-01-01") == []
    assert ids("agent=admin/greeter&status=running") == []
    page = gateway.ask("GET", "/agents/admin/greeter/runs?limit=1").json
    behind = f"/agents/admin/greeter/runs?limit=1&cursor={page['next_cursor']}"
    assert gateway.ask("GET", behind).json["items"][0]["id"] == started[0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("status=done", "InvalidRequest"),
        ("test=2", "InvalidRequest"),
        ("since=then", "InvalidRequest"),
        ("limit=1000", "InvalidRequest"),
        ("cursor=%F0%9F%92%A9", "InvalidRequest"),
        ("agent=admin/nobody", "AgentNotFound"),
        ("agent=nobody", "AgentNotFound"),
        ("agent=a/b/c", "AgentNotFound"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(gateway, query, code):
    assert gateway.ask("GET", f"/runs?{query}").code == code


def test_what_a_run_printed_and_logged_is_text(gateway, ended):
    said = gateway.ask("GET", f"/runs/{ended['id']}/logs")

    assert said.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert said.body.decode().splitlines() == ["greeting Ada", "[INFO] half way"]


def test_the_executed_notebook_is_there(gateway, ended):
    said = gateway.ask("GET", f"/runs/{ended['id']}/notebook")

    assert said.headers["Content-Type"] == "application/x-ipynb+json"
    assert "greeting Ada" in said.body.decode()
    assert said.json["metadata"]["papermill"]["parameters"]["name"] == "Ada"


def test_the_files_a_run_left_are_kept_and_never_shown_as_a_page(gateway):
    gateway.add("leaver", LEAVER)
    run = gateway.ask("GET", "/agents/admin/leaver").headers["X-Run-Id"]

    listed = gateway.ask("GET", f"/runs/{run}/files").json["items"]
    page = gateway.ask("GET", f"/runs/{run}/files/out/page.html")
    big = gateway.ask("GET", f"/runs/{run}/files/big.bin")

    assert listed == [{"path": "big.bin", "size": 1_000_000}, {"path": "out/page.html", "size": 25}]
    assert page.body == b"<script>alert(1)</script>"
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert page.headers["Content-Security-Policy"] == "sandbox"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert (len(big.body), big.headers["Content-Length"]) == (1_000_000, "1000000")


@pytest.mark.parametrize(
    "path", ["nothing", "out", "..%2fnotebook.ipynb", "%2fetc%2fpasswd", "a%00", "%2e%2e/x", "//x"]
)
def test_no_other_file_is_ever_sent(gateway, ended, path):
    said = gateway.ask("GET", f"/runs/{ended['id']}/files/{path}")

    assert (said.status, said.code) == (404, "NotFound")


@pytest.mark.parametrize("run", ["x", "0" * 32, "f" * 32, "..", "%2e%2e%2f", "%00", "A" * 300])
@pytest.mark.parametrize("tail", ["", "/events", "/logs", "/notebook", "/files", "/files/x"])
def test_a_run_that_is_none_is_404(gateway, run, tail):
    said = gateway.ask("GET", f"/runs/{run}{tail}")

    assert (said.status, said.code) == (404, "NotFound")
