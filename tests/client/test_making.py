"""Agents that nobody wrote are made from Python, whether that is waited for or awaited."""

import pytest

from workbench.errors import (
    AgentNotFound,
    DuplicateAgentName,
    InvalidAgentConfig,
    InvalidInput,
    InvalidRequest,
)

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


@pytest.fixture
def name(request):
    """A name that no other test uses."""
    return f"m{abs(hash(request.node.nodeid)) % 10**12}"


def test_a_prompt_is_an_agent_and_so_is_a_preset_of_it(wb, name):
    prompt = wb.agents.prompt(name, "Say {{times: int = 1}} times: {{text}}", publish=True)
    assert prompt.run(text="hello").endswith("You said: Say 1 times: hello")

    preset = wb.agents.preset(
        f"{name}-as", prompt.address, parameters={"text": "hello", "times": 2}, publish=True
    )

    assert preset.run().endswith("You said: Say 2 times: hello")
    with pytest.raises(DuplicateAgentName):
        wb.agents.prompt(name, "again")
    with pytest.raises(InvalidAgentConfig):
        wb.agents.prompt(f"{name}-no", "{{a b}}")
    with pytest.raises(InvalidInput):
        wb.agents.preset(f"{name}-no", prompt.address, parameters={"unknown": 1})
    with pytest.raises(AgentNotFound):
        wb.agents.preset(f"{name}-no", "nobody/nothing")


def test_what_is_described_is_a_draft_in_the_end(wb, name):
    made = wb.agents.generate(name, "Sum the rows of a table.")

    assert made.wait() == "drafted"
    assert (made.settled, made.verified) == (True, True)
    assert made.plan["title"] == "Sum the rows of a table"
    agent = made.agent()
    assert (agent.current_version, agent.test(rows=[1, 2])["sum"]) == (None, 3.0)
    assert repr(made).endswith(f"Generation {name}: drafted>")
    assert made.cancel() == "drafted"


def test_a_plan_comes_first_if_that_is_wanted(wb, name):
    planned = wb.agents.generate(name, "Sum the rows of a table.", plan_only=True)
    assert planned.wait() == "planned"
    with pytest.raises(InvalidRequest):
        planned.agent()

    plan = {**planned.plan, "title": "Mine"}
    made = wb.agents.generate(name, "Sum the rows of a table.", plan=plan)
    assert made.wait(60) == "drafted"
    made.refresh()

    assert made.agent().notebook()["cells"][0]["source"].startswith("# Mine")
    with pytest.raises(InvalidRequest):
        wb.agents.generate(f"{name}-no", "x", plan={"title": ""})
