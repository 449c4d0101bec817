"""What a gateway says of isolation, and whom it refuses for the want of it."""

import pytest

TRY = "from workbench import agent\nimport os\nagent.result(os.path.exists('/etc/shadow'))"

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


def test_a_gateway_says_its_level_once_and_records_it_on_every_run(gateway):
    level = gateway.ask("GET", "/healthz").json["isolation"]
    gateway.add("tried", TRY)

    run = gateway.ask("POST", "/agents/admin/tried/runs", {}).json

    assert gateway.wait(run["id"])["isolation"] == level
    assert gateway.log.read_text().count("isolation: ") == 1


def test_below_the_minimum_every_way_to_run_is_refused_with_what_to_do(start):
    gateway = start(
        env={"WORKBENCH_ISOLATION": "landlock", "WORKBENCH_ISOLATION_MINIMUM": "namespaces"}
    )
    gateway.add("tried", TRY)

    for method, path in (
        ("GET", "/agents/admin/tried"),
        ("POST", "/agents/admin/tried"),
        ("POST", "/agents/admin/tried/runs"),
    ):
        said = gateway.ask(method, path, {} if method == "POST" else None)
        assert said.status == 503, said.body
        assert said.code == "Unavailable"
        assert "namespaces" in said.error["message"]
        assert said.headers["Retry-After"]


def test_an_agent_may_ask_for_more_than_the_others(start):
    gateway = start(env={"WORKBENCH_ISOLATION": "none"})
    gateway.add("tried", TRY)
    notebook = {
        "cells": [],
        "metadata": {"workbench": {"isolation": "namespaces"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    said = gateway.ask("POST", "/agents", {"agent_name": "careful", "notebook": notebook})
    assert said.status == 201, said.body

    assert gateway.ask("GET", "/agents/admin/tried").status == 200
    refused = gateway.ask("GET", "/agents/admin/careful?test=true")
    assert refused.status == 503
    assert "namespaces" in refused.error["message"]
