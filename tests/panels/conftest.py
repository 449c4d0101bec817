"""A gateway with agents in it, for panels."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import AsyncWorkbench, Workbench
from workbench.client.finding import gateway_of
from workbench.panels.desk import Desk

ROOT = Path(__file__).parents[2]

GREETER = """\
# %% [markdown]
# # Greets <b>somebody</b>
# %% tags=["parameters"]
name: str = "Ada"  # whom to greet
times: int = 1
# %%
from workbench import agent

print("looking for", name)
agent.progress(0.5, "half way")
agent.file("card.txt", f"hello {name}".encode())
agent.result({"text": f"hello {name}"})
"""
SLOW = "import time\nprint('asleep', flush=True)\ntime.sleep(600)"
BREAKER = "# %%\nprint('before')\n# %%\n1 / 0"


class Server:
    """A gateway in a process of its own, on a port that stays."""

    def __init__(self, home, **settings):
        self.home = home
        self.settings = settings
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    def start(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
        command = [sys.executable, "-m", "workbench", "serve"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--home", str(self.home)],
            env={
                **kept,
                "PYTHONPATH": str(ROOT),
                "WORKBENCH_DRAIN_SECONDS": "0.1",
                **self.settings,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert any(line.startswith("gateway: ") for line in self.process.stdout)
        found = gateway_of(self.home)
        self.url, self.token = found.url, found.token

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stdout.close()

    def client(self):
        return Workbench(self.url, self.token)

    def find(self):
        """A way in that is looked for anew each time, as panels want it."""
        found = gateway_of(self.home)
        return AsyncWorkbench(found.url if found else self.url, found.token if found else "none")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """No setting of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A gateway that owns a home with four agents."""
    server = Server(tmp_path_factory.mktemp("panels") / "home")
    with server.client() as wb:
        wb.agents.create("draft", GREETER)
        wb.agents.create("breaker", BREAKER).publish(force=True)
        wb.agents.create("slow", SLOW).publish(force=True)
        wb.agents.create("greeter", GREETER).publish(force=True)
    yield server
    server.stop()


async def until(holds, seconds=60):
    """Wait until *holds*, looking whenever the loop comes round."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


def at_desk(test):
    """A test at a desk that is tidied up at its end, on a loop of its own."""

    def carried_out(server):
        async def whole():
            desk = Desk(server.find)
            await desk.done()
            try:
                async with asyncio.timeout(100):
                    await test(desk)
            finally:
                await desk.end()

        asyncio.run(whole())

    carried_out.__name__ = test.__name__
    return carried_out


async def make(desk, name, starter="Greeting"):
    new = desk.agents.new
    new.fill("starter", starter)
    new.fill("name", name)
    new.create()
    await desk.done()
    return desk.agents.state.agent
