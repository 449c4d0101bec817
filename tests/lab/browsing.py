"""What tests do with JupyterLab in a browser."""

import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
PATIENCE = 60_000

in_a_browser = [
    pytest.mark.gateway,
    pytest.mark.kernel,
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
]


def go(page, lab, path=""):
    """JupyterLab with what lies at *path*, without what was open before."""
    page.goto(f"{lab.url}/lab{path}?reset", wait_until="commit")
    page.locator("#workbench-sidebar").wait_for(state="attached", timeout=PATIENCE)


def open_draft(page, lab, name):
    go(page, lab, f"/tree/agents/admin/{name}.ipynb")
    settle(page, f"agents/admin/{name}.ipynb")
    page.locator(".lm-TabBar-tab[data-id=workbench-sidebar]").click()
    expect(page.locator(".wbl-front")).to_contain_text(name, timeout=PATIENCE)


def settle(page, path):
    """Wait until the notebook at *path* is in front and its kernel answers."""
    page.wait_for_function(
        "path => window.jupyterapp?.shell.currentWidget?.context?.path === path",
        arg=path,
        timeout=PATIENCE,
    )
    page.evaluate(
        """async () => {
            const { context, sessionContext } = jupyterapp.shell.currentWidget;
            await context.ready;
            await sessionContext.ready;
            await sessionContext.session?.kernel.info;
        }"""
    )


def edit(page, source, cell=-1):
    page.evaluate(
        """([source, at]) => {
            const { cells } = jupyterapp.shell.currentWidget.model;
            cells.get(at < 0 ? cells.length + at : at).sharedModel.setSource(source);
        }""",
        [source, cell],
    )


def front(page, what):
    return page.evaluate(f"() => jupyterapp.shell.currentWidget.context.{what}")


def accept(page):
    page.locator(".jp-Dialog .jp-mod-accept").click()
