"""Lists, read page by page while they are gone through, as often as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Generic, Protocol, TypeVar

from workbench.client import display
from workbench.client.requests import Plan, Request

T = TypeVar("T")


class Pages(Protocol[T]):
    """A list as the gateway hands it out."""

    def page(self, cursor: str | None = None) -> Plan[tuple[list[T], str | None]]:
        """One page, and where the next begins, if there is one."""
        ...


class Views:
    """A list whose items are what the gateway says of them, and no more."""

    def __init__(self, path: str) -> None:
        """The list at *path*."""
        self._path = path

    def page(self, cursor: str | None = None) -> Plan[tuple[list[dict[str, Any]], str | None]]:
        """One page, and where the next begins, if there is one."""
        request = Request(path=self._path, query={"cursor": cursor}, repeatable=True)
        found = (yield request).json()
        return found["items"], found["next_cursor"]


class Listing(Generic[T]):
    """A list to go through with `for`; in a notebook it shows its first page."""

    def __init__(self, bench: Any, pages: Pages[T]) -> None:
        self._bench = bench
        self._pages = pages

    def __iter__(self) -> Iterator[T]:
        """The items, over all pages."""
        cursor: str | None = None
        while True:
            items, cursor = self._bench.carry_out(self._pages.page(cursor))
            yield from items
            if cursor is None:
                return

    def _repr_html_(self) -> str:
        items, cursor = self._bench.carry_out(self._pages.page())
        return display.table(
            [getattr(item, "about", item) for item in items], more=cursor is not None
        )


class AsyncListing(Generic[T]):
    """A list to go through with `async for`."""

    def __init__(self, bench: Any, pages: Pages[T]) -> None:
        self._bench = bench
        self._pages = pages

    async def __aiter__(self) -> AsyncIterator[T]:
        """The items, over all pages."""
        cursor: str | None = None
        while True:
            items, cursor = await self._bench.carry_out(self._pages.page(cursor))
            for item in items:
                yield item
            if cursor is None:
                return
