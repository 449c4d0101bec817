"""The page for viewers: they find an agent, fill in its form, run it and see what came of it."""

import asyncio

import pytest

from tests.panels.conftest import Server, until
from workbench import AsyncWorkbench
from workbench.panels.viewer_page import AT_ONCE, ViewerPage

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


def titles(page):
    return [item["title"] for item in page._cards.shown["items"]]


async def opened(server, name=None, begin_at=None):
    page = ViewerPage(server.find, files_at="/runs/", begin_at=begin_at)
    await page.done()
    if name is not None:
        page.look_at(next(a for a in page.state.agents if a["agent_name"] == name))
        await page.done()
    return page


def journey(test):
    """A test whose page is closed at its end, on a loop of its own."""

    def carried_out(server):
        async def whole():
            pages = []

            async def open_page(name=None, **how):
                pages.append(await opened(server, name, **how))
                return pages[-1]

            try:
                async with asyncio.timeout(90):
                    await test(open_page)
            finally:
                for page in pages:
                    await page.end()

        asyncio.run(whole())

    carried_out.__name__ = test.__name__
    return carried_out


@journey
async def test_published_agents_are_found_by_their_words(open_page):
    page = await open_page()

    assert page.state.user == "admin"
    assert titles(page) == ["Greeter", "Slow", "Breaker"]
    page.find("somebody GREET")
    await page.done()
    assert titles(page) == ["Greeter"]
    page.find("nothing like it")
    await page.done()
    assert titles(page) == []
    assert page._cards.shown["empty"] == "No agent matches."


@journey
async def test_a_page_can_begin_at_an_agent_and_goes_where_the_address_does(open_page):
    page = await open_page(begin_at="admin/greeter")
    assert page.state.agent["agent_name"] == "greeter"
    assert page._address.shown == {"agent": "admin/greeter", "title": "Greeter"}

    page.go_to("")
    await page.done()
    assert (page.state.agent, page._address.shown["agent"]) == (None, "")
    assert titles(page) == ["Greeter", "Slow", "Breaker"]

    page.go_to("admin/slow")
    await page.done()
    assert page.state.agent["agent_name"] == "slow"
    page.go_to("admin/draft")
    await page.done()
    assert "no such agent" in page._trouble.shown["text"]
    assert len(titles(page)) == 3


@pytest.mark.parametrize("address", ["admin/none", "admin/draft", "a/b/c", "?"])
def test_an_address_of_no_published_agent_shows_the_others(server, address):
    async def whole():
        page = await opened(server, begin_at=address)
        seen = page.state.at, page._trouble.shown["text"], titles(page)
        await page.end()
        return seen

    at, said, shown = asyncio.run(whole())

    assert (at, len(shown)) == ("", 3)
    assert "no such agent" in said


def test_all_of_many_agents_can_be_leafed_through_and_found(tmp_path):
    server = Server(tmp_path / "home")
    source = "# %% [markdown]\n# Number {0} of the crowd{1}"
    try:
        with server.client() as wb:
            for n in range(2 * AT_ONCE + 5):
                text = source.format(n, ", the odd one out" if n == 3 else "")
                wb.agents.create(f"agent-{n}", text).publish(force=True)
                wb.agents.create(f"draft-{n}", text)
        asyncio.run(_leaf_through(server))
    finally:
        server.stop()


async def _leaf_through(server):
    page = await opened(server)
    seen = [(len(titles(page)), page.state.more)]
    while page.state.more:
        page.show_more()
        await page.done()
        seen.append((len(titles(page)), page.state.more))
    assert seen == [(AT_ONCE, True), (2 * AT_ONCE, True), (2 * AT_ONCE + 5, False)]
    assert len(set(titles(page))) == 2 * AT_ONCE + 5

    # What is typed while an answer is under way is what is answered.
    page.find("crowd")
    page.find("odd one out")
    await page.done()
    assert (titles(page), page.state.more) == (["Agent 3"], False)
    await page.end()


@journey
async def test_an_agent_is_run_and_its_result_log_and_files_are_shown(open_page):
    page = await open_page("greeter")
    panel = page.run_panel
    panel.fill("name", "<i>Eve</i>")

    panel.start()
    assert panel.state.busy
    await page.done()

    state = panel.state
    assert (state.run["status"], state.busy, state.problem) == ("completed", False, "")
    assert state.blocks == ({"kind": "figures", "pairs": [["Text", "hello <i>Eve</i>"]]},)
    assert [line.text for line in state.lines] == ["looking for <i>Eve</i>"]
    (link,) = panel._links.shown["items"]
    assert link["href"] == f"/runs/{state.run['id']}/card.txt"
    assert [cell.state for cell in state.followed.cells] == ["completed"] * 3
    assert [run["id"] for run in page.state.earlier][:1] == [state.run["id"]]


@journey
async def test_a_form_with_something_wrong_in_it_starts_nothing(open_page):
    page = await open_page("greeter")
    panel = page.run_panel
    panel._on_form({"fill": "times", "text": "often"})
    assert panel._fields.shown["problems"] == {"times": "This must be a whole number."}

    panel._on_form({"submit": True})
    await page.done()

    assert (panel.state.run, panel.state.busy) == (None, False)
    assert "another look" in panel._problem.shown["text"]
    panel._on_form({"fill": "times", "text": "2"})
    assert (panel._fields.shown["problems"], panel._problem.shown["text"]) == ({}, "")


@journey
async def test_a_run_is_called_off(open_page):
    page = await open_page("slow")
    panel = page.run_panel
    panel.start()
    await until(lambda: panel.state.lines)
    panel.start()

    panel.cancel()
    await page.done()

    assert panel.state.run["status"] == "cancelled"
    assert panel._ending.shown["text"] == "It was called off."
    assert len(page.state.earlier) == 1


@journey
async def test_a_failed_run_is_a_plain_sentence_and_an_id(open_page):
    page = await open_page("breaker")
    page.run_panel.start()
    await page.done()

    said = page.run_panel._ending.shown["text"]
    assert "met a problem" in said
    assert page.run_panel.state.run["id"] in said
    assert "ZeroDivision" not in said
    assert page.run_panel.state.blocks == ()


@journey
async def test_an_earlier_run_comes_back_with_what_it_was_given(open_page):
    page = await open_page("greeter")
    page.run_panel.fill("name", "Grace")
    page.run_panel.start()
    await page.done()
    ran = page.run_panel.state.run["id"]
    page.leave()
    await page.done()
    assert page.state.agent is None
    page._on_card({"choose": page.state.agents[0]["id"]})
    await page.done()

    page.look_back(ran)
    await page.done()

    assert page.run_panel.state.form.texts["name"] == "Grace"
    assert page.run_panel.state.blocks[0]["pairs"] == [["Text", "hello Grace"]]


def test_a_viewer_sees_the_public_agents_and_their_own_runs_alone(server):
    with server.client() as wb:
        wb.agents.get("admin/greeter").change(visibility="public")
        tokens = [wb.make_token("theirs", user=name)["token"] for name in ("vera", "walt")]

    async def pages():
        seen = []
        for token in tokens:
            page = ViewerPage(lambda token=token: AsyncWorkbench(server.url, token))
            await page.done()
            page.look_at(page.state.agents[0])
            await page.done()
            seen.append((titles_of(page), len(page.state.earlier), page.state.user))
            page.run_panel.start()
            await page.done()
            assert page.run_panel.state.run["user"] == page.state.user
            await page.end()
        return seen

    def titles_of(page):
        return [agent["agent_name"] for agent in page.state.agents]

    assert asyncio.run(pages()) == [(["greeter"], 0, "vera"), (["greeter"], 0, "walt")]


def test_a_gateway_that_is_restarted_is_waited_for_and_the_run_is_told_of(server):
    async def whole():
        page = await opened(server, "slow")
        page.run_panel.start()
        await until(lambda: page.run_panel.state.lines)
        await asyncio.to_thread(server.stop)
        # How the run ended, it may have said before it went; that it is gone shows whoever asks.
        page.find("slow")
        await until(lambda: page._trouble.shown["text"])
        said = page._trouble.shown["text"]
        await asyncio.to_thread(server.start)
        await until(lambda: not page._trouble.shown["text"])
        await page.done()
        run = page.run_panel.state.run
        await page.end()
        return said, run["status"], run["reason"]

    said, status, reason = asyncio.run(whole())

    assert "does not answer" in said
    assert (status, reason) == ("failed", "gateway_restarted")
