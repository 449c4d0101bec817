"""Every screen, light and dark, of a workbench with the example agents: `make screenshots`.

    python docs/screenshots.py [WORD…]      only the screens whose names hold one of the words

Each screen is a function below; its name is the file's. It begins on an empty page and leaves the
page as it is to be looked at.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from screens_of_faces import DESK, GALLERY

from workbench import Workbench
from workbench.client.finding import gateway_of

ROOT = Path(__file__).parents[1]
SCREENS = ROOT / "docs" / "screens"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1360, "height": 850}
PATIENCE = 90_000

Addresses = dict[str, str]
Screen = Callable[[Page, Addresses, str], None]


def lab_workbench(page: Page, at: Addresses, theme: str) -> None:
    open_lab(page, at, theme)
    page.locator(".wbl-page .jp-OutputArea-output").first.wait_for(timeout=PATIENCE)


def lab_new(page: Page, at: Addresses, theme: str) -> None:
    lab_workbench(page, at, theme)
    page.locator(".wbl-side .wbl-main").click()
    page.locator(".wbl-form").get_by_label("Name", exact=True).fill("daily-digest")


def lab_draft(page: Page, at: Addresses, theme: str) -> None:
    open_notebook(page, at, theme, "agents/admin/seattle-weather.ipynb")
    page.locator(".wbl-front .wbl-test").click()
    page.locator(".wbl-form").wait_for()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    done = page.locator(".wbl-runs li:first-child", has_text="test completed")
    done.wait_for(timeout=PATIENCE)


def lab_form(page: Page, at: Addresses, theme: str) -> None:
    open_notebook(page, at, theme, "agents/admin/seattle-weather.ipynb")
    page.locator(".wbl-front .wbl-run").click()
    page.locator(".wbl-form").wait_for()


def lab_compare(page: Page, at: Addresses, theme: str) -> None:
    open_notebook(page, at, theme, "agents/admin/employment-shift.ipynb")
    page.locator(".wbl-front .wbl-compare-verb").click()
    page.frame_locator(".wbl-compare iframe").locator("table.lines").first.wait_for()


def lab_run(page: Page, at: Addresses, theme: str) -> None:
    open_notebook(page, at, theme, "agents/admin/seattle-weather.ipynb")
    page.locator(".wbl-runs .wbl-run-row").first.click()
    page.wait_for_function(
        "/\\/(runs|tests)\\//.test(jupyterapp.shell.currentWidget.context?.path)"
    )
    picture = page.locator(".jp-NotebookPanel:visible .jp-RenderedImage img").first
    picture.wait_for(timeout=PATIENCE)
    picture.scroll_into_view_if_needed()


def lab_files(page: Page, at: Addresses, theme: str) -> None:
    open_notebook(page, at, theme, "agents/admin/seattle-weather.ipynb")
    page.locator(".lm-TabBar-tab[data-id=filebrowser]").click()
    page.locator(".jp-DirListing-item", has_text="seattle-weather.ipynb").wait_for()


LAB: tuple[Screen, ...] = (
    lab_workbench,
    lab_new,
    lab_draft,
    lab_form,
    lab_run,
    lab_compare,
    lab_files,
)


def open_lab(page: Page, at: Addresses, theme: str, path: str = "") -> None:
    address, _, token = at["lab"].partition("?")
    page.goto(f"{address}{path}?reset&{token}", wait_until="commit")
    page.locator("#workbench-sidebar").wait_for(state="attached", timeout=PATIENCE)
    named = "JupyterLab Dark" if theme == "dark" else "JupyterLab Light"
    page.evaluate(
        "theme => void jupyterapp.commands.execute('apputils:change-theme', { theme })", named
    )
    page.locator(f"body[data-jp-theme-name='{named}']").wait_for(state="attached")


def open_notebook(page: Page, at: Addresses, theme: str, path: str) -> None:
    open_lab(page, at, theme, f"/tree/{path}")
    page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for(timeout=PATIENCE)
    page.locator(".lm-TabBar-tab[data-id=workbench-sidebar]").click()
    page.locator(".wbl-front").wait_for(timeout=PATIENCE)


@contextmanager
def workbench() -> Iterator[Addresses]:
    """Where the servers of a fresh workbench answer, with the examples in it."""
    with tempfile.TemporaryDirectory(prefix="workbench-screens-") as name:
        folder = Path(name)
        for one in ("work", "config"):
            (folder / one).mkdir()
        exposed = {"LabApp": {"expose_app_in_browser": True}}
        (folder / "config" / "jupyter_lab_config.json").write_text(json.dumps(exposed))
        own = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA")}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
        ports = ["--port", "0", "--lab-port", "0", "--voila-port", "0"]
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench", "up", "--home", str(folder / "home"), *ports],
            cwd=folder / "work",
            env={**kept, **own, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            found: Addresses = {}
            for line in process.stdout:
                word, _, address = line.strip().partition(": ")
                found[word] = address
                if "Ctrl-C" in line:
                    break
            furnish(folder / "home")
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def furnish(home: Path) -> None:
    """The example agents, published and run, one of them edited since."""
    gateway = gateway_of(home)
    assert gateway is not None
    with Workbench(gateway.url, gateway.token) as wb:
        for path in sorted((ROOT / "notebooks" / "agents").glob("*.ipynb")):
            agent = wb.agents.create(path.stem, path)
            beside = path.with_suffix("")
            for file in filter(Path.is_file, sorted(beside.rglob("*"))):
                agent.attach(file.relative_to(beside).as_posix(), file.read_bytes())
            agent.publish(force=True)
        for year in (2012, 2013, 2014):
            wb.agents.get("admin/seattle-weather").run(year=year)
        edited = wb.agents.get("admin/employment-shift")
        notebook = edited.notebook()
        source = notebook["cells"][-1]["source"]
        notebook["cells"][-1]["source"] = f"# The largest first.\n{source}\n"
        edited.save(notebook)


def take(screen: Screen, theme: str, at: Addresses, browser: Any, *, phone: bool = False) -> None:
    page = browser.new_page(viewport=PHONE if phone else WIDE, color_scheme=theme)
    try:
        screen(page, at, theme)
        # Let what moves come to rest.
        page.wait_for_timeout(1_500)
        name = f"{screen.__name__.replace('_', '-')}-{'phone' if phone else theme}.png"
        path = SCREENS / name
        page.screenshot(path=str(path))
        print(path.relative_to(ROOT))
    finally:
        page.close()


def main(words: list[str]) -> None:
    SCREENS.mkdir(exist_ok=True)
    wanted = [
        s for s in (*LAB, *DESK, *GALLERY) if not words or any(w in s.__name__ for w in words)
    ]
    with workbench() as at, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        for theme in ("light", "dark"):
            for screen in wanted:
                take(screen, theme, at, browser)
        for screen in wanted:
            if screen in GALLERY:
                take(screen, "light", at, browser, phone=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
