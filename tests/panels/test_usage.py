"""What language models took and cost is shown to authors: as plots, and on every run."""

import asyncio
import json

import pytest

from tests.llm.upstream import COMPLETION, answer, misbehaving_in_a_thread
from tests.panels.conftest import Server
from workbench.panels import wording
from workbench.panels.desk import Desk
from workbench.panels.viewer_page import ViewerPage

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

ASKER = """\
# %% tags=["parameters"]
model: str = "gpt-5.4-mini"
times: int = 1
# %%
from workbench import agent

for _ in range(times):
    agent.chat("2 + 2", model=model, stream=False)
agent.result("asked")
"""
COST = (600 * 0.75 + 400 * 0.075 + 100 * 4.5) / 10**6


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A gateway with a model that has a price and one that has none, and who asks them."""
    with misbehaving_in_a_thread() as upstream:
        upstream.will(answer(COMPLETION))
        models = {
            "upstreams": {"one": {"kind": "openai", "url": upstream.url}},
            "budgets": {"run": {"calls": 2}},
        }
        home = tmp_path_factory.mktemp("usage") / "home"
        server = Server(home, WORKBENCH_MODELS=json.dumps(models))
        try:
            with server.client() as wb:
                wb.agents.create("asker", ASKER).publish(force=True)
            yield server
        finally:
            server.stop()


def played(open_panel, play):
    """What *play* makes of a panel, which is closed afterwards."""

    async def whole():
        panel = open_panel()
        await panel.done()
        try:
            async with asyncio.timeout(100):
                return await play(panel)
        finally:
            await panel.end()

    return asyncio.run(whole())


def test_usage_is_shown_on_the_run_and_as_plots(server):
    async def play(desk):
        runs = desk.agents.runs
        said = []
        for model in ("gpt-5.4-mini", "our-own"):
            runs.fill("model", model)
            runs.start()
            await desk.done()
            said.append(runs._usage.shown["meta"])
        desk.show("figures")
        await desk.done()
        return said, desk.figures.usage

    (priced, unpriced), usage = played(lambda: Desk(server.find), play)

    took = "1 question, 1,000 tokens read (400 from the cache), 100 written (20 reasoning)"
    assert priced == f"Language models: {took}, cost {wording.dollars(COST)}."
    assert unpriced == f"Language models: {took}, cost unknown."
    shown = {name: chart.shown for name, chart in usage._charts.items()}
    assert all(len(chart["labels"]) == 14 for chart in shown.values())
    calls = {one["name"]: sum(one["values"]) for one in shown["calls"]["series"]}
    assert calls == {"questions": 1, "of unknown cost": 1}
    tokens = {one["name"]: sum(one["values"]) for one in shown["tokens"]["series"]}
    assert tokens == {"read": 1200, "read from the cache": 800, "written": 160, "reasoning": 40}
    assert sum(shown["cost"]["series"][0]["values"]) == pytest.approx(COST)
    rows = {
        name: [(row["name"], row["calls"], row["cost"]) for row in table.shown["rows"]]
        for name, table in usage._tables.items()
    }
    both = f"{wording.dollars(COST)} and 1 unknown"
    assert rows["agent"] == [("admin/asker", 2, both)]
    assert rows["user"] == [("admin", 2, both)]
    # Both were answered by the same one, says the upstream.
    assert rows["model"] == [(COMPLETION["model"], 2, both)]


def test_a_budget_that_is_used_up_is_told_in_plain_words_and_money_to_authors_only(server):
    async def ask(runs):
        runs.fill("times", "3")
        runs.start()

    async def at_desk(desk):
        await ask(desk.agents.runs)
        await desk.done()
        return desk.agents.runs

    async def on_page(page):
        page.look_at(page.state.agents[0])
        await page.done()
        await ask(page.run_panel)
        await page.done()
        return page.run_panel

    author = played(lambda: Desk(server.find), at_desk)
    viewer = played(lambda: ViewerPage(server.find, files_at="/runs/"), on_page)

    assert author.state.run["reason"] == viewer.state.run["reason"] == "budget_exceeded"
    assert "The budget of this run for language models is used up." in author._ending.shown["text"]
    assert author._usage.shown["meta"].startswith("Language models: 2 questions")
    assert viewer._ending.shown["text"].startswith(
        "The agent has asked language models for all that it may and was stopped."
    )
    assert not viewer._usage.shown["meta"]
    assert "$" not in json.dumps([part.shown for part in (viewer._ending, viewer._value)])
