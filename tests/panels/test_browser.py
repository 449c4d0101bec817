"""Who opens the address of Voilà runs an agent and sees its result, without any network."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import Workbench
from workbench.client.finding import gateway_of

sync_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
GREETER = """\
# %% [markdown]
# # Greets somebody, politely
# %%
from typing import Literal
# %% tags=["parameters"]
name: str = "Ada"  # whom to greet
tone: Literal["warm", "formal"] = "warm"
# %%
from workbench import agent

agent.result({"text": f"hello {name}"})
"""

pytestmark = [
    pytest.mark.gateway,
    pytest.mark.kernel,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """Where the servers of `workbench up` answer, by name, with an agent in the home."""
    folder = tmp_path_factory.mktemp("up")
    (folder / "work").mkdir()
    ports = ["--port", "0", "--lab-port", "0", "--voila-port", "0"]
    command = [sys.executable, "-m", "workbench", "up", "--home", str(folder / "home"), *ports]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
    process = subprocess.Popen(
        command,
        cwd=folder / "work",
        env={**kept, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            found = {}
            for line in process.stdout:
                name, _, address = line.strip().partition(": ")
                found[name] = address
                if "Ctrl-C" in line:
                    break
            gateway = gateway_of(folder / "home")
            with Workbench(gateway.url, gateway.token) as wb:
                wb.agents.create("greeter", GREETER).publish(force=True)
            yield found
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0


@pytest.fixture
def page():
    """A page of a browser that may reach this machine only, and has to say so."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        abroad = []

        def gate(route):
            if re.match(r"http://127\.0\.0\.1[:/]", route.request.url):
                route.continue_()
            else:
                abroad.append(route.request.url)
                route.abort()

        page.route(lambda url: not url.startswith(("data:", "blob:")), gate)
        yield page
        browser.close()
    assert abroad == []


def test_the_landing_page_runs_an_agent_and_shows_its_result(addresses, page, tmp_path):
    page.goto(addresses["voila"], wait_until="commit")
    page.locator(".wb-run").wait_for(timeout=60_000)
    sync_api.expect(page.locator(".wb-left option")).to_have_text(["admin/greeter"])
    name = page.locator(".wb-field input[type=text]").first
    name.fill("<i>Eve</i>")
    name.blur()

    page.locator(".wb-run").click()

    done = page.locator(".wb-outcome [data-status=completed]")
    sync_api.expect(done).to_be_visible(timeout=60_000)
    sync_api.expect(page.locator(".wb-outcome")).to_contain_text("hello <i>Eve</i>")
    page.screenshot(path=str(tmp_path / "voila.png"))


def test_the_landing_page_is_closed_to_those_without_its_token(addresses, page):
    page.goto(addresses["voila"].partition("?")[0], wait_until="commit")

    sync_api.expect(page.locator("#password_input")).to_be_visible()
    assert page.locator(".wb").count() == 0


def test_jupyterlab_opens_with_the_address_that_is_printed(addresses, page, tmp_path):
    page.goto(addresses["lab"], wait_until="commit")

    page.locator("#workbench-sidebar").wait_for(timeout=60_000)
    page.screenshot(path=str(tmp_path / "lab.png"))
