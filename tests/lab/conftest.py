"""A gateway, and the drive that JupyterLab would show of it."""

import asyncio
import os
import signal
import subprocess
import sys
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
