"""Of a purged agent nothing is left, and of everything else nothing is missing."""

import asyncio
from dataclasses import replace

import pytest

from tests.store.samples import (
    ADA,
    BOB,
    NOON,
    a_definition,
    a_run,
    a_version,
    an_agent,
    begun,
    completed,
    published,
)
from workbench.domain.agents import Visibility
from workbench.domain.definitions import AgentFile
from workbench.domain.events import EventType
from workbench.errors import AgentAccessDenied, AgentNotFound, IllegalMove, NotFound
from workbench.store.references import SPEAKING, spoken_of
from workbench.store.runs import Idempotency
from workbench.store.tables import TABLES

LONG = ["x" * 20_000]


async def made(store, name, *, notebook, file=b"shared"):
    """An agent with a version, a revision, a former name and a run with everything."""
    marks = [await store.objects.put(data) for data in (notebook, file)]
    draft = a_definition(
        fingerprint=marks[0],
        files=(AgentFile(path="x.csv", fingerprint=marks[1], size=len(file)),),
    )
    agent = await store.agents.create(ADA, an_agent(name=f"old-{name}", draft=draft))
    was, agent = agent, published(agent)
    await store.versions.publish(ADA, was, agent, a_version(agent), words="some words")
    later = await store.objects.put(notebook + b" later")
    was, agent = agent, replace(agent, draft=a_definition(fingerprint=later, files=()))
    await store.revisions.replace(ADA, was, agent)
    was, agent = agent, replace(agent, name=name)
    await store.agents.replace(ADA, was, agent)
    await ran(store, agent)
    return agent


async def ran(store, agent, result=LONG):
    run = a_run(agent_id=agent.id, agent_name=agent.name, fingerprint=agent.published.fingerprint)
    await store.runs.accept(run, key=Idempotency(key=run.id, fingerprint="k"))
    await store.runs.record(begun(run))
    stream = await store.events.open(run.id)
    stream.append(EventType.RUN_COMPLETED)
    await store.papers.write_notebook(run.id, b"executed")
    (await store.papers.make_files_folder(run.id)).joinpath("plot.png").write_bytes(b"png")
    await store.runs.record(completed(begun(run), result=[*result, agent.name]))
    await stream.close()
    return run


def objects_of(store):
    return {path.name for path in store.home.objects.rglob("*") if path.is_file()}


def papers_of(store):
    return {path.name for path in store.home.runs.rglob("*") if path.is_file()}


def test_nothing_is_left(with_store):
    async def story(store):
        empty = await store.dump()
        agent = await made(store, "gone", notebook=b"one")
        assert len(objects_of(store)) == 4
        assert {"events.ndjson", "notebook.ipynb", "plot.png"} == papers_of(store)

        await store.purges.purge(ADA, agent)

        assert await store.dump() == empty
        assert objects_of(store) == set()
        assert papers_of(store) == set()
        for question in (
            store.agents.by_id(ADA, agent.id),
            store.agents.get(ADA, "ada", "gone"),
            store.versions.get(ADA, agent, "1.0.0"),
        ):
            with pytest.raises(AgentNotFound):
                await question
        assert await store.agents.moved(ADA, "ada", "old-gone", since=NOON) is None
        await store.rebuild()
        assert await store.dump() == empty
        await store.agents.create(ADA, an_agent(name="gone"))

    with_store(story)


def test_what_another_agent_speaks_of_stays(with_store):
    async def story(store):
        stays = await made(store, "stays", notebook=b"one")
        before, objects, papers = await store.dump(), objects_of(store), papers_of(store)
        gone = await made(store, "gone", notebook=b"one")
        await store.purges.purge(ADA, gone)
        assert await store.dump() == before
        assert objects_of(store) == objects
        assert papers_of(store) == papers
        assert await store.agents.by_id(ADA, stays.id) == stays

    with_store(story)


def test_many_runs_go_in_several_steps(with_store):
    async def story(store):
        agent = await made(store, "gone", notebook=b"one")
        for _ in range(5):
            await ran(store, agent)
        await store.purges.purge(ADA, agent, runs_at_once=2)
        assert papers_of(store) == objects_of(store) == set()
        assert await store.dump() == []

    with_store(story)


def test_an_agent_with_a_run_under_way_is_not_purged(with_store):
    async def story(store):
        agent = await made(store, "busy", notebook=b"one")
        run = a_run(agent_id=agent.id)
        await store.runs.accept(run)
        before = await store.dump()
        with pytest.raises(IllegalMove):
            await store.purges.purge(ADA, agent)
        assert await store.dump() == before
        await store.runs.record(begun(run))
        with pytest.raises(IllegalMove):
            await store.purges.purge(ADA, agent)
        await store.runs.record(completed(begun(run)))
        await store.purges.purge(ADA, agent)

    with_store(story)


def test_of_accepting_a_run_and_purging_one_wins(with_store):
    async def story(store):
        for n in range(10):
            agent = await made(store, f"a{n}", notebook=b"one")
            runs = [a_run(agent_id=agent.id, parameters={"long": LONG}) for _ in range(3)]
            attempts = [
                store.runs.accept(runs[0]),
                store.purges.purge(ADA, agent),
                store.runs.accept(runs[1], key=Idempotency(key=f"{n}", fingerprint="k")),
                store.runs.accept(runs[2]),
            ]
            purged = attempts[1]
            attempts = attempts[n % 4 :] + attempts[: n % 4]
            at = attempts.index(purged)
            outcomes = await asyncio.gather(*attempts, return_exceptions=True)
            accepted = [o for i, o in enumerate(outcomes) if i != at and isinstance(o, tuple)]
            if outcomes[at] is None:
                assert accepted == []
                with pytest.raises(AgentNotFound):
                    await store.agents.by_id(ADA, agent.id)
            else:
                assert isinstance(outcomes[at], IllegalMove)
                assert accepted
                assert await store.agents.by_id(ADA, agent.id) == agent

    with_store(story)


def test_only_its_owner_purges_an_agent(with_store):
    async def story(store):
        agent = await made(store, "hidden", notebook=b"one")
        with pytest.raises(AgentNotFound):
            await store.purges.purge(BOB, agent)
        public = replace(agent, visibility=Visibility.PUBLIC)
        await store.agents.replace(ADA, agent, public)
        with pytest.raises(AgentAccessDenied):
            await store.purges.purge(BOB, public)
        run = await ran(store, public)
        assert await store.papers.notebook(run.id) == b"executed"

    with_store(story)


def test_what_is_put_while_something_is_thrown_away_is_there_afterwards(with_store):
    async def story(store):
        agent = await made(store, "gone", notebook=b"one", file=b"mine")
        inside = asyncio.Event()
        go_on = asyncio.Event()

        async def put():
            async with store.objects.referring():
                mark = await store.objects.put(b"mine")
                inside.set()
                await go_on.wait()
                draft = a_definition(
                    fingerprint=mark, files=(AgentFile(path="x", fingerprint=mark, size=4),)
                )
                return await store.agents.create(ADA, an_agent(name="new", draft=draft))

        putting = asyncio.create_task(put())
        await inside.wait()
        purging = asyncio.create_task(store.purges.purge(ADA, agent))
        # The rows go at once; what lies on disk waits for whoever is about to speak of it.
        while await known(store, agent):
            await asyncio.sleep(0)
        go_on.set()
        new = await putting
        await purging
        assert objects_of(store) == {new.draft.fingerprint}
        assert await store.objects.get(new.draft.fingerprint) == b"mine"

    with_store(story)


async def known(store, agent):
    try:
        await store.agents.by_id(ADA, agent.id)
    except NotFound:
        return False
    return True


def test_a_folder_that_a_run_left_read_only_goes_as_well(with_store):
    async def story(store):
        agent = await made(store, "gone", notebook=b"one")
        run = await ran(store, agent)
        inner = store.papers.files_path(run.id) / "inner"
        inner.mkdir()
        (inner / "x").write_text("x")
        inner.chmod(0o500)
        (store.papers.files_path(run.id) / "out").symlink_to(store.home.path)
        await store.purges.purge(ADA, agent)
        assert papers_of(store) == set()
        assert store.home.index.exists()

    with_store(story)


def test_every_table_says_where_it_speaks_of_objects():
    assert set(SPEAKING) == set(TABLES)
    for name, columns in SPEAKING.items():
        assert set(columns) <= set(TABLES[name].columns)


def test_marks_are_found_in_every_speaking_column(with_store):
    async def story(store):
        agent = await made(store, "a", notebook=b"one")
        marks = objects_of(store)
        await store.flush()
        found = await store._catalog.read(lambda ask: spoken_of(ask, {*marks, "0" * 64}))
        assert found == marks
        assert agent.draft.fingerprint in found

    with_store(story)
