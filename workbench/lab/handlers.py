"""What the sidebar asks of its own server: the gateway, by way of it, and new agents.

The gateway's token stays here. A page in the browser proves itself to JupyterLab alone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from workbench.client.requests import Answer, Request
from workbench.lab.bench import Bench, Refused
from workbench.lab.drive import WorkbenchDrive
from workbench.lab.starters import Starters

_RELAYED = re.compile(r"/(me|agents(/.*)?|runs(/.*)?)")
_PAGE = "text/html"
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
    web.add_handlers(
        ".*$",
        [
            (url_path_join(base, "workbench", "gateway") + "(/.*)", Relay, {"bench": drive.bench}),
            (url_path_join(base, "workbench", "new"), NewAgents, {"starters": starters}),
        ],
    )
