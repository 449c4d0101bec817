"""What is counted is true, is a bounded number of series, and names nobody."""

import http.client
import re
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


def samples(said):
    """Every sample by name and labels."""
    assert said.status == 200, said.body
    assert said.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(said.body.decode())
        for sample in family.samples
    }


def value(gateway, name, **labels):
    return samples(gateway.ask("GET", "/metrics")).get((name, frozenset(labels.items())), 0.0)


def test_runs_are_counted_by_how_they_ended(gateway):
    done = {"status": "completed", "reason": "", "test": "false"}
    broken = {"status": "failed", "reason": "agent_error", "test": "false"}
    names = ("workbench_runs_total",)
    before = [value(gateway, *names, **labels) for labels in (done, broken)]
    took = value(gateway, "workbench_run_duration_seconds_count")
    waited = value(gateway, "workbench_run_queue_wait_seconds_count")

    gateway.ask("GET", "/agents/admin/greeter")
    gateway.ask("GET", "/agents/admin/breaker")

    after = [value(gateway, *names, **labels) for labels in (done, broken)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1]
    assert value(gateway, "workbench_run_duration_seconds_count") == took + 2
    assert value(gateway, "workbench_run_queue_wait_seconds_count") == waited + 2


def test_requests_are_counted_by_route_and_never_by_address(gateway):
    labels = {"method": "GET", "route": "/runs/{run}", "status": "404"}
    before = value(gateway, "workbench_http_requests_total", **labels)
    for number in range(5):
        gateway.ask("GET", f"/runs/{number:032x}")
        gateway.ask("GET", f"/nowhere/{number}")
        gateway.ask("BREW", f"/agents/a{number}/b{number}")

    found = samples(gateway.ask("GET", "/metrics"))
    routes = {dict(labels).get("route") for _, labels in found}
    assert value(gateway, "workbench_http_requests_total", **labels) == before + 5
    assert "unknown" in routes and "/agents/{owner}/{name}" in routes
    assert not [r for r in routes if r and re.search(r"\d", r.removeprefix("/v1"))]
    text = gateway.ask("GET", "/metrics").body.decode()
    assert "admin" not in text and "greeter" not in text and "BREW" not in text


def test_how_things_stand_is_told(gateway):
    run = gateway.ask("POST", "/agents/admin/sleeper/runs", {}).json["id"]
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request(
        "GET", f"/runs/{run}/events", headers={"Authorization": f"Bearer {gateway.token}"}
    )
    stream = connection.getresponse()
    stream.readline()

    try:
        assert value(gateway, "workbench_runs_in_progress") == 1
        assert value(gateway, "workbench_kernels", state="busy") == 1
        assert value(gateway, "workbench_event_streams") == 1
        assert ("workbench_kernels", frozenset({("state", "ready")})) in samples(
            gateway.ask("GET", "/metrics")
        )
    finally:
        gateway.ask("POST", f"/runs/{run}/cancel")
        stream.read()
        connection.close()
    deadline = time.monotonic() + 10
    while value(gateway, "workbench_event_streams") and time.monotonic() < deadline:
        pass
    assert value(gateway, "workbench_event_streams") == 0
    assert value(gateway, "workbench_run_queue_depth") == 0


def test_how_far_the_index_is_behind_the_journal_is_told(gateway):
    records = value(gateway, "workbench_journal_records")
    gateway.ask("GET", "/agents/admin/greeter")

    # A list asks the index, so all that is durable is in it then.
    assert gateway.ask("GET", "/runs").status == 200
    assert value(gateway, "workbench_journal_records") >= records + 3
    assert value(gateway, "workbench_index_lag_records") == 0


def test_the_administrator_may_see_them_and_nobody_else(gateway, ada):
    nobody = gateway.ask("GET", "/metrics", token=None)
    author = gateway.ask("GET", "/metrics", token=ada)
    wrong = gateway.ask("GET", "/metrics", token="wrong")

    assert (nobody.status, nobody.code) == (401, "Unauthenticated")
    assert (author.status, author.code) == (403, "InsufficientPermissions")
    assert (wrong.status, wrong.code) == (401, "Unauthenticated")


def test_a_setting_shows_them_to_everybody(start):
    gateway = start(env={"WORKBENCH_METRICS_PUBLIC": "1"})

    assert gateway.ask("GET", "/metrics", token=None).status == 200
