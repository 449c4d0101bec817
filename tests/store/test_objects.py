"""What is kept once comes back as it was, or not at all."""

import asyncio
import stat

import pytest

from workbench.errors import HomeUnreadable, NotFound
from workbench.store.objects import fingerprint


def test_what_was_put_comes_back_and_lies_under_its_fingerprint(with_store, home):
    async def story(store):
        mark = await store.objects.put(b"bytes")
        return mark, await store.objects.get(mark), store.objects.path(mark)

    mark, back, path = with_store(story)

    assert (mark, back) == (fingerprint(b"bytes"), b"bytes")
    assert path == home / "objects" / mark[:2] / mark
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_putting_the_same_again_at_once_keeps_one(with_store, home):
    async def story(store):
        return await asyncio.gather(*(store.objects.put(b"same") for _ in range(20)))

    assert len(set(with_store(story))) == 1
    assert len([p for p in (home / "objects").rglob("*") if p.is_file()]) == 1


def test_a_damaged_object_is_not_handed_out(with_store):
    async def story(store):
        mark = await store.objects.put(b"bytes")
        path = store.objects.path(mark)
        path.chmod(0o600)
        path.write_bytes(b"other")
        with pytest.raises(HomeUnreadable):
            await store.objects.get(mark)

    with_store(story)


@pytest.mark.parametrize("mark", ["", "0" * 64, "../../index.duckdb", "A" * 64, "0" * 63 + "\n"])
def test_what_was_never_put_is_not_found(with_store, mark):
    async def story(store):
        assert not store.objects.exists(mark)
        with pytest.raises(NotFound):
            await store.objects.get(mark)

    with_store(story)
