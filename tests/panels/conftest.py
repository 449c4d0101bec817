"""A gateway with agents in it, for panels."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import Workbench
from workbench.client.finding import gateway_of

ROOT = Path(__file__).parents[2]

GREETER = """\
# %% [markdown]
# # Greets <b>somebody</b>
# %% tags=["parameters"]
name: str = "Ada"  # whom to greet
# %%
from workbench import agent

agent.progress(0.5, "half way")
agent.result({"text": f"hello {name}"})
"""
SLOW = "import time\ntime.sleep(600)"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """No setting of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with three agents that a gateway owns."""
    home = tmp_path_factory.mktemp("panels") / "home"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", "--port", "0", "--home", str(home)],
        env={**kept, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            assert any(line.startswith("gateway: ") for line in process.stdout)
            found = gateway_of(home)
            with Workbench(found.url, found.token) as wb:
                wb.agents.create("draft", GREETER)
                wb.agents.create("slow", SLOW).publish(force=True)
                wb.agents.create("greeter", GREETER).publish()
            yield home
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.fixture
def wb(home):
    found = gateway_of(home)
    with Workbench(found.url, found.token) as wb:
        yield wb
