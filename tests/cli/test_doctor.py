"""What protects this machine is found out by trying, and a notebook on disk can be put behind it."""

import json
import os
import socket

import pytest

from workbench.domain.isolation import Isolation
from workbench.kernels.ground import choose

pytestmark = pytest.mark.kernel

WALL = choose(Isolation.NAMESPACES).wall
walled = pytest.mark.skipif(WALL is None, reason="this machine has no namespaces for a sandbox")

NOSY = """\
import os, socket
from pathlib import Path
from workbench import agent

def reached(way):
    try:
        return bool(way())
    except OSError:
        return False

agent.result({
    "file": reached(lambda: Path(%r).read_text()),
    "network": reached(lambda: socket.create_connection(("127.0.0.1", %d), 1)),
})
"""


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def nosy(written, tmp_path, listening):
    """A notebook that looks for a file outside its folder and for a port of this machine."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    return written("nosy.ipynb", NOSY % (str(secret), listening))


@walled
def test_a_notebook_on_disk_reaches_nothing_behind_the_wall(ask, nosy):
    run = ask("run", nosy, "--sandbox", "--json").json

    assert run["isolation"] == "namespaces"
    assert run["result"] == {"file": False, "network": False}


def test_without_the_wall_it_is_a_program_like_any_other(ask, nosy):
    run = ask("run", nosy, "--json").json

    assert run["isolation"] == "none"
    assert run["result"] == {"file": True, "network": True}


@walled
def test_the_doctor_attacks_and_every_attack_is_denied(ask):
    answer = ask("doctor", "--json")

    view = json.loads(answer.out)
    assert answer.code == 0
    assert view["denied"] == view["attacks"] >= 60


def test_the_doctor_says_that_a_minimum_is_not_met(ask, monkeypatch):
    monkeypatch.setitem(os.environ, "WORKBENCH_ISOLATION", "none")
    monkeypatch.setitem(os.environ, "WORKBENCH_ISOLATION_MINIMUM", "namespaces")

    answer = ask("doctor")

    assert answer.code == 3
    assert "Runs should have namespaces here" in answer.err
