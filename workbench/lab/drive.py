"""The workbench as a folder of JupyterLab: no copy, nothing to keep in step.

Outside that folder everything is as in any JupyterLab. Inside it opening asks the gateway and
saving saves the draft there. JupyterLab's own question about a changed file is asked with the
gateway's tags, so who would write over somebody else's draft is asked first.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import OrderedDict
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.web import HTTPError
from traitlets import Unicode, default

from workbench.lab import models
from workbench.lab.bench import Bench
from workbench.lab.documents import complete, read, reduce
from workbench.lab.downloads import DriveFiles
from workbench.lab.entries import Entry
from workbench.lab.places import NOTEBOOK, Kind, Place, agent_name, place_of
from workbench.lab.shelves import Shelves
from workbench.lab.uploads import Uploads
from workbench.notebook.document import node

CHECKPOINTS = 20
"""How many earlier drafts JupyterLab offers: it shows their times and nothing else."""

TABS = 500
"""Of how many notebooks it is remembered which draft was shown last."""

_COPY = (
    "Runs, versions and earlier drafts never change. Save Notebook As… makes an agent of a copy."
)
_HERE = (
    "Here lie agents: a notebook becomes one, and data belong in the folder `files` of an agent."
)
_MOVED = "This agent was renamed or archived elsewhere. Save Notebook As… keeps what you have."
_NAMES = "Only a draft can be renamed, and only where it lies. Copy it instead."


class WorkbenchDrive(AsyncLargeFileManager):
    """JupyterLab's files, with the agents among them.

    Attributes:
        drive: What the folder of the agents is called.
        panel: The notebook that shows the workbench.
        starters: The folder of notebooks that a new agent can begin with, besides an empty one.
        scratch: The folder in which agents' files are laid out for kernels.
    """

    drive = Unicode("agents", help="What the folder of the agents is called.").tag(config=True)
    panel = Unicode(help="The notebook that shows the workbench.").tag(config=True)
    starters = Unicode(help="The notebooks a new agent can begin with.").tag(config=True)
    scratch = Unicode(help="Where agents' files are laid out for kernels.").tag(config=True)

    def __init__(self, *, bench: Bench | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bench = bench or Bench()
        self.shelves = Shelves(self.bench, drive=self.drive, panel=Path(self.panel))
        self._seen: OrderedDict[str, str] = OrderedDict()
        # The drafts that were shown with a kernel they do not name themselves.
        self._told: set[str] = set()
        self._uploads = Uploads()

    @default("scratch")
    def _a_folder_of_our_own(self) -> str:
        folder = mkdtemp(prefix="workbench-scratch-")
        # It goes when we do.
        finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    @default("files_handler_class")
    def _files_of_both(self) -> type:
        return DriveFiles

    def place(self, path: str) -> Place | None:
        """The place on the drive that *path* names; None if it is an ordinary file's."""
        return place_of(path, self.drive)

    # What is there

    def exists(self, path: str) -> Any:
        """Whether something lies at *path*: to be awaited if that is on the drive."""
        place = self.place(path)
        return super().exists(path) if place is None else self._holds(place)

    async def dir_exists(self, path: str) -> bool:
        """Whether *path* is a folder."""
        place = self.place(path)
        if place is None:
            return bool(await super().dir_exists(path))
        return await self._holds(place, folder=True)

    async def file_exists(self, path: str) -> bool:
        """Whether *path* is a file or a notebook."""
        place = self.place(path)
        if place is None:
            return bool(await super().file_exists(path))
        return await self._holds(place, folder=False)

    async def is_hidden(self, path: str) -> bool:
        """Whether *path* is not to be shown; nothing on the drive is."""
        return self.place(path) is None and bool(await super().is_hidden(path))

    async def _holds(self, place: Place, *, folder: bool | None = None) -> bool:
        try:
            entry = await self.shelves.entry(place)
        except HTTPError as error:
            if error.status_code == 404:
                return False
            raise
        return folder is None or entry.folder is folder

    # Reading

    async def get(
        self,
        path: str,
        content: bool = True,
        type: str | None = None,
        format: str | None = None,
        require_hash: bool = False,
    ) -> dict[str, Any]:
        """What lies at *path*.

        Raises:
            HTTPError: 404 if nothing does, 400 if it is not of that type, 503 if the gateway is away.
        """
        place = self.place(path)
        if place is None:
            return await self._ordinary(path, content, type, format, require_hash)
        entry = await self.shelves.entry(place)
        if entry.folder:
            if type not in (None, "directory"):
                raise HTTPError(400, f"{path} is a folder.")
            if not content:
                return models.bare(entry)
            return models.folder(entry, await self.shelves.inside(place))
        if type == "directory":
            raise HTTPError(400, f"{path} is no folder.")
        if not content:
            if entry.etag and place.kind is Kind.DRAFT:
                # So JupyterLab looks before it saves: from now on it knows of this draft.
                self._remember(place.path, entry.etag)
            return models.bare(entry)
        held, etag = await self.shelves.content(place)
        if type == "file" or not entry.is_notebook:
            return self._as_file(entry, held, format)
        return self._opened(entry, held, etag or entry.etag)

    async def _ordinary(
        self, path: str, content: bool, type: str | None, format: str | None, require_hash: bool
    ) -> dict[str, Any]:
        model: dict[str, Any] = await super().get(path, content, type, format, require_hash)
        if content and not path.strip("/"):
            top = self.shelves.at(self.drive)
            beside = [m for m in model["content"] if m["name"] != self.drive]
            model["content"] = [*beside, models.bare(await self.shelves.entry(top))]
        return model

    def _as_file(self, entry: Entry, held: bytes, format: str | None) -> dict[str, Any]:
        try:
            return models.raw(entry, held, format)
        except ValueError:
            raise HTTPError(400, f"{entry.place.path} is no text.", reason="bad format") from None

    def _opened(self, entry: Entry, held: bytes, etag: str | None) -> dict[str, Any]:
        place, nb = entry.place, node(**json.loads(held))
        told = complete(nb.metadata)
        self.mark_trusted_cells(nb, place.path)
        model = {**models.bare(entry), "content": nb, "format": "json"}
        if place.kind is Kind.DRAFT and etag:
            model |= models.hashed(etag)
            self._remember(place.path, etag)
            (self._told.add if told else self._told.discard)(place.path)
        self.validate_notebook_model(model)
        return model

    def _remember(self, path: str, etag: str) -> None:
        self._seen[path] = etag
        self._seen.move_to_end(path)
        if len(self._seen) > TABS:
            self._told.discard(self._seen.popitem(last=False)[0])

    # Saving

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        """Save *model* at *path* and tell what lies there now, without its content.

        Raises:
            HTTPError: 412 if somebody else saved it meanwhile, 403 if it never changes, 400 if it can
                be no agent.
        """
        place = self.place(path)
        if place is None:
            return dict(await super().save(model, path))
        self.run_pre_save_hooks(model=model, path=path)
        if model.get("type") == "directory":
            raise HTTPError(403, _HERE)
        if model.get("type") == "file":
            whole = self._uploads.take(path, model)
            if whole is None:
                return models.bare(await self.shelves.entry(self._parent(place)))
            if place.kind is Kind.FILES and place.item:
                await self.shelves.attach(place, whole)
                return models.bare(await self.shelves.entry(place))
            if not place.label.endswith(NOTEBOOK):
                raise HTTPError(403, _HERE)
            model = {"type": "notebook", "content": read(whole)}
        if place.kind in (Kind.VERSION, Kind.RUN, Kind.REVISION, Kind.PANEL):
            raise HTTPError(403, _COPY)
        saved = await self._save_draft(place, model)
        self.emit(data={"action": "save", "path": saved["path"]})
        return saved

    async def _save_draft(self, place: Place, model: dict[str, Any]) -> dict[str, Any]:
        target = self.shelves.at(await self._free(place))
        content = model.get("content")
        if content is not None:
            nb = node(**content)
            self.check_and_sign(nb, target.path)
            reduce(nb.metadata, told=target.path in self._told)
            content = json.loads(json.dumps(nb))
        if await self._holds(target):
            entry = await self.shelves.entry(target)
            seen = self._seen.get(target.path) or entry.etag or ""
            etag = await self.shelves.save(target, content or {}, seen=seen)
        elif target.path in self._seen:
            raise HTTPError(409, _MOVED)
        else:
            target = await self.shelves.create(target.name, content)
            etag = str((await self.shelves.entry(target)).etag)
        self._remember(target.path, etag)
        return {**models.bare(await self.shelves.entry(target)), **models.hashed(etag)}

    async def _free(self, place: Place) -> str:
        """The path of the draft that somebody means who saves at *place*: in a folder that is theirs.

        Raises:
            HTTPError: No agent can lie there.
        """
        if place.kind is Kind.DRAFT:
            if await self._holds(place):
                return place.path
            await self._must_be_mine(place.owner)
            return place.path
        parent = self._parent(place)
        if not place.label.endswith(NOTEBOOK) or parent.kind not in (Kind.TOP, Kind.OWNER):
            raise HTTPError(403, _HERE)
        owner = parent.owner or await self.shelves.me()
        await self._must_be_mine(owner)
        folder = f"{self.drive}/{owner}"
        label = await self.increment_filename(place.label, folder, insert="-")
        return f"{folder}/{label}"

    async def _must_be_mine(self, owner: str) -> None:
        if owner != (me := await self.shelves.me()):
            raise HTTPError(403, f"This folder is {owner}'s. Yours is {self.drive}/{me}.")

    def _parent(self, place: Place) -> Place:
        return self.shelves.at(place.path.rpartition("/")[0] or self.drive)

    async def new(self, model: dict[str, Any] | None = None, path: str = "") -> dict[str, Any]:
        """Something new at *path*: a notebook begins as the gateway's starter."""
        if (
            self.place(path) is not None
            and path.endswith(NOTEBOOK)
            and not (model or {}).get("content")
        ):
            return await self.save({**(model or {}), "type": "notebook", "content": None}, path)
        return dict(await super().new(model, path))

    async def increment_filename(self, filename: str, path: str = "", insert: str = "") -> str:
        """A name for a new file in the folder *path*; on the drive one that an agent can have."""
        if (place := self.place(path)) is not None and filename.endswith(NOTEBOOK):
            if place.kind is Kind.AGENT:
                raise HTTPError(403, _HERE)
            filename, insert = f"{agent_name(filename)}{NOTEBOOK}", insert.lower()
        return str(await super().increment_filename(filename, path, insert))

    # Moving about

    async def update(self, model: dict[str, Any], path: str) -> dict[str, Any]:
        """Rename; on the drive `Daily Digest.ipynb` becomes `daily-digest.ipynb`."""
        asked = model.get("path")
        if asked and self.place(asked) is not None and asked.endswith(NOTEBOOK):
            folder, _, label = asked.strip("/").rpartition("/")
            model = {**model, "path": f"{folder}/{agent_name(label)}{NOTEBOOK}"}
        return dict(await super().update(model, path))

    async def rename(self, old_path: str, new_path: str) -> None:
        """Give what lies at *old_path* its new path.

        Raises:
            HTTPError: It is on the drive and no draft, or would leave its folder.
        """
        old, new = self.place(old_path), self.place(new_path)
        if old is None and new is None:
            await super().rename(old_path, new_path)
            return
        drafts = old is not None and new is not None and {old.kind, new.kind} == {Kind.DRAFT}
        if not (drafts and old and new and old.owner == new.owner):
            raise HTTPError(403, _NAMES)
        await self.shelves.rename(old, new.name)
        self._seen.pop(old.path, None)
        self._remember(new.path, str((await self.shelves.entry(new)).etag))
        self.emit(data={"action": "rename", "path": new.path, "source_path": old.path})

    async def delete(self, path: str) -> None:
        """Take what lies at *path* away; an agent is archived, its runs can still be read.

        Raises:
            HTTPError: It is on the drive and neither a draft nor a file beside one.
        """
        place = self.place(path)
        if place is None:
            await super().delete(path)
            return
        if place.kind is Kind.DRAFT:
            await self.shelves.archive(place)
        elif place.kind is Kind.FILES and place.item:
            await self.shelves.detach(place)
        else:
            raise HTTPError(403, "Only drafts can be deleted here, and the files beside them.")
        self._seen.pop(place.path, None)
        self.emit(data={"action": "delete", "path": place.path})

    # Earlier drafts

    async def list_checkpoints(self, path: str) -> list[dict[str, Any]]:
        """The earlier drafts, the newest last."""
        place = self.place(path)
        if place is None:
            return list(await super().list_checkpoints(path))
        if place.kind is not Kind.DRAFT:
            return []
        revisions = await self.shelves.revisions(place, most=CHECKPOINTS)
        return [{"id": r["id"], "last_modified": r["saved_at"]} for r in reversed(revisions)]

    async def create_checkpoint(self, path: str) -> dict[str, Any]:
        """The newest of the earlier drafts: every save has made one already."""
        place = self.place(path)
        if place is None:
            return dict(await super().create_checkpoint(path))
        entry = await self.shelves.entry(place)
        newest = await self.list_checkpoints(path)
        return newest[-1] if newest else {"id": "draft", "last_modified": entry.at}

    async def restore_checkpoint(self, checkpoint_id: str, path: str) -> None:
        """Make an earlier draft the draft again."""
        place = self.place(path)
        if place is None:
            await super().restore_checkpoint(checkpoint_id, path)
        elif checkpoint_id != "draft":
            self._remember(place.path, await self.shelves.bring_back(place, checkpoint_id))

    async def delete_checkpoint(self, checkpoint_id: str, path: str) -> None:
        """Forget a checkpoint.

        Raises:
            HTTPError: It is an earlier draft; those are kept.
        """
        if self.place(path) is not None:
            raise HTTPError(403, _COPY)
        await super().delete_checkpoint(checkpoint_id, path)

    # Kernels

    async def get_kernel_path(self, path: str, model: dict[str, Any] | None = None) -> str:
        """Where a kernel for *path* starts: on the drive where the agent's files lie by then."""
        place = self.place(path)
        if place is None:
            return str(await super().get_kernel_path(path, model))
        files = await self.shelves.files(place)
        await asyncio.to_thread(_lay_out, self.scratch_of(place), files)
        return place.path

    def scratch_of(self, place: Place) -> Path:
        """The folder in which kernels for *place* start."""
        return Path(self.scratch, place.owner, place.name)


def _lay_out(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder.joinpath(*name.split("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
