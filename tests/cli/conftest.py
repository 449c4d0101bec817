"""A home, commands asked in this process or in their own, and a gateway that owns a home."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from workbench.cli.main import main

ROOT = str(Path(__file__).parents[2])

GREETER = """\
# %% [markdown]
# # Greets somebody
# %% tags=["parameters"]
name: str = "Ada"  # whom to greet
times: int = 1
# %%
from workbench import agent

print("about to greet", name)
# %%
# Say it
agent.result({"text": f"hello {name}" * times, "test": agent.test})
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty current folder, and no setting of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def greeter(elsewhere):
    path = elsewhere / "greeter.py"
    path.write_text(GREETER)
    return path


@pytest.fixture
def home(tmp_path):
    """A home that nobody owns."""
    return tmp_path / "home"


@pytest.fixture
def ask():
    """Carries a command out in this process; `.json` is the one object it printed."""

    def ask(*arguments, env=None, given=None):
        result = CliRunner().invoke(main, [str(a) for a in arguments], env=env, input=given)
        answer = SimpleNamespace(
            code=result.exit_code, out=result.stdout, err=result.stderr, json=None
        )
        if "--json" in arguments and result.stdout:
            answer.json = json.loads(result.stdout)
        return answer

    return ask


def _plain_environment():
    """The environment without any setting of whoever runs the tests."""
    return {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}


def command(*arguments):
    return [sys.executable, "-m", "workbench", *map(str, arguments)]


@contextmanager
def owning(home):
    """A gateway that owns the home."""
    gateway = subprocess.Popen(
        command("serve", "--port", 0, "--home", home),
        env={**_plain_environment(), "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with gateway:
        try:
            assert any(line.startswith("gateway: ") for line in gateway.stdout)
            yield
        finally:
            gateway.send_signal(signal.SIGTERM)
            assert gateway.wait(30) == 0


@pytest.fixture(name="gateway_on")
def _gateway_on():
    return owning


@pytest.fixture
def start(tmp_path):
    """Starts a command as a process of its own, with temporary files where they can be counted."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    started = []

    def start(*arguments, **options):
        environment = {**os.environ, "TMPDIR": str(scratch), **options.pop("env", {})}
        environment["PYTHONPATH"] = ROOT
        process = subprocess.Popen(
            command(*arguments),
            env=environment,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options},
        )
        started.append(process)
        return process

    start.scratch = scratch
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def owned(home):
    """A home that a gateway owns."""
    with owning(home):
        yield home


@pytest.fixture(scope="module", params=["alone", pytest.param("owned", marks=pytest.mark.gateway)])
def any_home(request, tmp_path_factory):
    """A home, once without and once with a gateway: the commands are the same.

    The tests of a module share it, so each uses agents of names of its own.
    """
    home = tmp_path_factory.mktemp("any") / "home"
    with owning(home) if request.param == "owned" else nullcontext():
        yield home


@pytest.fixture(scope="module", params=["alone", pytest.param("owned", marks=pytest.mark.gateway)])
def unchanged_home(request, tmp_path_factory):
    """Like any_home, with a published greeter in it; nothing may have changed in the end."""
    folder = tmp_path_factory.mktemp("unchanged")
    (folder / "greeter.py").write_text(GREETER)
    home = folder / "home"

    def carried_out(*arguments):
        result = CliRunner().invoke(main, [*map(str, arguments), "--home", str(home), "--json"])
        assert result.exit_code == 0, result.output
        return result.stdout

    def everything():
        lists = ("agents list", "runs list", "runs list --test", "token list")
        return [carried_out(*words.split()) for words in lists]

    with owning(home) if request.param == "owned" else nullcontext():
        carried_out("agents", "add", folder / "greeter.py", "--publish")
        before = everything()
        yield home
        assert everything() == before
