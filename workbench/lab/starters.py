"""What a new agent can begin with: an empty one, or a notebook that shows how."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tornado.web import HTTPError

from workbench.lab.places import NOTEBOOK, Kind, Place, agent_name
from workbench.lab.shelves import Shelves

EMPTY = "empty"
_EMPTY_WORDS = "A parameter, a cell, a result: runs as it is"


class Starters:
    """The starters in a folder: notebooks, each with the folder of its name beside it."""

    def __init__(self, shelves: Shelves, folder: Path | None) -> None:
        self._shelves = shelves
        self._notebooks = {} if folder is None else _notebooks(folder)

    def listed(self) -> list[dict[str, str]]:
        """Their names, and in a line what each does."""
        found = [{"name": EMPTY, "description": _EMPTY_WORDS}]
        for name, path in self._notebooks.items():
            about = json.loads(path.read_bytes())["metadata"].get("workbench", {})
            found.append({"name": name, "description": str(about.get("description", ""))})
        return found

    async def begin(self, name: str, starter: str) -> Place:
        """Where the draft of a new agent lies that began with *starter*.

        Raises:
            HTTPError: There is no such starter, or the name is no good or taken.
        """
        if not name.strip():
            raise HTTPError(400, "How shall the agent be called?")
        name = agent_name(name)
        if starter in ("", EMPTY):
            return await self._shelves.create(name)
        if (path := self._notebooks.get(starter)) is None:
            raise HTTPError(404, f"There is no starter {starter}.")
        content, beside = await asyncio.to_thread(_read, path)
        made = await self._shelves.create(name, json.loads(content))
        for relative, data in beside.items():
            file = self._shelves.at(f"{made.path.removesuffix(NOTEBOOK)}/files/{relative}")
            assert file.kind is Kind.FILES
            await self._shelves.attach(file, data)
        return made


def _notebooks(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob(f"*{NOTEBOOK}"))}


def _read(notebook: Path) -> tuple[bytes, dict[str, bytes]]:
    beside = notebook.with_suffix("")
    files = {
        file.relative_to(beside).as_posix(): file.read_bytes()
        for file in sorted(beside.rglob("*"))
        if file.is_file()
    }
    return notebook.read_bytes(), files
