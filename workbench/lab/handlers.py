"""What the sidebar asks of its own server: the gateway, by way of it, and new agents.

The gateway's token stays here. A page in the browser proves itself to JupyterLab alone.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, authenticated

from workbench.client.requests import Answer, Request
from workbench.lab.bench import Bench, Refused
from workbench.lab.drive import WorkbenchDrive
from workbench.lab.starters import Starters

_RELAYED = re.compile(r"/(me|agents(/.*)?|runs(/.*)?)")
_PAGE = "text/html"
# What says how far a run is, and what of that.
_TELLING = ("cell.started", "cell.finished", "progress", "run.retrying")
_TOLD = ("type", "of", "message")
# A page that is shown in JupyterLab may do nothing there: it may hold what an agent wrote.
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class Relay(APIHandler):
    """Hands a question on to the gateway, and its answer back."""

    auth_resource = "contents"

    def initialize(self, bench: Bench) -> None:
        """Ask *bench*."""
        self._bench = bench

    @authenticated
    async def get(self, path: str) -> None:
        """Read what is there."""
        await self._hand_on(
            Request(path=self._checked(path), query=self._query(), patience_seconds=90)
        )

    @authenticated
    async def post(self, path: str) -> None:
        """Start what is asked for; publishing runs an agent's cases and takes its time."""
        await self._hand_on(
            Request(
                method="POST",
                path=self._checked(path),
                query=self._query(),
                body=self.get_json_body() or {},
                patience_seconds=None,
            )
        )

    def _checked(self, path: str) -> str:
        if not _RELAYED.fullmatch(path):
            raise HTTPError(404)
        return path

    def _query(self) -> dict[str, object]:
        return dict(parse_qsl(self.request.query))

    async def _hand_on(self, request: Request) -> None:
        try:
            answer = await self._bench.ask(request)
        except Refused as refused:
            self.set_status(refused.status_code)
            error = refused.error
            self.finish(
                {
                    "message": refused.log_message,
                    "code": error.code,
                    "details": error.details,
                }
            )
            return
        await self.finish(self._clothed(answer))

    def _clothed(self, answer: Answer) -> bytes:
        media = answer.headers.get("content-type", "").partition(";")[0]
        self.set_status(answer.status)
        self.set_header("X-Content-Type-Options", "nosniff")
        if media == _PAGE:
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.set_header("Content-Security-Policy", _SANDBOX)
        else:
            self.set_header("Content-Type", "application/json")
        return answer.content


class RunEvents(APIHandler):
    """Tells how far a run is, an event a line, from its first to its last."""

    auth_resource = "contents"
    _telling: asyncio.Task[None] | None = None

    def initialize(self, bench: Bench) -> None:
        """Ask *bench*."""
        self._bench = bench

    @authenticated
    async def get(self, run: str) -> None:
        """Tell it as it happens, as long as somebody listens."""
        self._telling = asyncio.create_task(self._tell(run))
        await asyncio.wait([self._telling])
        if not self._telling.cancelled():
            self._telling.result()

    def on_connection_close(self) -> None:
        """Tell nobody no more."""
        if self._telling is not None:
            self._telling.cancel()

    async def _tell(self, run: str) -> None:
        self.set_header("Content-Type", "application/x-ndjson")
        self.set_header("Cache-Control", "no-store")
        said = False
        try:
            async for event in self._bench.events(run):
                if event["type"] in _TELLING:
                    self.write(json.dumps({key: event.get(key) for key in _TOLD}) + "\n")
                    said = True
                    await self.flush()
        except Refused:
            # Once something is told there is no other status: who hears the end asks how it stands.
            if not said:
                raise
        except StreamClosedError:
            pass  # nobody listens any more


class NewAgents(APIHandler):
    """What a new agent can begin with, and its beginning."""

    auth_resource = "contents"

    def initialize(self, starters: Starters) -> None:
        """Offer *starters*."""
        self._starters = starters

    @authenticated
    async def get(self) -> None:
        """The starters by name, with what each is good for."""
        self.finish({"items": self._starters.listed()})

    @authenticated
    async def post(self) -> None:
        """An agent that begins with a starter; its path on the drive."""
        asked = self.get_json_body() or {}
        place = await self._starters.begin(
            str(asked.get("name", "")), str(asked.get("starter", ""))
        )
        self.set_status(201)
        self.finish(json.dumps({"path": place.path}))


def add_handlers(server: Any) -> None:
    """Let the pages of *server*, a Jupyter server whose files are a `WorkbenchDrive`, ask.

    Raises:
        TypeError: Its files are something else.
    """
    drive = server.contents_manager
    if not isinstance(drive, WorkbenchDrive):
        raise TypeError(
            "Set ServerApp.contents_manager_class to workbench.lab.drive.WorkbenchDrive."
        )
    web, base = server.web_app, server.web_app.settings["base_url"]
    web.settings.setdefault("page_config_data", {})["workbenchDrive"] = drive.drive
    starters = Starters(drive.shelves, Path(drive.starters) if drive.starters else None)
    events = url_path_join(base, "workbench", "events") + "/([A-Za-z0-9_-]+)"
    web.add_handlers(
        ".*$",
        [
            (url_path_join(base, "workbench", "gateway") + "(/.*)", Relay, {"bench": drive.bench}),
            (events, RunEvents, {"bench": drive.bench}),
            (url_path_join(base, "workbench", "new"), NewAgents, {"starters": starters}),
        ],
    )
