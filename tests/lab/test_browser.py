"""An author in JupyterLab, in a real browser, without any network."""

import json
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.conftest import as_notebook
from tests.lab.browsing import (
    PATIENCE,
    accept,
    edit,
    expect,
    front,
    go,
    in_a_browser,
    open_draft,
    settle,
)
from tests.lab.conftest import GREETER

pytestmark = in_a_browser


@pytest.fixture
def wb(lab):
    with lab.serving.workbench() as wb:
        yield wb


def test_it_opens_with_the_workbench_and_asks_nobody_about_saving_it(page, lab):
    go(page, lab)

    panel = page.locator(".wbl-page .jp-OutputArea-output")
    panel.first.wait_for(timeout=PATIENCE)
    code = page.locator(".wbl-page .jp-CodeCell .jp-Cell-inputWrapper").all()
    assert code
    for cell in code:
        expect(cell).to_be_hidden()
    expect(page.locator(".wbl-side")).to_be_visible()
    # The token is nowhere to be seen.
    assert "token" not in page.url
    assert front(page, "model.dirty") is False


def test_an_author_makes_edits_tests_publishes_and_compares(page, lab, wb):
    go(page, lab)
    page.locator(".wbl-side .wbl-main").click()
    page.locator(".wbl-form").get_by_label("Name", exact=True).fill("Daily Greeting")
    page.locator(".wbl-choice", has_text="Empty").click()
    accept(page)
    settle(page, "agents/admin/daily-greeting.ipynb")
    # Looking at it is no edit.
    assert front(page, "model.dirty") is False

    edit(page, 'from workbench import agent\n\nagent.result({"greeting": f"Good day, {name}"})')
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    agent = wb.agents.get("admin/daily-greeting")
    assert "Good day" in agent.notebook()["cells"][-1]["source"]

    page.locator(".wbl-front .wbl-test").click()
    page.locator(".wbl-form input").first.fill("Grace")
    accept(page)
    done = page.locator(".wbl-runs li[data-status=completed]")
    expect(done).to_contain_text("test completed", timeout=PATIENCE)
    expect(page.locator(".wbl-result")).to_contain_text("Good day, Grace")

    page.locator(".wbl-tool-publish").click()
    page.locator(".wbl-form textarea").fill("Greets by day")
    accept(page)
    expect(page.locator(".wbl-front .wbl-badge")).to_have_attribute(
        "data-stage", "published", timeout=PATIENCE
    )

    edit(page, 'from workbench import agent\n\nagent.result({"greeting": f"Good night, {name}"})')
    page.evaluate("() => jupyterapp.shell.currentWidget.context.save()")
    expect(page.locator(".wbl-front .wbl-badge")).to_have_attribute(
        "data-stage", "edited", timeout=PATIENCE
    )
    page.locator(".wbl-front .wbl-compare-verb").click()
    compared = page.frame_locator(".wbl-compare iframe")
    expect(compared.locator("tr.went")).to_contain_text("Good day", timeout=PATIENCE)
    expect(compared.locator("tr.came")).to_contain_text("Good night")
    agent.refresh()
    assert agent.run(name="Eve") == {"greeting": "Good day, Eve"}


def test_a_failed_test_says_what_went_wrong_and_leads_to_the_run(page, lab, wb):
    wb.agents.create("breaker", "1 / 0")
    open_draft(page, lab, "breaker")

    page.locator(".wbl-front .wbl-test").click()

    expect(page.locator(".wbl-result.wbl-mod-bad")).to_contain_text(
        "division by zero", timeout=PATIENCE
    )
    page.get_by_role("button", name="Open the run").click()
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.context?.path.includes('/tests/')", timeout=PATIENCE
    )
    executed = page.locator(".jp-NotebookPanel:visible")
    expect(executed).to_contain_text("ZeroDivisionError: division by zero", timeout=PATIENCE)


def test_who_saves_over_somebody_else_chooses(page, lab, wb):
    agent = wb.agents.create("shared", GREETER)
    open_draft(page, lab, "shared")
    agent.save(as_notebook("theirs = 1"))
    edit(page, "mine = 1")

    page.keyboard.press("Control+s")

    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("File Changed", timeout=PATIENCE)
    assert agent.notebook()["cells"][-1]["source"] == "theirs = 1"
    dialog.get_by_role("button", name="Overwrite").click()
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    assert agent.notebook()["cells"][-1]["source"] == "mine = 1"


def test_a_version_is_for_reading(page, lab, wb):
    agent = wb.agents.create("frozen", GREETER)
    agent.publish(force=True)
    path = f"agents/admin/frozen/{agent.current_version}.ipynb"
    go(page, lab, f"/tree/{path}")
    settle(page, path)

    expect(page.locator(".jp-NotebookPanel:visible").get_by_text("read-only")).to_be_visible()
    assert front(page, "contentsModel.writable") is False
    edit(page, "changed = 1")
    page.keyboard.press("Control+s")

    assert "changed" not in json.dumps(agent.notebook(agent.current_version))


def test_a_cell_finds_the_agents_files_and_its_verbs(page, lab, wb):
    agent = wb.agents.create("reader", GREETER)
    agent.attach("data.csv", b"a,b\n1,2\n")
    open_draft(page, lab, "reader")
    edit(
        page,
        "import os\nfrom workbench import agent\n"
        'print(open("data.csv").read(), sorted(n for n in os.environ if "TOKEN" in n), agent.test)\n'
        "agent.result(1)\nagent.result(2)",
    )

    page.evaluate("() => void jupyterapp.commands.execute('notebook:run-all-cells')")

    said = page.locator(".jp-NotebookPanel:visible .jp-OutputArea-output", has_text="1,2")
    expect(said).to_contain_text("[] False", timeout=PATIENCE)


def test_a_gateway_that_stops_is_told_and_work_goes_on_when_it_is_back(page, lab, wb):
    agent = wb.agents.create("survivor", GREETER)
    open_draft(page, lab, "survivor")
    lab.serving.stop()

    expect(page.locator(".wbl-away")).to_contain_text("does not answer", timeout=PATIENCE)
    edit(page, "unsaved = 1")
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-Dialog")).to_contain_text("does not answer", timeout=PATIENCE)
    page.locator(".jp-Dialog button").last.click()
    assert front(page, "model.dirty") is True

    lab.serving.start()
    expect(page.locator(".wbl-away")).to_be_hidden(timeout=PATIENCE)
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    with lab.serving.workbench() as again:
        agent = again.agents.get("admin/survivor")
        assert agent.notebook()["cells"][-1]["source"] == "unsaved = 1"


def test_the_relay_is_for_who_is_signed_in_and_leads_nowhere_else(lab):
    assert json.loads(lab.get("/workbench/gateway/me")[2])["user"] == "admin"
    for path, status in (
        ("/workbench/gateway/tokens", 404),
        ("/workbench/gateway/agents/x/y/about", 404),
    ):
        with pytest.raises(HTTPError) as refused:
            lab.get(path)
        assert refused.value.code == status
        refused.value.close()
    assert b"password_input" in lab.get("/files/agents/workbench.ipynb", token="wrong")[2]
    for path in ("/workbench/gateway/me", "/workbench/new"):
        with pytest.raises(HTTPError) as refused:
            lab.get(path, token="wrong")
        assert refused.value.code == 403
        refused.value.close()


def test_what_an_agent_wrote_cannot_act_in_jupyterlab(lab, wb):
    agent = wb.agents.create("page", "print('<script>alert(1)</script>')")
    agent.publish(force=True)
    agent.save(as_notebook("2"))
    path = f"/workbench/gateway/agents/admin/page/compare?from={agent.current_version}&to=draft&format=html"

    _, headers, body = lab.get(path)

    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert b"alert" in body


def test_an_agent_downloads_as_a_file(lab, wb):
    wb.agents.create("taken", GREETER)

    _, headers, body = lab.get("/files/agents/admin/taken.ipynb?download=1")

    assert "attachment" in headers["Content-Disposition"]
    assert json.loads(body)["nbformat"] == 4
    # The disk is served as ever.
    Path(lab.log.parent, "work", "mine.txt").write_text("mine")
    assert lab.get("/files/mine.txt")[2] == b"mine"


def test_how_far_a_run_is_is_told_line_by_line_to_who_is_signed_in(lab, wb):
    agent = wb.agents.create("told", GREETER)
    agent.publish(force=True)
    run = agent.start({"name": "Grace"})

    body = lab.get(f"/workbench/events/{run.id}")[2]

    told = [json.loads(line) for line in body.splitlines()]
    assert {one["type"] for one in told} == {"cell.started", "cell.finished"}
    begun = [one for one in told if one["type"] == "cell.started"]
    assert [one["of"] for one in begun] == [len(begun)] * len(begun)
    for path, token, status in (
        (f"/workbench/events/{run.id}", "wrong", 403),
        ("/workbench/events/nothing", None, 404),
    ):
        with pytest.raises(HTTPError) as refused:
            lab.get(path, token=token)
        assert refused.value.code == status
        refused.value.close()
