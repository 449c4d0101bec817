"""A gateway, and the drive that JupyterLab would show of it."""

import asyncio
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from workbench import Workbench
from workbench.client.finding import Access, gateway_of
from workbench.lab.bench import Bench
from workbench.lab.drive import WorkbenchDrive

ROOT = Path(__file__).parents[2]
PANEL = ROOT / "notebooks" / "home.ipynb"

GREETER = """\
# %% [markdown]
# # Greets somebody
# %% tags=["parameters"]
name: str = "Ada"  # whom to greet
# %%
from workbench import agent

agent.result({"text": f"hello {name}"})
"""


class Serving:
    """`workbench serve` on a home, to be stopped and started again."""

    def __init__(self, home):
        self.home = home
        self.process = None

    def start(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
        command = [sys.executable, "-m", "workbench", "serve", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--home", str(self.home)],
            env={**kept, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert any(line.startswith("gateway: ") for line in self.process.stdout)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stdout.close()

    def where(self):
        """A way in, as the administrator."""
        found = gateway_of(self.home)
        return Access(url=found.url, token=found.token)

    def workbench(self):
        """The SDK, as the administrator."""
        where = self.where()
        return Workbench(where.url, where.token)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """No setting of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    serving = Serving(tmp_path_factory.mktemp("lab") / "home")
    serving.start()
    yield serving
    if serving.process.poll() is None:
        serving.stop()


@pytest.fixture
def wb(serving):
    with serving.workbench() as wb:
        yield wb


class Desk:
    """A drive whose answers are waited for, as if nobody else were there.

    Attributes:
        path: The folder of ordinary files.
    """

    def __init__(self, folder, find):
        self.path = folder
        self._loop = asyncio.new_event_loop()
        self._drive = WorkbenchDrive(root_dir=str(folder), panel=str(PANEL), bench=Bench(find))

    def __getattr__(self, name):
        verb = getattr(self._drive, name)
        if not callable(verb):
            return verb

        def waited(*args, **kwargs):
            made = verb(*args, **kwargs)
            if asyncio.iscoroutine(made):
                return self._loop.run_until_complete(made)
            return made

        return waited

    def labels(self, path):
        return {model["name"] for model in self.get(path)["content"]}

    def close(self):
        self._loop.run_until_complete(self._drive.bench.close())
        self._loop.close()


@pytest.fixture
def desk(tmp_path, serving):
    """Makes drives; several are several JupyterLabs."""
    made = []

    def make(find=serving.where):
        made.append(Desk(tmp_path, find))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def drive(desk):
    return desk()


@pytest.fixture
def named(request):
    """A name that no other test uses."""
    return f"a{abs(hash(request.node.nodeid)) % 10**12}"


class Lab:
    """JupyterLab as `workbench up` starts it, beside a gateway that can be stopped on its own."""

    def __init__(self, folder, serving):
        self.serving = serving
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        login = folder / "lab.login"
        login.write_text(self.token)
        own = {
            name: str(folder / name.lower())
            for name in (
                "JUPYTER_CONFIG_DIR",
                "JUPYTER_DATA_DIR",
                "JUPYTER_RUNTIME_DIR",
                "JUPYTERLAB_SETTINGS_DIR",
                "JUPYTERLAB_WORKSPACES_DIR",
            )
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
        (folder / "work").mkdir()
        config = ROOT / "server_config" / "jupyter_lab_config.py"
        options = ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}"]
        options += [f"--ServerApp.root_dir={folder / 'work'}", "--allow-root"]
        options += ["--LabApp.expose_app_in_browser=True"]
        self.log = folder / "lab.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", "--config", str(config), *options],
                cwd=folder / "work",
                env={
                    **kept,
                    **own,
                    "PYTHONPATH": str(ROOT),
                    "WORKBENCH_HOME": str(serving.home),
                    "WORKBENCH_LOGIN_FILE": str(login),
                    "JUPYTER_CONFIG_PATH": str(ROOT / "server_config" / "lab"),
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self):
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return

    def get(self, path, *, token=None, data=None):
        held = self.token if token is None else token
        headers = {"Authorization": f"token {held}"} if held else {}
        request = urllib.request.Request(f"{self.url}{path}", headers=headers, data=data)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    serving = Serving(folder / "home")
    serving.start()
    lab = Lab(folder, serving)
    try:
        lab.wait()
        yield lab
    finally:
        lab.process.terminate()
        lab.process.wait(30)
        if serving.process.poll() is None:
            serving.stop()


@pytest.fixture(scope="module")
def chromium():
    # No longer than a module: nobody else can have a loop of asyncio meanwhile.
    from tests.lab.browsing import CHROMIUM, FLAGS, sync_api

    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, lab):
    """A page of a browser that may reach this machine only, and has to say so."""
    context = chromium.new_context(viewport={"width": 1360, "height": 850}, color_scheme="null")
    page, abroad, wrong = context.new_page(), [], []
    page.on("pageerror", lambda error: wrong.append(str(error)))

    def gate(route):
        if re.match(r"http://127\.0\.0\.1[:/]", route.request.url):
            route.continue_()
        else:
            abroad.append(route.request.url)
            route.abort()

    page.route(lambda url: not url.startswith(("data:", "blob:")), gate)
    # Signed in once, by the address that `workbench up` prints.
    page.goto(f"{lab.url}/api/me?token={lab.token}", wait_until="commit")
    yield page
    context.close()
    assert abroad == []
    # What JupyterLab itself does not catch when a save is refused.
    assert [error for error in wrong if "does not answer" not in error] == []
