"""Papermill's own notebooks are usable pages as they are: a form, a run, and what comes of it."""

import asyncio
import json

import pytest

from tests.panels.conftest import ROOT
from workbench.panels.viewer_page import ViewerPage

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

NOTEBOOKS = ROOT / "tests" / "resources" / "papermill"
ENDS = {
    "simple_execute": (["Msg"], "completed"),
    "report_mode_test": (["A", "B"], "completed"),
    "no_parameters": ([], "completed"),
    "nb_version_4.4": (["Var"], "completed"),
    "result_no_exec": (["Foo", "Bar"], "completed"),
    "test_notebooknode_io": ([], "completed"),
    "line_magic_error": ([], "failed"),
    "sysexit1": ([], "failed"),
}
CODE = ("Traceback", "Error:", "SystemExit", "raise ", "print(", "undefined-line-magic")


@pytest.fixture(scope="module")
def strangers(server):
    with server.client() as wb:
        for name in ENDS:
            path = NOTEBOOKS / f"{name}.ipynb"
            wb.agents.create(name.replace(".", "-").lower(), json.loads(path.read_text())).publish(
                force=True
            )
    return server


@pytest.mark.parametrize("name", ENDS)
def test_it_has_a_form_and_runs_and_shows_no_code(strangers, name):
    labels, status = ENDS[name]

    async def journey():
        page = ViewerPage(strangers.find, begin_at=f"admin/{name.replace('.', '-')}")
        await page.done()
        shown = [field["label"] for field in page.run_panel._fields.shown["fields"]]
        page.run_panel.start()
        await page.done()
        state, said = page.run_panel.state, page.run_panel._ending.shown
        await page.end()
        return shown, state, said

    shown, state, said = asyncio.run(journey())

    assert shown == labels
    assert (state.run["status"], state.problem) == (status, "")
    if status == "failed":
        assert state.run["id"] in said["text"]
        assert not any(word in said["text"] for word in CODE)
