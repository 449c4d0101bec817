"""Validation over HTTP: all problems at once, with severity and place, and nothing kept."""

import pytest

pytestmark = pytest.mark.gateway


def ask(gateway, **body):
    said = gateway.ask("POST", "/agents/validate", {"agent_name": "never", **body})
    assert said.status == 200, said.body
    return said.json


def test_all_problems_are_told_with_their_place(gateway):
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    notebook = {
        "cells": [
            {"cell_type": "code", "source": source, "metadata": {}}
            for source in ("import no_such_module", "def (", f"\nkey = '{key}'")
        ],
        "metadata": {"workbench": {"timeout_seconds": -1}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    before = gateway.ask("GET", "/agents").json
    said = ask(gateway, notebook=notebook, visibility="everybody")
    told = {
        (p["severity"], p["code"], p["details"].get("cell"), p["details"].get("line"))
        for p in said["problems"]
    }

    assert said["valid"] is False
    assert told == {
        ("error", "InvalidAgentConfig", None, None),
        ("error", "InvalidAgentConfig", 1, 1),
        ("error", "SecretInSource", 2, 2),
        ("warning", "ModuleNotFound", 0, 1),
    }
    assert len(said["problems"]) == 5
    assert all(p["details"].get("cell_id") for p in said["problems"] if "cell" in p["details"])
    assert key not in str(said)
    assert gateway.ask("GET", "/agents").json == before


def test_a_warning_does_not_make_it_invalid(gateway):
    said = ask(gateway, agent_config="import no_such_module")

    assert said["valid"] is True and said["agent_name"] == "never"
    assert [p["severity"] for p in said["problems"]] == ["warning"]


def test_a_name_that_cannot_be_is_a_problem_like_others(gateway):
    said = ask(gateway, agent_name="No Name", agent_config="def (")

    assert [p["code"] for p in said["problems"]] == ["InvalidAgentConfig"] * 2


def test_what_is_refused_for_a_secret_is_not_stored(gateway):
    body = {"agent_name": "leaky", "agent_config": "key = 'AKIA" + "A1" * 8 + "'", "publish": True}
    said = gateway.ask("POST", "/agents", body)

    assert (said.status, said.code) == (422, "InvalidAgentConfig")
    assert said.error["details"]["problem"] == "SecretInSource"
    assert gateway.ask("GET", "/agents/admin/leaky/about").status == 404
    assert gateway.ask("POST", "/agents", {**body, "publish": False}).status == 201
