"""The desk of an author: agents are made, edited, published, compared; runs are looked at."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.panels.conftest import ROOT, at_desk, make
from workbench.panels.difference import difference_page

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


@at_desk
async def test_agents_are_listed_filtered_and_found_by_what_is_in_their_cells(desk):
    agents = desk.agents

    assert [a["agent_name"] for a in agents.state.found][:4] == [
        "greeter",
        "slow",
        "breaker",
        "draft",
    ]
    assert agents.state.agent["agent_name"] == "greeter"
    agents._on_search({"filter": "draft"})
    assert {a["stage"] for a in agents.state.found} == {"draft"}
    agents._on_search({"filter": "draft"})
    agents.find("time.sleep(600)")
    await desk.done()
    assert [a["agent_name"] for a in agents.state.found] == ["slow"]


@at_desk
async def test_an_agent_is_made_from_a_starter_tested_published_and_run(desk):
    agents = desk.agents
    agent = await make(desk, "made")
    assert (agent["stage"], agents.state.making) == ("draft", False)
    off = {one["id"]: one.get("off") for one in agents.runs._actions.shown["buttons"]}
    assert off == {"run": True, "test": False}

    agents.runs.start(test=True)
    await desk.done()
    assert agents.runs.state.run["test"] is True
    assert agents.runs.state.run["result"] == {"greeting": "Hello, world!"}
    agents.versions.publish()
    await desk.done()

    assert agents.state.agent["current_version"] == "1.0.0"
    assert [row["id"] for row in agents.versions._table.shown["rows"]] == ["draft", "1.0.0"]
    agents.runs.start()
    await desk.done()
    assert agents.runs.state.run["version"] == "1.0.0"


@at_desk
async def test_a_source_that_can_be_no_agent_is_told_of_while_it_is_typed(desk):
    new = desk.agents.new
    new.fill("source", "x = (")
    await desk.done()
    assert new.state.valid is False
    assert new._found.shown["tone"] == "bad"

    new.fill("source", "x = 1")
    await desk.done()
    assert new.state.valid is True
    new.create()
    assert "name" in new.state.problem
    new.fill("name", "Not A Name")
    assert new._fields.shown["problems"]["name"]
    new.create()
    assert "a-z" in new.state.problem
    new.fill("starter", "Table")
    new.fill("starter", "Greeting")
    await desk.done()
    assert new.state.source == "x = 1"


@at_desk
async def test_what_an_agent_says_of_itself_is_edited_and_two_states_are_compared(desk):
    agents = desk.agents
    await make(desk, "edited", "Table")
    agents.versions.publish()
    await desk.done()
    editor = agents.editor

    editor.fill("output_schema", "{oops")
    assert "no JSON" in editor._fields.shown["problems"]["output_schema"]
    editor.save()
    assert editor.state.problem
    editor.fill("output_schema", '{"type": "object", "required": ["sum"]}')
    editor.fill("timeout_seconds", "12")
    editor.fill("description", "Sums up.")
    editor.fill("visibility", "public")
    editor.save()
    await desk.done()

    agent = agents.state.agent
    assert (agent["description"], agent["visibility"]) == ("Sums up.", "public")
    assert agent["draft_differs"]
    assert editor.state.own["timeout_seconds"] == 12
    assert editor.state.own["output_schema"] == {"type": "object", "required": ["sum"]}
    assert "input_schema" not in editor.state.own
    assert editor.is_saved()
    agents.versions.choose("draft")
    agents.versions.choose("1.0.0")
    await desk.done()
    assert "<html" in agents.versions.state.page
    assert "timeout_seconds" in agents.versions.state.page


@at_desk
async def test_versions_are_rolled_back_to_and_deprecated(desk):
    agents = desk.agents
    await make(desk, "turned")
    agents.versions.publish()
    await desk.done()
    agents.editor.fill("timeout_seconds", "9")
    agents.editor.save()
    await desk.done()
    agents.versions.publish()
    await desk.done()
    second = agents.state.agent["current_version"]
    assert second != "1.0.0"

    agents.versions.choose("1.0.0")
    agents.versions.roll_back()
    await desk.done()
    assert agents.state.agent["current_version"] == "1.0.0"
    agents.versions.choose(second)
    agents.versions.deprecate()
    await desk.done()

    rows = {row["id"]: row["stage"]["word"] for row in agents.versions._table.shown["rows"]}
    assert rows == {"draft": "draft", second: "deprecated", "1.0.0": "published"}


@at_desk
async def test_runs_are_listed_shown_as_notebooks_and_compared(desk):
    agents = desk.agents
    agents.look_at(next(a for a in agents.state.agents if a["agent_name"] == "greeter"))
    for name in ("Ann", "Ben"):
        agents.runs.fill("name", name)
        agents.runs.start()
        await desk.done()
    desk.show("runs")
    await desk.done()
    runs = desk.runs
    runs._on_search({"find": "admin/greeter"})
    await desk.done()
    second, first = (run["id"] for run in runs.state.runs[:2])

    runs.choose(first)
    await desk.done()
    assert "hello Ann" in runs.state.page
    runs.choose(second, more=True)
    await desk.done()

    assert 'data-mark="-">looking for Ann' in runs.state.page
    assert 'data-mark="+">looking for Ben' in runs.state.page
    runs._on_search({"filter": "failed"})
    await desk.done()
    assert runs.state.runs == ()
    runs._on_search({"filter": "failed"})
    runs._on_search({"find": "greet"})
    await desk.done()
    assert {run["agent"] for run in runs.state.runs} == {"admin/greeter"}
    runs._on_search({"find": "nobody"})
    await desk.done()
    assert runs._table.shown["empty"] == "No agent matches."


@at_desk
async def test_a_run_is_filled_in_again_with_what_it_was_given(desk):
    agents = desk.agents
    agents.look_at(next(a for a in agents.state.agents if a["agent_name"] == "greeter"))
    agents.runs.fill("name", "Cleo")
    agents.runs.start()
    await desk.done()
    agents.look_at(next(a for a in agents.state.agents if a["agent_name"] == "slow"))
    desk.show("runs")
    await desk.done()

    desk.runs.choose(desk.runs.state.runs[0]["id"])
    await desk.done()
    desk.runs._on_press({"press": "again"})
    await desk.done()

    assert (desk.state.tab, agents.state.agent["agent_name"]) == ("agents", "greeter")
    assert agents.runs.state.form.texts["name"] == "Cleo"


@at_desk
async def test_figures_tell_how_runs_have_gone_and_where_the_time_goes(desk):
    desk.agents.runs.start()
    await desk.done()
    desk.show("figures")
    await desk.done()
    figures = desk.figures

    assert figures.state.statistics["runs"] >= 1
    labels = figures._runs.shown["labels"]
    assert len(labels) == 14
    completed = figures._runs.shown["series"][0]["values"]
    assert sum(completed) == figures.state.statistics["completed"]
    assert figures.state.slowest
    assert figures._cells.shown["rows"][0]["took"] >= figures._cells.shown["rows"][-1]["took"]


def test_the_desk_notebook_shows_it(server, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(server.home))
    document = nbformat.read(Path(ROOT) / "notebooks" / "home.ipynb", as_version=4)

    done = NotebookClient(document, timeout=60).execute()

    (output,) = done.cells[-1].outputs
    assert "application/vnd.jupyter.widget-view+json" in output.data


def test_what_differs_is_marked_and_what_is_from_outside_escaped():
    def run(value):
        return {
            "id": "r",
            "version": "1",
            "status": "completed",
            "execution_time_ms": 1.0,
            "parameters": {"n": value},
            "result": None,
        }

    def notebook(text):
        output = {"output_type": "stream", "text": [text]}
        return {"cells": [{"cell_type": "code", "id": "<a>", "source": "1", "outputs": [output]}]}

    page = difference_page(run(1), notebook("<b>old"), run(2), notebook("<b>new"))

    assert '<div data-mark="-">&lt;b&gt;old</div>' in page
    assert '<div data-mark="+">&lt;b&gt;new</div>' in page
    assert "<code>&lt;a&gt;</code> <i>differs</i>" in page
    assert "<b>parameters</b> <i>differs</i>" in page
    assert "<b>result</b> <i>same</i>" in page
    assert "<tr><th>status</th>" in page
