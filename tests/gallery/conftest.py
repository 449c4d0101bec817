"""A gateway with agents in it and a gallery before it, and browsers to look at that."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.panels.conftest import BREAKER, ROOT, SLOW, Server
from workbench import Workbench

RESOURCES = ROOT / "tests" / "resources"
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
LOGIN = "login-of-the-owner-0123456789"
WALK = """\
# %% [markdown]
# Walks so many steps, and draws a picture of it.
# %%
from typing import Literal
# %% tags=["parameters"]
steps: int = 3  # how many
pace: Literal["slow", "quick"] = "quick"
# %%
import sys, time
from workbench import agent

for step in range(steps):
    print("step", step + 1, flush=True)
    agent.progress((step + 1) / steps, f"step {step + 1}")
    time.sleep(0.2)
# %%
from IPython.display import Image, display

display(Image(bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c"
    "6360606060000000050001a5f645400000000049454e44ae426082"), format="png"))
agent.file("steps.csv", b"step\\n1\\n")
agent.result({"steps": steps, "rows": [{"step": n, "even": n % 2 == 0} for n in range(steps)]})
"""
PRIVATE = "agent_secret = 1"


class House:
    """A gateway and the gallery before it.

    Attributes:
        url: Where the gallery answers.
        server: The gateway.
    """

    def __init__(self, folder):
        self.server = Server(folder / "home")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        login = folder / "login"
        login.write_text(LOGIN)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
        config = ROOT / "server_config"
        environment = {
            **kept,
            "PYTHONPATH": str(ROOT),
            "WORKBENCH_LOGIN_FILE": str(login),
            "WORKBENCH_HOME": str(folder / "home"),
            "JUPYTER_PATH": str(config),
            "CANARY_SECRET": "canary-of-this-process",
        }
        self.log = folder / "voila.log"
        command = [sys.executable, "-m", "voila", str(ROOT / "notebooks" / "gallery.ipynb")]
        command += [f"--Voila.config_file_paths={config}", f"--port={port}", "--Voila.ip=127.0.0.1"]
        (folder / "place").mkdir()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-u", *command[1:]],
                cwd=folder / "place",
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = f"http://127.0.0.1:{port}"
        self._wait()

    def _wait(self):
        while self.process.poll() is None:
            with contextlib.suppress(urllib.error.URLError):
                if self.get("/voila/static/voila.js")[0] == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(self.log.read_text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.server.stop()

    def newcomer(self, name):
        with self.server.client() as wb:
            return wb.make_token("theirs", user=name)["token"]

    def kernels(self):
        """The processes that run pages, besides the one that waits."""
        return {pid for child in _children(self.process.pid) for pid in _children(child)}

    def get(self, path, *, cookie="", method="GET", body=None, **headers):
        """The status, the headers and the body of an answer; redirections are not followed."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookie:
            said["Cookie"] = cookie
        request = urllib.request.Request(self.url + path, headers=said, method=method, data=body)
        try:
            with urllib.request.build_opener(_Stays).open(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode(errors="replace")

    def sign_in(self, token):
        """The cookie of somebody who has signed in, as a browser would."""
        _, headers, _ = self.get("/login")
        pair = headers["Set-Cookie"].partition(";")[0]
        body = f"token={token}&_xsrf={pair.partition('=')[2]}".encode()
        status, headers, _ = self.get("/login", method="POST", body=body, cookie=pair)
        assert status == 302
        kept = [one for one in headers.get_all("Set-Cookie") if one.startswith("workbench-")]
        assert "HttpOnly" in kept[0]
        assert "SameSite=Lax" in kept[0]
        return kept[0].partition(";")[0]


def _children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


class _Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """A gallery of published agents."""
    house = House(tmp_path_factory.mktemp("gallery"))
    with house.server.client() as wb:
        for name, source in {"breaker": BREAKER, "slow": SLOW, "long-walk": WALK}.items():
            agent = wb.agents.create(name, source)
            agent.publish(force=True)
            agent.change(visibility="public")
        wb.agents.create("hidden", PRIVATE).publish(force=True)
        stranger = RESOURCES / "papermill" / "simple_execute.ipynb"
        agent = wb.agents.create("stranger", json.loads(stranger.read_text()))
        agent.publish(force=True)
        agent.change(visibility="public")
    yield house
    house.stop()


@pytest.fixture(scope="session")
def vera(house):
    """The token of a viewer."""
    return house.newcomer("vera")


@pytest.fixture(scope="session")
def walt(house):
    """The token of another viewer."""
    return house.newcomer("walt")


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium, house):
    """Opens the gallery in a browser of somebody's own that may reach this machine only."""
    contexts, abroad, wrong = [], [], []

    def gate(route):
        if re.match(r"(http|ws)://127\.0\.0\.1[:/]", route.request.url):
            route.continue_()
        else:
            abroad.append(route.request.url)
            route.abort()

    def browse(token, *, at="", shows=".wb-cards-one", **how):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 860}, **how})
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        page.route(lambda url: not url.startswith(("data:", "blob:")), gate)
        page.goto(f"{house.url}/{at}")
        page.fill("#token", token)
        page.click("button", no_wait_after=True)
        page.locator(shows).first.wait_for(timeout=60_000)
        return page

    yield browse
    for context in contexts:
        context.close()
    assert abroad == []
    # What the page's own policy refuses, the browser says here.
    assert [text for text in wrong if "Content Security Policy" in text] == []


def client(house, token):
    return Workbench(house.server.url, token)
