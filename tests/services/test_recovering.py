"""Whatever died in between, every accepted run ends exactly once and none is begun twice."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from workbench.app import new_id
from workbench.domain.events import EventType
from workbench.domain.queries import AgentQuery
from workbench.domain.runs import Reason, Run, RunStatus
from workbench.services.authoring import Proposal
from workbench.services.running import Order
from workbench.store.store import Store
from workbench.testing import InstantExecutor, SteppingClock


def test_after_a_crash_begun_runs_are_settled_and_waiting_ones_carried_out(
    desk, run, ada, notebook, tmp_path
):
    async def earlier_life():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            await app.publishing.publish(ada, agent, force=True)
            agent = await app.authoring.get(ada, "ada", "a")
        clock = SteppingClock()
        waiting = accepted(agent, clock())
        begun = accepted(agent, clock())
        stale = replace(accepted(agent, clock()), version="draft", fingerprint="0" * 64, test=True)
        async with await Store.open(tmp_path / "home", clock=clock) as store:
            for one in (waiting, begun, stale):
                await store.runs.accept(one)
            await store.runs.record(begun.begin(at=clock(), isolation="none"))
            stream = await store.events.open(begun.id)
            stream.append(EventType.RUN_STARTED, {})
            await stream.close()
        return waiting.id, begun.id, stale.id

    async def later_life(ids):
        async with desk() as (app, executor):
            settled = [await app.running.get(ada, i, wait_seconds=None) for i in ids]
            streams = [[e.type async for e in await app.running.events(ada, i)] for i in ids]
            return settled, streams, [task.run_id for task in executor.asked]

    ids = run(earlier_life())
    settled, streams, executed = run(later_life(ids))

    assert [(r.status, r.reason) for r in settled] == [
        (RunStatus.COMPLETED, None),
        (RunStatus.FAILED, Reason.GATEWAY_RESTARTED),
        (RunStatus.FAILED, Reason.GATEWAY_RESTARTED),
    ]
    assert executed == [ids[0]]
    assert streams[1] == [EventType.RUN_STARTED, EventType.RUN_FAILED]
    assert streams[2] == [EventType.RUN_FAILED]


def test_a_stream_that_a_crash_cut_off_gets_its_last_event_once(desk, run, ada, notebook, tmp_path):
    async def earlier_life():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
        clock = SteppingClock()
        ended = accepted(agent, clock())
        async with await Store.open(tmp_path / "home", clock=clock) as store:
            await store.runs.accept(ended)
            begun = ended.begin(at=clock(), isolation="none")
            await store.runs.record(begun)
            await store.runs.record(begun.settle(RunStatus.COMPLETED, at=clock(), result=1))
        return ended.id

    async def later_life(run_id):
        async with desk() as (app, _):
            return [[e.type async for e in await app.running.events(ada, run_id)] for _ in "ab"]

    assert run(later_life(run(earlier_life()))) == [[EventType.RUN_COMPLETED]] * 2


@pytest.mark.parametrize("lost", ["line", "file"])
def test_a_last_event_that_a_power_cut_took_is_said_again_as_it_was(
    desk, run, ada, notebook, tmp_path, lost
):
    async def story():
        async with desk() as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            accepted = await app.running.accept(ada, agent, Order(test=True))
            await app.running.get(ada, accepted.id, wait_seconds=None)
            before = [e async for e in await app.running.events(ada, accepted.id)]
        path = next((tmp_path / "home").rglob(f"{accepted.id}/events.ndjson"))
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))
        if lost == "file":
            shutil.rmtree(path.parent)
        async with desk() as (app, _):
            return before, await app.running.happened(ada, accepted.id)

    before, after = run(story())

    assert before[-1].type is EventType.RUN_COMPLETED
    assert before[-1].data.items() == after[-1].data.items()
    assert before[-1].at == after[-1].at
    assert len(after) == (len(before) if lost == "line" else 1)


def test_a_run_that_we_failed_ourselves_is_settled_as_that(desk, run, ada, notebook):
    class Broken(InstantExecutor):
        async def execute(self, task, **_):
            raise OSError("disk on fire")

    async def story():
        async with desk(Broken()) as (app, _):
            agent = await app.authoring.create(ada, Proposal(name="a", notebook=notebook("1")))
            asked = await app.running.accept(ada, agent, Order(test=True))
            return await app.running.get(ada, asked.id, wait_seconds=None)

    settled = run(story())

    assert (settled.status, settled.reason) == (RunStatus.FAILED, Reason.INTERNAL_ERROR)
    assert "disk on fire" not in str(settled.error)


def accepted(agent, at):
    return Run(
        id=new_id(),
        agent_id=agent.id,
        owner=agent.owner,
        agent_name=agent.name,
        version="1.0.0",
        fingerprint=agent.draft.fingerprint,
        user=agent.owner,
        created_at=at,
    )


def test_agents_older_than_looking_for_words_are_found_by_them(desk, run, ada, notebook, tmp_path):
    async def earlier_life():
        async with desk() as (app, _):
            wordy = await app.authoring.create(
                ada, Proposal(name="wordy", notebook=notebook("xylophone = 1"))
            )
        # As agents were kept before: without their words.
        async with await Store.open(tmp_path / "home", clock=SteppingClock()) as store:
            for name, mark in (("old", wordy.draft.fingerprint), ("damaged", "0" * 64)):
                draft = replace(wordy.draft, fingerprint=mark)
                await store.agents.create(ada, replace(wordy, id=new_id(), name=name, draft=draft))
            assert [agent.name for agent in await store.agents.unread()] == ["old", "damaged"]

    async def later_life():
        async with desk() as (app, _):
            page = await app.authoring.list(ada, AgentQuery(text="xylophone"))
            unread = await app.store.agents.unread()
            return sorted(a.name for a in page.items), [a.name for a in unread]

    run(earlier_life())

    assert run(later_life()) == (["old", "wordy"], ["damaged"])
    assert run(later_life()) == (["old", "wordy"], ["damaged"])
