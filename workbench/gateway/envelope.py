"""What all answers have in common, those of Jupyter's own handlers included.

Every error has the body of the contract and no traceback, every answer the id of its request; no
cookie is set, no digest is computed, no query is logged and no server is named.
"""

from __future__ import annotations

import logging
import re
from types import TracebackType
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from workbench.app import new_id, utc_now
from workbench.errors import WorkbenchError
from workbench.gateway.logs import about
from workbench.gateway.responses import Answer, broken, failure, meant

log = logging.getLogger("workbench.gateway")

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

ORIGINS = "workbench_origins"
"""Under which name the application knows whose pages may ask."""

UNKNOWN = "unknown"
"""The route of what leads nowhere."""

# What a page of another origin may do where that is allowed at all.
_CROSS_ORIGIN = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match,"
    " If-None-Match, If-Range, Last-Event-ID, Prefer, Range, X-Request-Id",
    "Access-Control-Expose-Headers": "Content-Range, Deprecation, ETag, Idempotency-Replayed,"
    " Location, Retry-After, X-Request-Id, X-Run-Id, X-Run-Status",
    "Access-Control-Max-Age": "600",
}


class Enveloped(RequestHandler):
    """A request whose answer, whatever it is, looks as the contract says."""

    request_id: str
    template = UNKNOWN
    """The route, as the table of routes spells it."""
    user = ""
    """Who asks, once that is known."""
    run_id = ""
    """The run it is about, if it is about one."""

    def set_default_headers(self) -> None:
        """Say whose answer it is, and nothing of what made it."""
        super().set_default_headers()
        wanted = self.request.headers.get("X-Request-Id", "")
        if not hasattr(self, "request_id"):
            self.request_id = wanted if _SANE_ID.fullmatch(wanted) else new_id()
        self.clear_header("Server")
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self._allow_cross_origin()

    def set_cors_headers(self) -> None:
        """Nothing more: they are there from the beginning, so that errors have them too."""

    def compute_etag(self) -> str | None:
        """None; what has an entity tag says so itself."""
        return None

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what nobody foresaw; all else is the caller's business and in the answer."""
        if not isinstance(value, (WorkbenchError, HTTPError, StreamClosedError)):
            assert typ is not None and value is not None
            log.error(
                "request %s failed: %s",
                self.request_id,
                self._request_summary(),
                exc_info=(typ, value, tb),
            )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with the error that was raised, in the body that all errors have."""
        raised = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(raised, WorkbenchError):
            error = raised
        elif status_code >= 500:
            error = broken(self.request_id)
        else:
            said = raised.log_message if isinstance(raised, HTTPError) else None
            error = meant(status_code, said or f"{self._reason}.")
        self.reply(self.refusal(self.explained(error)))

    def refusal(self, error: WorkbenchError) -> Answer:
        """What reports *error*, in the body that all errors have."""
        return failure(error, request_id=self.request_id, at=utc_now())

    def explained(self, error: WorkbenchError) -> WorkbenchError:
        """The error with what only the handler knows about it."""
        return error

    def reply(self, answer: Answer) -> None:
        """Send a whole answer."""
        self.run_id = answer.headers.get("X-Run-Id", self.run_id)
        self.set_status(answer.status)
        self.set_header("Content-Type", answer.media)
        self.set_header("Cache-Control", "no-store")
        for name, value in answer.headers.items():
            self.set_header(name, value)
        if "Vary" in answer.headers and self.settings.get(ORIGINS):
            self.set_header("Vary", f"{answer.headers['Vary']}, Origin")
        if answer.body:
            self.write(answer.body)
        RequestHandler.finish(self)

    def _request_summary(self) -> str:
        return f"{self.request.method} {ascii(self.request.path)[1:-1]} ({self.request.remote_ip})"

    def _other_origin(self) -> str:
        """What to tell a browser whose page is of another origin; empty if it may not ask."""
        allowed = self.settings.get(ORIGINS, ())
        origin = self.request.headers.get("Origin", "")
        return "*" if "*" in allowed else origin if origin in allowed else ""

    def _allow_cross_origin(self) -> None:
        if self.settings.get(ORIGINS):
            self.set_header("Vary", "Origin")
        if origin := self._other_origin():
            self.set_header("Access-Control-Allow-Origin", origin)
            for header, value in _CROSS_ORIGIN.items():
                self.set_header(header, value)


def log_request(handler: RequestHandler) -> None:
    """A line for an answered request: aloud if it is our fault."""
    status = handler.get_status()
    level = logging.WARNING if status >= 500 else logging.INFO
    if isinstance(handler, Enveloped) and log.isEnabledFor(level):
        ms = round(1000 * handler.request.request_time(), 1)
        method = (handler.request.method or "")[:20]
        facts: dict[str, object] = {
            "request_id": handler.request_id,
            "user": handler.user,
            "method": method,
            "route": handler.template,
            "status": status,
            "ms": ms,
            "run_id": handler.run_id,
        }
        log.log(
            level,
            "%d %s %s %.1f ms, request %s",
            status,
            method,
            handler.template,
            ms,
            handler.request_id,
            extra=about(facts),
        )
