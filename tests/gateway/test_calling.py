"""Calling an agent answers its result; whatever else became of the run is said plainly."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


def test_the_result_is_the_whole_body(gateway):
    said = gateway.ask("GET", "/agents/admin/greeter?name=Ada&times=2")

    assert (said.status, said.json) == (200, {"hello": "Ada Ada", "test": False})
    assert said.headers["X-Run-Status"] == "completed"
    assert said.headers["Cache-Control"] == "no-store"
    run = gateway.ask("GET", f"/runs/{said.headers['X-Run-Id']}").json
    assert run["parameters"] == {"name": "Ada", "times": 2}
    assert (run["version"], run["user"], run["result"]) == ("1.0.0", "admin", said.json)


def test_a_body_of_parameters_says_the_same(gateway):
    said = gateway.ask("POST", "/agents/admin/greeter?test=true", {"name": "Bob"})
    bare = gateway.ask("POST", "/agents/admin/greeter")

    assert said.json == {"hello": "Bob", "test": True}
    assert bare.json == {"hello": "world", "test": False}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "?times=two", None, 422, "InvalidInput"),
        ("GET", "?nobody=1", None, 422, "InvalidInput"),
        ("GET", "?name=a&name=b", None, 400, "InvalidRequest"),
        ("GET", "?test=maybe", None, 400, "InvalidRequest"),
        ("GET", "?version=", None, 400, "InvalidRequest"),
        ("GET", "?version=1", None, 400, "InvalidRequest"),
        ("GET", "?version=7.0.0", None, 404, "NotFound"),
        ("GET", "?version=draft", None, 409, "IllegalMove"),
        ("POST", "", {"times": "two"}, 422, "InvalidInput"),
        ("POST", "", {"times": None}, 422, "InvalidInput"),
        ("POST", "", {"test": True}, 422, "InvalidInput"),
        ("POST", "", {"name": {"$ref": "file:///etc/passwd"}}, 422, "InvalidInput"),
        ("POST", "/runs", {"parameters": {"x": 1}}, 422, "InvalidInput"),
        ("POST", "/runs", {"parameters": {"test": True}}, 422, "InvalidInput"),
        ("POST", "/runs", {"parameters": []}, 400, "InvalidRequest"),
        ("POST", "/runs", {"name": "Ada"}, 400, "InvalidRequest"),
        ("POST", "/runs", {"test": "yes"}, 400, "InvalidRequest"),
    ],
)
def test_what_cannot_be_run_makes_no_run(gateway, method, path, body, status, code):
    before = gateway.ask("GET", "/agents/admin/greeter/runs?limit=1").json["items"]

    said = gateway.ask(method, f"/agents/admin/greeter{path}", body)

    assert (said.status, said.code) == (status, code)
    assert gateway.ask("GET", "/agents/admin/greeter/runs?limit=1").json["items"] == before


def test_a_cell_that_raises_is_named(gateway):
    said = gateway.ask("GET", "/agents/admin/breaker")

    assert (said.status, said.code) == (500, "ExecutionFailed")
    details = said.error["details"]
    assert (details["ename"], details["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert details["reason"] == "agent_error"
    assert "1 / 0" in details["cell"]["source"]
    assert {"id", "index", "source"} <= set(details["cell"])
    assert said.headers["X-Run-Id"] == details["run_id"]
    assert said.headers["X-Run-Status"] == "failed"


def test_a_run_out_of_time_is_504(gateway, notebook):
    gateway.ask(
        "POST",
        "/agents",
        {"agent_name": "slow", "notebook": notebook("while True: pass", timeout_seconds=1)},
    )

    said = gateway.ask("GET", "/agents/admin/slow?test=1")

    assert (said.status, said.code) == (504, "ExecutionTimeout")
    assert said.error["details"]["reason"] == "timeout"


def test_who_waits_for_a_run_that_is_called_off_is_told(gateway):
    told = []
    waiting = threading.Thread(
        target=lambda: told.append(gateway.ask("GET", "/agents/admin/sleeper?seconds=50"))
    )
    waiting.start()
    run = _running(gateway, "sleeper")
    gateway.ask("POST", f"/runs/{run}/cancel")
    waiting.join(30)

    assert (told[0].status, told[0].code) == (409, "IllegalMove")
    assert told[0].error["details"]["run_id"] == run


def test_who_goes_away_leaves_a_run_that_goes_on(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port)) as plug:
        plug.sendall(
            b"GET /agents/admin/sleeper?seconds=1 HTTP/1.1\r\nHost: x\r\n"
            b"Authorization: Bearer " + gateway.token.encode() + b"\r\n\r\n"
        )
        run = _running(gateway, "sleeper")

    assert gateway.wait(run)["status"] == "completed"


def _running(gateway, name):
    """The id of the run of that agent that is under way."""
    while True:
        items = gateway.ask("GET", f"/agents/admin/{name}/runs?status=running").json["items"]
        if items:
            return items[0]["id"]


def test_who_would_rather_not_wait_gets_the_run(gateway):
    said = gateway.ask(
        "POST", "/agents/admin/greeter", {"name": "Eve"}, headers={"Prefer": "respond-async"}
    )

    assert said.status == 202
    assert said.headers["Preference-Applied"] == "respond-async"
    assert said.headers["Location"] == f"/runs/{said.json['id']}"
    assert gateway.wait(said.json["id"])["result"]["hello"] == "Eve"


def test_a_run_is_started_by_address_or_by_id(gateway):
    agent = gateway.ask("GET", "/agents/admin/greeter/about").json
    one = gateway.ask(
        "POST", "/agents/admin/greeter/runs", {"parameters": {"name": "A"}, "test": True}
    )
    two = gateway.ask("POST", f"/agents/{agent['id']}/execute", {"input": {"name": "B"}})

    assert (one.status, two.status) == (202, 202)
    assert one.headers["Location"] == f"/runs/{one.json['id']}"
    assert gateway.wait(one.json["id"])["result"] == {"hello": "A", "test": True}
    assert gateway.wait(two.json["id"])["result"] == {"hello": "B", "test": False}
    assert gateway.ask("POST", "/agents/nobody/execute", {}).code == "AgentNotFound"


@pytest.mark.parametrize("route", ["/runs", "?test=1", "execute"])
def test_of_fifty_requests_with_one_key_one_makes_a_run(gateway, route):
    agent = gateway.ask("GET", "/agents/admin/greeter/about").json
    path = (
        f"/agents/{agent['id']}/execute"
        if route == "execute"
        else (f"/agents/admin/greeter{route}")
    )
    headers = {"Idempotency-Key": f"key-{route}"}

    def send(_):
        return gateway.ask("POST", path, {}, headers=headers)

    with ThreadPoolExecutor(50) as crowd:
        said = list(crowd.map(send, range(50)))

    assert len({one.headers["X-Run-Id"] for one in said}) == 1
    assert len([one for one in said if "Idempotency-Replayed" not in one.headers]) == 1
    assert len({one.status for one in said}) == 1
    other = {"name": "x"} if "test" in route else {"test": True}
    changed = gateway.ask("POST", path, other, headers=headers)
    assert (changed.status, changed.code) == (422, "IdempotencyMismatch")


def test_a_key_is_its_users_own(gateway, ada, bob, sources):
    gateway.add("keyed", sources["greeter"], token=ada, visibility="public")
    runs = {
        gateway.ask(
            "POST", "/agents/ada/keyed/runs", {}, token=token, headers={"Idempotency-Key": "same"}
        ).json["id"]
        for token in (ada, bob)
    }

    assert len(runs) == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 300])
def test_a_key_that_is_none_is_refused(gateway, key):
    said = gateway.ask("POST", "/agents/admin/greeter/runs", {}, headers={"Idempotency-Key": key})

    assert (said.status, said.code) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    "path",
    [
        "/agents/admin/nobody",
        "/agents/nobody/greeter",
        "/agents/ADMIN/greeter",
        "/agents/admin/Greeter",
        "/agents/admin/" + "x" * 300,
        "/agents/admin/a%2fb",
        "/agents/admin/..",
        "/agents/%2e%2e/greeter",
        "/agents/admin/greeter%00",
        "/agents/admin/gr%C3%A9eter",
        "/agents/admin/greeter%20",
    ],
)
def test_what_cannot_be_an_agent_is_none(gateway, path):
    for method in ("GET", "POST"):
        assert gateway.ask(method, path).code == "AgentNotFound"
    assert gateway.ask("GET", f"{path}/about").code == "AgentNotFound"
