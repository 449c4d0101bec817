"""Told to stop, it lets the short runs end, gives the long ones up in words, and keeps who waits."""

import signal
import time

import pytest

from tests.gateway.conftest import SLEEPER

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


def begun(gateway, count):
    while gateway.ask("GET", "/healthz").json["runs"]["running"] < count:
        pass


def test_short_runs_end_long_ones_are_lost_or_begin_again_and_who_waits_is_kept(start, notebook):
    env = {"WORKBENCH_DRAIN_SECONDS": "4", "WORKBENCH_RUNS_AT_ONCE": "3"}
    gateway = start(env=env)
    gateway.add("once", SLEEPER)
    again = notebook(
        ("seconds: float = 0.0  # since 1970", "parameters"),
        "import time\nwhile time.time() < seconds:\n    time.sleep(0.1)",
        retry={"max": 1, "backoff_seconds": 0},
    )
    body = {"agent_name": "again", "notebook": again}
    assert gateway.ask("POST", "/agents", body).status == 201
    assert gateway.ask("POST", "/agents/admin/again/versions?force=true").status == 201

    def ask(name, seconds):
        wish = {"parameters": {"seconds": seconds}}
        return gateway.ask("POST", f"/agents/admin/{name}/runs", wish).json["id"]

    short, long, retried = ask("once", 1), ask("once", 60), ask("again", time.time() + 20)
    begun(gateway, 3)
    waiting = [ask("once", 0) for _ in range(3)]
    code, seconds = gateway.stop(signal.SIGTERM)
    later = start(env=env)
    ended = {run: later.wait(run) for run in (short, long, retried, *waiting)}

    assert (code, seconds < 30) == (0, True)
    assert ended[short]["status"] == "completed"
    assert (ended[long]["status"], ended[long]["reason"]) == ("failed", "gateway_restarted")
    assert (ended[retried]["status"], ended[retried]["attempt"]) == ("completed", 2)
    reasons = [attempt["reason"] for attempt in ended[retried]["attempts"]]
    assert reasons == ["gateway_restarted", None]
    assert {ended[run]["status"] for run in waiting} == {"completed"}
    for attempt, status in ((1, {200, 404}), (2, {200}), (3, {404})):
        path = f"/runs/{retried}/notebook?attempt={attempt}"
        assert later.ask("GET", path).status in status
    assert later.ask("GET", f"/runs/{retried}/notebook?attempt=no").status == 400
