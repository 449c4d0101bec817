"""The landing panel lists the agents, runs one, and shows what came of it."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from workbench import Workbench
from workbench.panels.home import Home

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

ROOT = Path(__file__).parents[2]


def addresses(home):
    return [agent.address for agent in home.state.agents]


def test_the_agents_are_listed_and_the_first_is_looked_at(wb):
    home = Home(wb)

    assert addresses(home) == ["admin/greeter", "admin/slow", "admin/draft"]
    assert home.state.agent.address == "admin/greeter"
    assert home.form.values() == {"name": "Ada"}


def test_an_agent_is_found_by_its_text(wb):
    home = Home(wb)

    home.find("slow")
    assert addresses(home) == ["admin/slow"]
    assert home.state.agent.address == "admin/slow"
    home.find("nothing like it")
    assert addresses(home) == []


def test_a_run_is_started_followed_and_its_result_shown(wb):
    home = Home(wb)
    home.form.set("name", "<i>Eve</i>")

    home.start()
    home.watching.join(60)

    assert not home.state.busy
    assert home.state.run["status"] == "completed"
    assert home.state.run["result"] == {"text": "hello <i>Eve</i>"}
    assert home.state.fraction == 1.0


def test_a_run_that_goes_on_is_called_off(wb):
    home = Home(wb)
    home.find("slow")
    home.start()
    assert home.state.busy
    home.start()

    home.cancel()
    home.watching.join(60)

    assert home.state.run["status"] == "cancelled"
    assert len(list(wb.runs.list(agent="admin/slow"))) == 1


def test_a_draft_runs_as_a_test_only(wb):
    home = Home(wb)
    home.find("draft")

    home.start()
    assert "draft" in home.state.problem
    home.start(test=True)
    home.watching.join(60)

    assert (home.state.problem, home.state.run["test"]) == ("", True)


def test_a_gateway_that_is_gone_is_a_problem_in_words(wb):
    home = Home(wb)
    home._wb = Workbench("http://127.0.0.1:9", "t")

    home.find("x")

    assert "does not answer" in home.state.problem
    assert home.state.agents


def test_the_landing_notebook_shows_it(home, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    document = nbformat.read(ROOT / "notebooks" / "home.ipynb", as_version=4)

    done = NotebookClient(document, timeout=60).execute()

    (output,) = done.cells[-1].outputs
    assert "application/vnd.jupyter.widget-view+json" in output.data
    assert not any(cell.get("outputs") for cell in done.cells[:-1])
