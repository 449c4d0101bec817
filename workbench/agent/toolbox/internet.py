"""The web, as far as the run's network reaches: what its metadata lists, and no more."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from workbench.agent.speech import situation
from workbench.agent.tools import MOST_LETTERS, Tool, tool

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

MOST_SENT = 1_000_000
"""How many letters a request may have."""
MOST_RECEIVED = MOST_LETTERS // 2
"""How many bytes of an answer are read."""
MOST_SECONDS = 30.0


def web(*hosts: str) -> Sequence[Tool]:
    """Tools for the web: one that gets and one that sends, to *hosts* or wherever the run reaches.

    A test run has no network, so there both say what they would have done.
    """

    def http_get(url: str) -> dict[str, Any]:
        """Get what lies at a URL.

        Args:
            url: It begins with http:// or https://.
        """
        return _exchanged(_allowed(url, hosts), "GET", None, "")

    def http_send(
        url: str,
        body: str,
        method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST",
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """Send something to a URL.

        Args:
            url: It begins with http:// or https://.
            body: What to send.
            method: What is to be done with it.
            content_type: What kind of text it is.
        """
        if len(body) > MOST_SENT:
            raise ValueError(f"A request may have {MOST_SENT:,} letters, not {len(body):,}.")
        return _exchanged(_allowed(url, hosts), method, body.encode(), content_type)

    getting, sending = tool(http_get, effects="read"), tool(http_send, effects="write")
    getting.simulate(lambda url: _imagined("GET", url))
    sending.simulate(lambda url, body, method="POST", content_type="": _imagined(method, url))
    return [getting, sending]


def _imagined(method: str, url: str) -> dict[str, Any]:
    return {"simulated": f"{method} {url}: a test run has no network."}


def _allowed(url: str, hosts: Sequence[str]) -> str:
    """*url*, if it is one of the web's and leads to *hosts*, or to no place that is not public.

    Raises:
        PermissionError: It does not.
    """
    place = urlsplit(url)
    host = (place.hostname or "").rstrip(".")
    if place.scheme not in ("http", "https") or not host:
        raise PermissionError(f"{url!r:.200} is no URL that begins with http:// or https://.")
    named = {host, f"{host}:{place.port}"}
    if hosts and not named & {each.lower() for each in hosts}:
        raise PermissionError(f"{host} is not one of {', '.join(hosts)}.")
    if not hosts and not _behind_a_proxy(place.scheme) and not _is_public(host):
        raise PermissionError(f"{host} is no public host; name it to toolbox.web to allow it.")
    return url


def _behind_a_proxy(scheme: str) -> bool:
    # What the run may reach is looked after there.
    return bool(os.environ.get(f"{scheme}_proxy"))


def _is_public(host: str) -> bool:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return all(ip_address(str(each[4][0]).partition("%")[0]).is_global for each in found)


def _exchanged(url: str, method: str, body: bytes | None, content_type: str) -> dict[str, Any]:
    # Weight: only who goes there needs it.
    from urllib.error import HTTPError
    from urllib.request import Request

    request = Request(url, data=body, method=method)
    request.add_header("User-Agent", f"agent-workbench ({situation().run_id or 'no run'})")
    if content_type:
        request.add_header("Content-Type", content_type)
    until = time.monotonic() + MOST_SECONDS
    try:
        answer = _opener().open(request, timeout=MOST_SECONDS)
    except HTTPError as error:
        answer = error
    with answer:
        content, cut = _read(answer.read1, until)
        media = answer.headers.get("Content-Type", "")
        said = content.decode(answer.headers.get_content_charset() or "utf-8", errors="replace")
        return {"status": answer.status, "content_type": media, "text": said, "cut": cut}


def _opener() -> OpenerDirector:
    from urllib.request import (
        HTTPDefaultErrorHandler,
        HTTPErrorProcessor,
        HTTPHandler,
        HTTPSHandler,
        OpenerDirector,
        ProxyHandler,
    )

    # No other schemes, and no redirects: where they lead nobody has allowed.
    opener = OpenerDirector()
    for handler in (ProxyHandler, HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler):
        opener.add_handler(handler())
    opener.add_handler(HTTPErrorProcessor())
    return opener


def _read(read: Callable[[int], bytes], until: float) -> tuple[bytes, bool]:
    """The beginning of an answer, and whether there was more than that."""
    pieces, size = [], 0
    while size <= MOST_RECEIVED and (piece := read(64 * 1024)):
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > until:
            raise TimeoutError(f"It took longer than {MOST_SECONDS:g} seconds.")
    return b"".join(pieces)[:MOST_RECEIVED], size > MOST_RECEIVED
