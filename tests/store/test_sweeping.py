"""A sweep throws away what nothing speaks of, and nothing else, whenever it comes."""

import asyncio

from tests.store.samples import ADA, a_definition, an_agent, new_id
from tests.store.test_purges import made, objects_of, papers_of
from workbench.store.sweeping import Swept


def test_what_something_speaks_of_stays(with_store):
    async def story(store):
        await made(store, "stays", notebook=b"one")
        before, objects, papers = await store.dump(), objects_of(store), papers_of(store)

        assert await store.sweep() == Swept(objects=0, runs=0)

        assert (await store.dump(), objects_of(store), papers_of(store)) == (
            before,
            objects,
            papers,
        )

    with_store(story)


def test_what_was_left_behind_goes(with_store):
    async def story(store):
        await made(store, "stays", notebook=b"one")
        objects, papers = objects_of(store), papers_of(store)
        await store.objects.put(b"of a draft long gone")
        lost = new_id()
        await store.papers.write_notebook(lost, b"of a run that was purged")
        strange = store.home.runs / "notes.txt"
        strange.write_text("somebody's own")

        assert await store.sweep() == Swept(objects=1, runs=1)

        assert objects_of(store) == objects
        assert papers_of(store) == papers | {"notes.txt"}
        assert await store.sweep() == Swept(objects=0, runs=0)

    with_store(story)


def test_what_is_about_to_be_spoken_of_is_waited_for(with_store):
    async def story(store):
        async with store.objects.referring():
            mark = await store.objects.put(b"a new notebook")
            sweeping = asyncio.create_task(store.sweep())
            await asyncio.sleep(0)
            await store.agents.create(ADA, an_agent(draft=a_definition(fingerprint=mark, files=())))
        assert await sweeping == Swept(objects=0, runs=0)
        assert store.objects.exists(mark)

    with_store(story)
