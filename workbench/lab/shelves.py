"""What lies on the drive, as the gateway tells it: entries, their contents, and changes to them.

Nothing is kept here: every question is asked of the gateway by the route of that very thing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tornado.web import HTTPError

from workbench.client.requests import Request, path_of
from workbench.lab.bench import Bench
from workbench.lab.entries import (
    Entry,
    called,
    folder_entry,
    moment_of,
    revision_entry,
    run_entry,
    version_entry,
)
from workbench.lab.places import NOTEBOOK, PANEL, Kind, Place, place_of

MOST = 1_000
"""How many things of a kind a folder shows, the newest first; the search finds the others."""

_PAGE = 200
_SHELVES = ("files", "revisions", "runs", "tests")


class Shelves:
    """The drive's content.

    Attributes:
        drive: What its folder is called.
    """

    def __init__(self, bench: Bench, *, drive: str, panel: Path) -> None:
        self.drive = drive
        self._bench = bench
        self._panel = panel

    async def entry(self, place: Place) -> Entry:
        """What lies at *place*.

        Raises:
            HTTPError: 404 if nothing does; 503 if the gateway is away.
        """
        if place.kind is Kind.NOWHERE:
            raise _nothing(place)
        return await _ENTRIES[place.kind](self, place)

    async def inside(self, place: Place) -> list[Entry]:
        """What lies in the folder *place*.

        Raises:
            HTTPError: 404 if there is no such folder; 503 if the gateway is away.
        """
        reader = _FOLDERS.get(place.kind)
        if reader is None:
            raise _nothing(place)
        return await reader(self, place)

    async def content(self, place: Place) -> tuple[bytes, str | None]:
        """The bytes of what lies at *place*, and what they are known by.

        Raises:
            HTTPError: 404 if nothing does; 503 if the gateway is away.
        """
        if place.kind is Kind.PANEL:
            return await asyncio.to_thread(self._panel.read_bytes), None
        path, query = await self._source(place)
        answer = await self._bench.ask(Request(path=path, query=query, repeatable=True))
        return answer.content, answer.headers.get("etag")

    async def about(self, place: Place) -> dict[str, Any]:
        """The agent that *place* belongs to.

        Raises:
            HTTPError: 404 if there is none, or none any more.
        """
        about: dict[str, Any] = await self._json(
            path_of("agents", place.owner, place.name, "about")
        )
        if about["archived_at"] is not None:
            raise _nothing(place)
        return about

    async def files(self, place: Place) -> dict[str, bytes]:
        """What lies beside the notebook at *place* when it runs, by relative path."""
        if not place.name:
            return {}
        about = await self.about(place)
        version = place.item if place.kind is Kind.VERSION else _shown(about)
        if version is None:
            listed = about["files"]
        else:
            shown = path_of("agents", place.owner, place.name, "versions", version)
            listed = (await self._json(shown))["files"]
        found = {}
        for file in listed:
            path = path_of("agents", place.owner, place.name, "files", *file["path"].split("/"))
            request = Request(path=path, query={"version": version}, repeatable=True)
            found[file["path"]] = (await self._bench.ask(request)).content
        return found

    async def me(self) -> str:
        """Whose drive this is."""
        return str((await self._json("/me"))["user"])

    async def create(self, name: str, notebook: Mapping[str, Any] | None = None) -> Place:
        """Where the draft of a new agent lies; it begins with a starter if there is no *notebook*.

        Raises:
            HTTPError: It cannot be an agent, or the name is taken.
        """
        body = {"agent_name": name, **({} if notebook is None else {"notebook": notebook})}
        about = await self._send("POST", "/agents", body)
        return self._draft(about["owner"], about["agent_name"])

    async def save(self, place: Place, notebook: Mapping[str, Any], *, seen: str) -> str:
        """What the draft is known by now that it is *notebook*.

        Raises:
            HTTPError: 412 if it is not what was *seen* any more.
        """
        path = path_of("agents", place.owner, place.name, "notebook")
        return str((await self._send("PUT", path, dict(notebook), {"If-Match": seen}))["etag"])

    async def rename(self, place: Place, name: str) -> None:
        """Give the agent another name."""
        path = path_of("agents", place.owner, place.name)
        await self._send("PATCH", path, {"agent_name": name})

    async def archive(self, place: Place) -> None:
        """Take the agent out of use; its runs can still be read."""
        path = path_of("agents", place.owner, place.name)
        await self._bench.ask(Request(method="DELETE", path=path))

    async def attach(self, place: Place, content: bytes) -> None:
        """Put a file beside the draft."""
        await self._bench.ask(
            Request(
                method="PUT",
                path=_file(place),
                content=content,
                headers={"Content-Type": "application/octet-stream"},
            )
        )

    async def detach(self, place: Place) -> None:
        """Take a file away that lies beside the draft."""
        await self._bench.ask(Request(method="DELETE", path=_file(place)))

    async def revisions(self, place: Place, *, most: int = MOST) -> list[dict[str, Any]]:
        """The earlier drafts, newest first."""
        path = path_of("agents", place.owner, place.name, "revisions")
        return [item async for item in self._all(path, most=most)]

    async def bring_back(self, place: Place, revision: str) -> str:
        """What the draft is known by now that it is an earlier one again."""
        path = path_of("agents", place.owner, place.name, "revisions", revision, "restore")
        return str((await self._send("POST", path, {}))["etag"])

    def at(self, path: str) -> Place:
        """The place that *path* names on this drive."""
        place = place_of(path, self.drive)
        assert place is not None
        return place

    def _draft(self, owner: str, name: str) -> Place:
        return self.at(f"{self.drive}/{owner}/{name}{NOTEBOOK}")

    async def _source(self, place: Place) -> tuple[str, dict[str, object]]:
        """The route of the content of *place*, and what to ask there."""
        agent = ("agents", place.owner, place.name)
        match place.kind:
            case Kind.DRAFT:
                return path_of(*agent, "notebook"), {"version": _shown(await self.about(place))}
            case Kind.VERSION:
                return path_of(*agent, "notebook"), {"version": place.item}
            case Kind.RUN:
                return path_of("runs", place.item, "notebook"), {}
            case Kind.REVISION:
                return path_of(*agent, "revisions", place.item, "notebook"), {}
            case Kind.FILES if place.item:
                return _file(place), {"version": _shown(await self.about(place))}
        raise _nothing(place)

    async def _json(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        request = Request(path=path, query=query or {}, repeatable=True)
        return (await self._bench.ask(request)).json()

    async def _send(
        self, method: str, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> Any:
        request = Request(
            method=method, path=path, body=body, headers=headers or {}, patience_seconds=None
        )
        return (await self._bench.ask(request)).json()

    async def _all(
        self, path: str, query: Mapping[str, object] | None = None, *, most: int = MOST
    ) -> AsyncIterator[dict[str, Any]]:
        cursor, told = None, 0
        while told < most:
            limit = min(_PAGE, most - told)
            page = await self._json(path, {**(query or {}), "limit": limit, "cursor": cursor})
            for item in page["items"]:
                yield item
            told, cursor = told + len(page["items"]), page["next_cursor"]
            if cursor is None:
                return

    async def _top(self, place: Place) -> list[Entry]:
        newest = {await self.me(): self._beginning()}
        async for about in self._all("/agents"):
            at = moment_of(about["updated_at"])
            newest[about["owner"]] = max(newest.get(about["owner"], at), at)
        folders = [folder_entry(self.at(place.below(owner)), at) for owner, at in newest.items()]
        return [await self._the_panel(self.at(place.below(PANEL))), *folders]

    async def _owner(self, place: Place) -> list[Entry]:
        found = []
        async for about in self._all("/agents", {"owner": place.owner}):
            at = moment_of(about["updated_at"])
            found.append(self._draft_entry(about))
            found.append(folder_entry(self.at(place.below(about["agent_name"])), at))
        if not found and place.owner != await self.me():
            raise _nothing(place)
        return found

    async def _agent(self, place: Place) -> list[Entry]:
        about = await self.about(place)
        shelves = _SHELVES if about["writable"] else ("runs",)
        at = moment_of(about["updated_at"])
        found = [folder_entry(self.at(place.below(shelf)), at) for shelf in shelves]
        async for version in self._all(path_of("agents", place.owner, place.name, "versions")):
            path = place.below(f"{version['version']}{NOTEBOOK}")
            found.append(version_entry(self.at(path), version))
        return found

    async def _runs(self, place: Place) -> list[Entry]:
        query = {"test": place.test or None}
        path = path_of("agents", place.owner, place.name, "runs")
        return [
            run_entry(
                self.at(place.below(called(run["created_at"], run["status"], run["id"]))), run
            )
            async for run in self._all(path, query, most=_PAGE)
            # What has not ended has no executed notebook yet.
            if run["completed_at"] is not None
        ]

    async def _revisions(self, place: Place) -> list[Entry]:
        return [
            revision_entry(
                self.at(place.below(called(revision["saved_at"], revision["id"]))), revision
            )
            for revision in await self.revisions(place)
        ]

    async def _files(self, place: Place) -> list[Entry]:
        about = await self.about(place)
        at, head = moment_of(about["updated_at"]), f"{place.item}/" if place.item else ""
        found: dict[str, Entry] = {}
        for file in about["files"]:
            if not file["path"].startswith(head):
                continue
            label, deeper, _ = file["path"][len(head) :].partition("/")
            below = self.at(place.below(label))
            if deeper:
                found[label] = folder_entry(below, at, writable=about["writable"])
            else:
                found[label] = Entry(
                    place=below,
                    folder=False,
                    at=at,
                    writable=about["writable"],
                    size=file["size"],
                )
        if place.item and not found:
            raise _nothing(place)
        return list(found.values())

    async def _the_top(self, place: Place) -> Entry:
        return folder_entry(place, self._beginning(), writable=True)

    async def _the_panel(self, place: Place) -> Entry:
        return Entry(place=place, folder=False, at=self._beginning())

    def _beginning(self) -> datetime:
        """A time for what has none of its own."""
        return datetime.fromtimestamp(self._panel.stat().st_mtime, UTC)

    async def _the_owner(self, place: Place) -> Entry:
        mine = place.owner == await self.me()
        inside = [] if mine else await self._owner(place)
        at = max((entry.at for entry in inside), default=self._beginning())
        return folder_entry(place, at, writable=mine)

    async def _the_draft(self, place: Place) -> Entry:
        return self._draft_entry(await self.about(place), place)

    def _draft_entry(self, about: Mapping[str, Any], place: Place | None = None) -> Entry:
        return Entry(
            place=place or self._draft(about["owner"], about["agent_name"]),
            folder=False,
            at=moment_of(about["updated_at"]),
            writable=bool(about["writable"]),
            etag=str(about["etag"]),
        )

    async def _the_agents_folder(self, place: Place) -> Entry:
        about = await self.about(place)
        return folder_entry(place, moment_of(about["updated_at"]))

    async def _the_version(self, place: Place) -> Entry:
        path = path_of("agents", place.owner, place.name, "versions", place.item)
        return version_entry(place, await self._json(path))

    async def _the_run(self, place: Place) -> Entry:
        run = await self._json(path_of("runs", place.item))
        if run["agent"] != place.address or run["completed_at"] is None:
            raise _nothing(place)
        return run_entry(place, run)

    async def _the_revision(self, place: Place) -> Entry:
        known = (r for r in await self.revisions(place) if r["id"] == place.item)
        if (revision := next(known, None)) is None:
            raise _nothing(place)
        return revision_entry(place, revision)

    async def _the_file(self, place: Place) -> Entry:
        if not place.item:
            about = await self.about(place)
            return folder_entry(place, moment_of(about["updated_at"]), writable=about["writable"])
        folder, _, label = place.path.rpartition("/")
        inside = await self._files(self.at(folder))
        entry = next((entry for entry in inside if entry.place.label == label), None)
        if entry is None:
            raise _nothing(place)
        return entry


_ENTRIES: dict[Kind, Callable[[Shelves, Place], Awaitable[Entry]]] = {
    Kind.TOP: Shelves._the_top,
    Kind.PANEL: Shelves._the_panel,
    Kind.OWNER: Shelves._the_owner,
    Kind.DRAFT: Shelves._the_draft,
    Kind.AGENT: Shelves._the_agents_folder,
    Kind.VERSION: Shelves._the_version,
    Kind.RUNS: Shelves._the_agents_folder,
    Kind.RUN: Shelves._the_run,
    Kind.REVISIONS: Shelves._the_agents_folder,
    Kind.REVISION: Shelves._the_revision,
    Kind.FILES: Shelves._the_file,
}

_FOLDERS: dict[Kind, Callable[[Shelves, Place], Awaitable[list[Entry]]]] = {
    Kind.TOP: Shelves._top,
    Kind.OWNER: Shelves._owner,
    Kind.AGENT: Shelves._agent,
    Kind.RUNS: Shelves._runs,
    Kind.REVISIONS: Shelves._revisions,
    Kind.FILES: Shelves._files,
}


def _nothing(place: Place) -> HTTPError:
    return HTTPError(404, f"There is nothing at {place.path}.")


def _shown(about: Mapping[str, Any]) -> str | None:
    """The version that one sees instead of a draft that is somebody else's."""
    return None if about["writable"] else about["current_version"]


def _file(place: Place) -> str:
    return path_of("agents", place.owner, place.name, "files", *place.item.split("/"))
