"""An agent is described at the desk: its plan is looked over, what came of it is shown."""

import json

import pytest

from tests.panels.conftest import until
from tests.panels.test_desk import at_desk

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


def buttons(panel):
    return [one["id"] for one in panel._actions.shown["buttons"]]


@at_desk
async def test_a_plan_is_made_changed_and_written_and_the_draft_opened(desk):
    agents, panel = desk.agents, desk.agents.described
    agents._on_new({"press": "describe"})
    assert (agents.state.describing, agents.state.making) == (True, False)
    panel.plan()
    assert panel.state.problem
    panel.fill("name", "summed")
    panel.fill("description", "Sum the rows of a table.")

    panel.plan()
    await desk.done()
    plan = json.loads(panel.state.plan)
    assert plan["title"] == "Sum the rows of a table"
    assert [one["name"] for one in panel._fields.shown["fields"]] == ["name", "description", "plan"]
    panel.fill("plan", json.dumps({**plan, "title": "Sums"}))
    panel.write()
    await desk.done()

    assert panel.state.generation["verified"] is True
    assert "No language model" in panel._came.shown["text"]
    assert "+ # Sums" in panel._changed.shown["code"]
    assert buttons(panel) == ["open"]
    panel.open()
    await desk.done()
    assert agents.state.describing is False
    assert agents.state.agent["agent_name"] == "summed"
    assert agents.state.agent["stage"] == "draft"
    assert panel.state.plan == ""


@at_desk
async def test_a_prompt_is_an_agent_that_can_be_begun_with(desk):
    new = desk.agents.new
    new.fill("starter", "Prompt")
    new.fill("source", "{{a b}}")
    await desk.done()
    assert new.state.valid is False
    new.fill("source", "Say it {{times: int = 2}} times: {{text}}")
    await desk.done()
    assert new.state.valid is True
    new.fill("name", "sayer")
    new.create()
    await desk.done()

    agent = desk.agents.state.agent
    assert [p["name"] for p in agent["parameters"]] == ["times", "text"]


@at_desk
async def test_what_goes_wrong_is_said_and_can_be_put_right(desk):
    panel = desk.agents.described
    panel.fill("name", "greeter")
    panel.fill("description", "Greet somebody.")
    panel.write()
    await desk.done()
    assert "greeter" in panel.state.problem
    assert panel._said.shown["tone"] == "bad"

    panel.fill("name", "greets")
    panel.fill("plan", "{")
    panel.write()
    await until(lambda: panel.state.problem)
    assert "JSON" in panel.state.problem
    panel.fill("plan", "")
    panel.write()
    await desk.done()
    assert panel.state.agent["agent_name"] == "greets"
