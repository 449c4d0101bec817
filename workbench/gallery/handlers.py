"""What the gallery answers besides Voilà's page: signing in and out, and the files of runs."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import parse_qs, quote

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httputil import parse_response_start_line
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, authenticated

from workbench.errors import Unavailable, WorkbenchError
from workbench.gallery.assets import Assets
from workbench.gallery.door import Door, session_of
from workbench.gallery.entrance import Entrance
from workbench.gallery.pages import ADDRESS

_PAGE = (Path(__file__).parent / "sign_in.html").read_text(encoding="utf-8")
_STYLE = _PAGE.partition("<style>")[2].partition("</style>")[0]
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; form-action 'self';"
    " frame-ancestors 'none'"
)
_FILE_POLICY = "sandbox; default-src 'none'"
_TOLD = ("Content-Type", "Content-Disposition", "Content-Length", "ETag")
_FOR_GOOD = "public, max-age=31536000, immutable"
_SECONDS = 3_600.0

Method = TypeVar("Method", bound=Callable[..., object])


def _authorized(action: str) -> Callable[[Method], Method]:
    return cast("Callable[[Method], Method]", authorized(action, "gallery"))


class SignIn(JupyterHandler):
    """Takes a token, once; afterwards a cookie says who somebody is."""

    @property
    def content_security_policy(self) -> str:
        """The page fetches nothing and runs nothing."""
        return _POLICY

    @allow_unauthenticated
    async def get(self) -> None:
        """The form; or the page itself for who brings the login of `workbench up`, or a ticket."""
        login, ticket = self.get_argument("token", ""), self.get_argument("ticket", "")
        if login:
            await self._enter(lambda way: way.by_login(login))
        elif ticket:
            await self._enter(lambda way: way.by_ticket(ticket))
        elif self.current_user is not None:
            self.redirect(self._wanted())
        else:
            self._form()

    @allow_unauthenticated
    async def post(self) -> None:
        """Let in who sent a token."""
        token = self.get_body_argument("token", "").strip()
        await self._enter(lambda way: way.by_token(token))

    async def _enter(self, way: Callable[[Entrance], Awaitable[str]]) -> None:
        door = cast("Door", self.identity_provider)
        try:
            proof = await way(door.entrance)
        except WorkbenchError as error:
            self.set_status(503 if isinstance(error, Unavailable) else 401)
            said = "The workbench does not answer just now. Try again in a moment."
            self._form(said if isinstance(error, Unavailable) else "This does not let anybody in.")
            return
        door.admit(self, proof)
        self.redirect(self._wanted())

    def _wanted(self) -> str:
        """The page that somebody was about to open, if it is one of ours: never another site."""
        query = parse_qs(self.get_query_argument("next", "").partition("?")[2])
        asked = query.get("agent", [""])[0]
        return f"{self.base_url}?agent={asked}" if ADDRESS.fullmatch(asked) else self.base_url

    def _form(self, problem: str = "") -> None:
        token = self.xsrf_token.decode()
        page = _PAGE.replace("{{xsrf}}", escape(token)).replace("{{problem}}", escape(problem))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(page.replace("{{hidden}}", "" if problem else "hidden"))


class SignOut(JupyterHandler):
    """Ends a session."""

    @authenticated
    @_authorized("write")
    async def post(self) -> None:
        """Let nobody in by this browser's cookie any more."""
        door = cast("Door", self.identity_provider)
        cookie = door.cookie_of(self)
        await door.entrance.leave(self.get_cookie(cookie) or "")
        self.clear_cookie(cookie)
        self.redirect(f"{self.base_url}login")


class RunFile(JupyterHandler):
    """A file that a run left, passed on from the gateway piece by piece."""

    @property
    def content_security_policy(self) -> str:
        """Whatever it is, it is not a page of ours."""
        return _FILE_POLICY

    @authenticated
    @_authorized("read")
    async def get(self, run: str, path: str) -> None:
        """The file, to be kept."""
        session = session_of(self)
        request = HTTPRequest(
            f"{session.url}/runs/{run}/files/{quote(path)}",
            headers={"Authorization": f"Bearer {session.token}"},
            header_callback=self._head,
            streaming_callback=self._piece,
            request_timeout=_SECONDS,
        )
        self._good = False
        try:
            await AsyncHTTPClient().fetch(request)
        except HTTPClientError as error:
            raise HTTPError(404 if error.code == 404 else 502) from None
        except (OSError, StreamClosedError):
            raise HTTPError(502) from None
        self.finish()

    def _head(self, line: str) -> None:
        if line.startswith("HTTP/"):
            self._good = parse_response_start_line(line.strip()).code == 200
        elif self._good and (found := re.fullmatch(r"([A-Za-z-]+): (.*)\r\n", line)):
            name = found[1].title().replace("Etag", "ETag")
            if name in _TOLD:
                self.set_header(name, found[2])

    def _piece(self, piece: bytes) -> None:
        if self._good:
            self.write(piece)
            self.flush()


class AssetFile(RequestHandler):
    """What pages load, which tells nobody anything and may be kept for good."""

    def initialize(self, assets: Assets) -> None:
        """Serve *assets*."""
        self._assets = assets

    def get(self, key: str, path: str) -> None:
        """The file, packed for those who take it."""
        asset = self._assets.find(path)
        if asset is None:
            raise HTTPError(404)
        if cast("Door", self.settings["identity_provider"]).session_of(self):
            self._assets.learn(path, self.request.query)
        # A page that was opened before a new release may still ask for the rest of it.
        current = key == self._assets.key
        self.set_header("Cache-Control", _FOR_GOOD if current else "no-cache")
        self.set_header("Content-Type", asset.type)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Vary", "Accept-Encoding")
        packed = asset.packed if "gzip" in self.request.headers.get("Accept-Encoding", "") else None
        if packed is not None:
            self.set_header("Content-Encoding", "gzip")
        self.finish(packed or asset.body)

    def compute_etag(self) -> None:
        """None: the address says it."""


def handlers(assets: Assets) -> list[tuple[Any, ...]]:
    """What answers besides Voilà, as Tornado wants it."""
    return [
        (r"/login", SignIn),
        (r"/logout", SignOut),
        (r"/runs/([0-9a-f]{32})/(.+)", RunFile),
        (r"/assets/([0-9a-f]{16})/(.+)", AssetFile, {"assets": assets}),
    ]
