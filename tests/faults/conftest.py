"""What must hold after whatever has died, and homes with agents to try it on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.conftest import as_notebook
from tests.faults.crashing import ADA
from tests.faults.marking import open_marking
from tests.gateway.conftest import Gateway, start  # noqa: F401 - a fixture
from workbench.domain.runs import RunStatus
from workbench.services.authoring import Proposal
from workbench.settings import Settings

FAST_RETRY = {"max": 10, "backoff_seconds": 0.01}


@dataclass(frozen=True)
class Toll:
    """What became of all runs there are."""

    runs: int
    completed: int
    lost: int


@pytest.fixture
def marks(tmp_path):
    """Where each attempt that begins leaves a file."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path, marks):
    """A home with an agent that runs at most once and one that runs at least once."""
    return furnished(tmp_path / "home", marks)


def furnished(path, marks):
    """The home at *path*, made, with the two agents."""

    async def furnish():
        async with await open_marking(Settings(home=path), marks) as app:
            for name, own in (("once", {}), ("again", {"retry": FAST_RETRY})):
                notebook = as_notebook("1", **own)
                agent = await app.authoring.create(ADA, Proposal(name=name, notebook=notebook))
                await app.publishing.publish(ADA, agent, force=True)

    asyncio.run(furnish())
    return path


@pytest.fixture
def reckon(home, marks):
    """Opens the home once more, lets everything end, and holds it against what was told."""

    def check(told):
        before = descriptors()
        toll = asyncio.run(_reckon(home, marks, told))
        assert descriptors() == before
        assert (
            not [name for name in os.listdir(home / "scratch" / "runs")]
            if (home / "scratch" / "runs").is_dir()
            else True
        )
        assert not list(home.rglob(".tmp-*"))
        assert not list(home.glob("*set-aside*"))
        return toll

    return check


def descriptors():
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


async def _reckon(home, marks, told):
    accepted = {what[0] for kind, *what in told if kind == "accepted"}
    ended = {what[0]: what[1] for kind, *what in told if kind == "ended"}
    async with await open_marking(Settings(home=home, runs_at_once=4), marks) as app:
        rows = await _settled(app)
        runs = {run_id: await app.running.get(ADA, run_id) for run_id in rows}
        streams = {
            run_id: [e async for e in await app.running.events(ADA, run_id)] for run_id in rows
        }
        kept = await app.store.dump()
        await app.store.rebuild()
        assert kept == await app.store.dump()
        for run_id, run in runs.items():
            if run.status is RunStatus.COMPLETED:
                assert await app.running.notebook(ADA, run_id)
    begun = Counter(tuple(mark.name.split("-")[:2]) for mark in marks.iterdir())
    assert accepted <= set(runs), "an accepted run is lost"
    assert {run_id: str(runs[run_id].status) for run_id in ended} == ended
    assert all(run.status.settled for run in runs.values())
    assert set(begun.values()) <= {1}, "an attempt has begun twice"
    for run_id, run in runs.items():
        check_run(run, streams[run_id], [n for of, n in begun if of == run_id])
    statuses = Counter(run.status for run in runs.values())
    return Toll(len(runs), statuses[RunStatus.COMPLETED], statuses[RunStatus.FAILED])


async def _settled(app):
    """The ids of all runs, once none of them waits or is under way."""
    for run in await app.store.runs.unsettled():
        await app.running.get(ADA, run.id, wait_seconds=None)
    rows = [json.loads(line) for line in await app.store.dump()]
    return [row["id"] for table, row in rows if table == "runs"]


def check_run(run, events, marked):
    """One end, told once; and as many beginnings as it has attempts, each with its own number."""
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    last = [event for event in events if event.type.last]
    assert last == events[-1:] and last[0].data["status"] == run.status
    if run.agent_name == "once":
        assert len(marked) <= 1 and run.attempts == ()
    else:
        assert run.reason != "gateway_restarted"
    assert len(marked) <= max(run.attempt, 1)
    if run.status is RunStatus.COMPLETED:
        assert str(run.attempt) in marked


@pytest.fixture
def gateway_on(home, marks):
    """Starts gateways whose runs leave marks on `home`; kills the one that is left."""
    started = []

    def serve(*options, **env):
        gateway = Gateway(
            home,
            module=("tests.faults.serving", "--marks", str(marks)),
            options=options,
            env={"WORKBENCH_RUNS_AT_ONCE": "4", **env},
        )
        started.append(gateway)
        return gateway

    yield serve
    for gateway in started:
        if gateway.process.returncode is None:
            gateway.stop(signal.SIGKILL)
