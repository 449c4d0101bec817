"""What a run left is found by its day, and nothing outside its folder is ever handed out."""

import os

import pytest

from tests.store.samples import NOON, new_id
from workbench.errors import NotFound
from workbench.store.papers import RunFile


def test_the_day_of_a_run_is_in_its_id(with_store, home):
    async def story(store):
        run_id = new_id(NOON)
        assert store.papers.folder(run_id) == home / "runs" / "2026" / "11" / "20" / run_id

    with_store(story)


@pytest.mark.parametrize("run_id", ["", "..", "x" * 32, "f" * 32, "0" * 31, "0" * 32 + "\n"])
def test_what_is_no_id_of_a_run_has_no_folder(with_store, run_id):
    async def story(store):
        with pytest.raises(NotFound):
            store.papers.folder(run_id)

    with_store(story)


def test_the_notebook_is_there_whole_or_not_at_all(with_store):
    async def story(store):
        run_id = new_id()
        with pytest.raises(NotFound):
            await store.papers.notebook(run_id)
        path = await store.papers.write_notebook(run_id, b"one")
        await store.papers.write_notebook(run_id, b"two")

        assert await store.papers.notebook(run_id) == b"two"
        assert [p.name for p in path.parent.iterdir()] == ["notebook.ipynb"]

    with_store(story)


def test_files_are_listed_and_read_by_their_relative_path(with_store):
    async def story(store):
        run_id = new_id()
        assert await store.papers.files(run_id) == []
        folder = await store.papers.make_files_folder(run_id)
        (folder / "plots").mkdir()
        (folder / "plots" / "a.png").write_bytes(b"png")
        (folder / "b.csv").write_bytes(b"1,2")

        assert await store.papers.files(run_id) == [
            RunFile(path="b.csv", size=3),
            RunFile(path="plots/a.png", size=3),
        ]
        with await store.papers.open_file(run_id, "plots/a.png") as file:
            assert file.read() == b"png"

    with_store(story)


def test_nothing_leads_out_of_the_folder(with_store, tmp_path):
    async def story(store):
        run_id = new_id()
        folder = await store.papers.make_files_folder(run_id)
        outside = tmp_path / "secret"
        outside.mkdir()
        (outside / "key").write_bytes(b"key")
        (folder / "link").symlink_to(outside / "key")
        (folder / "way").symlink_to(outside)
        (folder / "real").mkdir()
        os.mkfifo(folder / "pipe")

        assert await store.papers.files(run_id) == []
        strange = ["link", "way/key", "real", "pipe", "", ".", "/etc/passwd", "a\0b", "nothing"]
        ups = ["../events.ndjson", "real/../../events.ndjson", "real/../link"]
        for path in [*strange, *ups]:
            with pytest.raises(NotFound):
                await store.papers.open_file(run_id, path)

    with_store(story)
