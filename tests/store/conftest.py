import asyncio

import pytest

from tests.store.samples import Clock
from workbench.store.store import Store


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def with_store(home, clock):
    """Carries out *story(store)* on an event loop with the store of `home` open."""

    def tell(story, **options):
        async def whole():
            async with await Store.open(home, clock=clock, **options) as store:
                return await story(store)

        return asyncio.run(whole())

    return tell
