"""Notebooks call other agents and use the toolbox, in real kernels, over the run's own door."""

import json

import pytest

from tests.conftest import as_notebook

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

DOUBLER = """\
# %% tags=["parameters"]
number: int  # what to double
# %%
from workbench import agent
agent.result(2 * number)
"""

ASKER = """\
# %% tags=["parameters"]
address: str = "admin/doubler"
number: int = 21
# %%
from workbench import agent
try:
    answer = agent.call(address, number=number)
except agent.CallFailed as error:
    answer = error.code
agent.result(answer)
"""

TALKER = """\
# %%
from workbench import agent
agent.file("numbers.csv", "n\\n21\\n")
agent.result(agent.chat(
    "Double it.",
    tools=[agent.toolbox.agents("admin/doubler"), "files"],
    skills=["numbers"],
    persona="brief",
).text)
"""

SCRIPT = {
    "rules": [
        {
            "when": {"turn": 0, "tool": "first_number"},
            "reply": {"tools": [{"name": "first_number", "arguments": {"path": "numbers.csv"}}]},
        },
        {
            "when": {"turn": 1, "tool_result": "21", "tool": "admin__doubler"},
            "reply": {"tools": [{"name": "admin__doubler", "arguments": {"number": 21}}]},
        },
        {
            "when": {"turn": 2, "tool_result": "42"},
            "reply": {
                "tools": [{"name": "write_file", "arguments": {"path": "answer.txt", "text": "42"}}]
            },
        },
        {"when": {"turn": 3}, "reply": {"text": "It is 42."}},
    ]
}

SKILL = "---\nname: numbers\ndescription: Reads numbers.\n---\nRead before you calculate.\n"

SKILL_TOOLS = '''
from workbench import agent

@agent.tool(effects="read")
def first_number(path: str) -> int:
    """The first number of a file."""
    return int(open(path).read().split()[1])
'''


def one_cell(source, **metadata):
    return as_notebook(source.removeprefix("# %%\n"), **metadata)


def attach(gateway, name, **files):
    for path, text in files.items():
        said = gateway.ask(
            "PUT",
            f"/agents/admin/{name}/files/{path.replace('__', '/')}",
            text.encode(),
            headers={"Content-Type": "application/octet-stream"},
        )
        assert said.status in (200, 201), said.body


def carried_out(gateway, name, **wish):
    asked = gateway.ask("POST", f"/agents/admin/{name}/runs", wish)
    assert asked.status == 202, asked.body
    return gateway.wait(asked.json["id"])


def test_a_notebook_calls_an_agent_whose_run_says_so(gateway):
    gateway.add("doubler", DOUBLER)
    gateway.add("calls", ASKER)

    run = carried_out(gateway, "calls")
    [called] = gateway.ask("GET", "/runs?agent=admin/doubler&limit=1").json["items"]

    assert run["result"] == 42
    assert called["parent_run_id"] == run["id"] and called["parameters"] == {"number": 21}
    assert run["parent_run_id"] is None
    for address, code in (
        ("admin/calls", "IllegalMove"),
        ("admin/nobody", "AgentNotFound"),
        ("no address/at all", "AgentNotFound"),
        ("no address", "NotFound"),
    ):
        refused = carried_out(gateway, "calls", parameters={"address": address})
        assert refused["result"] == code
    odd = carried_out(gateway, "calls", parameters={"number": 2**70})
    assert odd["result"] in (2**71, "InvalidInput")


def test_only_the_run_itself_calls_from_there(gateway, ada):
    run = carried_out(gateway, "calls")
    for token, refused in (("", (403, "InsufficientPermissions")), (ada, (404, "NotFound"))):
        for method in ("GET", "POST"):
            path = f"/runs/{run['id']}/calls/admin/doubler"
            said = gateway.ask(method, path, {} if method == "POST" else None, token=token)
            assert (said.status, said.code) == refused


@pytest.mark.parametrize("level", ["namespaces", "none"])
def test_a_model_uses_a_skill_files_and_an_agent_at_either_level(start, level):
    gateway = start(env={"WORKBENCH_ISOLATION": level})
    gateway.add("doubler", DOUBLER)
    gateway.add("talker", TALKER, publish=False)
    files = {
        "model.script.json": json.dumps(SCRIPT),
        "skills__numbers__SKILL.md": SKILL,
        "skills__numbers__tools.py": SKILL_TOOLS,
        "personas__brief.md": "You are brief.",
    }
    attach(gateway, "talker", **files)
    published = gateway.ask("POST", "/agents/admin/talker/versions")
    assert published.status == 201, published.body
    attach(gateway, "talker", **{"personas__brief.md": "You are wordy."})

    run = carried_out(gateway, "talker", model="record")

    assert run["error"] is None
    assert run["result"] == "It is 42."
    assert run["isolation"].startswith(level)
    left = [each["path"] for each in gateway.ask("GET", f"/runs/{run['id']}/files").json["items"]]
    assert set(left) == {"answer.txt", "numbers.csv", "model.cassette.json"}
    tape = gateway.ask("GET", f"/runs/{run['id']}/files/model.cassette.json").json
    system = tape["entries"][0]["request"]["messages"][0]["content"]
    assert system == "You are brief.\n\n# numbers\n\nRead before you calculate."
    events = gateway.ask("GET", f"/runs/{run['id']}/events").body.decode()
    assert events.count("event: tool.call\n") == events.count("event: tool.result\n") == 3
    assert gateway.stop()[0] == 0


SHELL = """\
# %%
from workbench import agent
[shell] = agent.toolbox.shell()
agent.result(shell("id -u; ls /; env | grep -c wbr_")["output"])
"""


def test_a_shell_is_had_where_agent_and_administrator_want_it(gateway, start):
    notebook = one_cell(SHELL, shell=True)
    refused = gateway.ask("POST", "/agents", {"agent_name": "sheller", "notebook": notebook})
    assert (refused.status, refused.code) == (422, "InvalidAgentConfig")
    gateway.add("hopes-for-one", SHELL)
    hoped = carried_out(gateway, "hopes-for-one")
    assert "metadata.workbench.shell" in hoped["error"]["evalue"]

    allowing = start(env={"WORKBENCH_SHELL": "true"})
    made = allowing.ask("POST", "/agents", {"agent_name": "sheller", "notebook": notebook})
    assert made.status == 201, made.body
    allowing.ask("POST", "/agents/admin/sheller/versions?force=true")
    run = carried_out(allowing, "sheller")
    assert run["error"] is None
    assert "etc" in run["result"].split() and run["result"].split()[-1] == "0"
    assert allowing.stop()[0] == 0


WALLED = """\
from workbench import agent
try:
    agent.result(agent.chat("Hello").text)
except agent.ModelError as error:
    agent.result(str(error))
"""


def test_without_namespaces_a_model_is_within_reach_of_an_open_network_alone(start):
    gateway = start(env={"WORKBENCH_ISOLATION": "landlock", "WORKBENCH_NETWORK": "open"})
    for name, network in (("walled", "none"), ("open", "open")):
        notebook = one_cell(WALLED, network=network)
        made = gateway.ask("POST", "/agents", {"agent_name": name, "notebook": notebook})
        assert made.status == 201, made.body
        gateway.ask("POST", f"/agents/admin/{name}/versions?force=true")

    assert "landlock" in carried_out(gateway, "walled")["result"]
    assert "You said: Hello" in carried_out(gateway, "open")["result"]
    assert gateway.stop()[0] == 0
