"""Agents written with other people's frameworks run as they are; each is tried where it is installed.

The scripted model asks for the tool once and then says what the tool said.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

FOLDER = Path(__file__).parents[2] / "notebooks" / "frameworks"

MODULES = {
    "langgraph": "langgraph",
    "openai": "openai",
    "openai-agents": "agents",
    "pydantic-ai": "pydantic_ai",
    "smolagents": "smolagents",
}


def test_every_example_is_tried_here_and_kept_without_outputs():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(MODULES)
    for path in FOLDER.glob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.parametrize("framework", MODULES)
def test_an_agent_of_that_framework_runs_unmodified(gateway, framework):
    if find_spec(MODULES[framework]) is None:
        pytest.skip(f"{framework} is not installed: pip install 'agent-workbench[frameworks]'")
    name = f"by-{framework}"
    notebook = json.loads((FOLDER / f"{framework}.ipynb").read_text())
    made = gateway.ask("POST", "/agents", {"agent_name": name, "notebook": notebook})
    assert made.status == 201, made.body
    kept = gateway.ask(
        "PUT",
        f"/agents/admin/{name}/files/model.script.json",
        (FOLDER / "model.script.json").read_bytes(),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert kept.status == 201

    run = gateway.wait(gateway.ask("POST", f"/agents/admin/{name}/runs", {"test": True}).json["id"])

    assert run["error"] is None
    assert run["result"] == "It goes 22.6 miles."
    assert run["usage"]["calls"] == (1 if framework == "smolagents" else 2)
