"""What an agent may ask for is told before it is asked for, and is what then holds."""

import pytest

from tests.conftest import as_notebook

pytestmark = pytest.mark.gateway


def test_what_is_told_is_what_is_granted_and_refused(gateway, ada):
    said = gateway.ask("GET", "/limits", token=ada).json
    memory = said["limits"]["memory_bytes"]

    assert memory["least"] <= memory["given"] <= memory["most"]
    assert said["limits"]["timeout_seconds"]["given"] == 60
    assert "agent_error" in said["retry"]["reasons"]
    for asked, valid in ((memory["most"], True), (memory["most"] + 1, False)):
        proposal = {
            "agent_name": "asks",
            "notebook": as_notebook("1", limits={"memory_bytes": asked}),
        }
        found = gateway.ask("POST", "/agents/validate", proposal, token=ada).json
        assert found["valid"] is valid, found
        if not valid:
            assert found["problems"][0]["details"]["field"] == (
                "metadata.workbench.limits.memory_bytes"
            )


def test_nobody_is_told_without_a_token(gateway):
    assert gateway.ask("GET", "/limits", token="nobody").status == 401
