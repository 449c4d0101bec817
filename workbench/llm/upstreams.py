"""Asking upstreams: with patience, but not with more than was agreed.

What is worth another try is tried again, after as long as the upstream asks for; what is not is
handed on at once. An upstream that has failed several times in a row is left alone for a while.
However an upstream misbehaves, the asker gets an answer that can be read, in time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from workbench.domain.models import Upstream
from workbench.errors import ModelSilent
from workbench.llm import Reply
from workbench.llm.answers import DONE, failed
from workbench.llm.questions import Question

if TYPE_CHECKING:
    import httpx2

ANSWER_BYTES = 32 * 1024 * 1024
"""How long an answer may be."""
FRAME_BYTES = 4 * 1024 * 1024
"""How long a piece of one may be."""
PATIENCE_SECONDS = 30.0
"""How long an upstream may ask us to wait; if it asks for more, the asker is told instead."""
FAILURES = 5
"""After how many failures in a row an upstream is left alone."""
REST_SECONDS = 20.0
"""How long it is left alone."""

_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_CONNECT_SECONDS = 10.0
_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
_PASSED_ON = ("retry-after", "retry-after-ms", "x-should-retry")


@dataclass(slots=True)
class _Health:
    """How an upstream has fared lately."""

    failures: int = 0
    rests_until: float = 0.0


class Upstreams:
    """The connections to all upstreams, opened when they are first asked."""

    def __init__(
        self,
        *,
        answer_bytes: int = ANSWER_BYTES,
        patience_seconds: float = PATIENCE_SECONDS,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self._answer_bytes = answer_bytes
        self._patience = patience_seconds
        self._rest = rest_seconds
        self._clients: dict[str, httpx2.AsyncClient] = {}
        self._health: dict[str, _Health] = {}

    async def ask(
        self, upstream: Upstream, question: Question, body: Mapping[str, Any], *, key: str
    ) -> Reply:
        """What *upstream* answers to *body*, which is *question* in its own words.

        An answer that is no success is handed on, except for one that says our key is no good.

        Raises:
            ModelSilent: It cannot be reached, takes too long, or its answer cannot be read.
        """
        health = self._health.setdefault(upstream.name, _Health())
        resting = health.rests_until - time.monotonic()
        if resting > 0:
            raise ModelSilent(
                f"The upstream {upstream.name} has failed {health.failures} times in a row and is"
                f" left alone for {resting:.0f} seconds.",
                upstream=upstream.name,
            )
        until = time.monotonic() + upstream.seconds
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + upstream.seconds):
                reply = await self._ask_again(upstream, question, body, key, until)
        except TimeoutError:
            self._failed(health)
            raise _late(upstream) from None
        except ModelSilent:
            self._failed(health)
            raise
        if reply.status >= 500:
            self._failed(health)
        else:
            health.failures = 0
        return reply

    async def close(self) -> None:
        """Hang up on everybody."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    def _failed(self, health: _Health) -> None:
        health.failures += 1
        if health.failures >= FAILURES:
            health.rests_until = time.monotonic() + self._rest

    async def _ask_again(
        self,
        upstream: Upstream,
        question: Question,
        body: Mapping[str, Any],
        key: str,
        until: float,
    ) -> Reply:
        attempt = 0
        while True:
            try:
                reply = await self._ask_once(upstream, question, body, key, until)
                wait = _wait(reply, attempt)
            except ModelSilent as error:
                if attempt >= upstream.retries or not error.details.get("again"):
                    raise
                wait = _pause(attempt)
            else:
                if wait is None or attempt >= upstream.retries or wait > self._patience:
                    return reply
            attempt += 1
            await asyncio.sleep(wait)

    async def _ask_once(
        self,
        upstream: Upstream,
        question: Question,
        body: Mapping[str, Any],
        key: str,
        until: float,
    ) -> Reply:
        import httpx2

        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(
                    self._client(upstream).stream(
                        "POST",
                        _address(upstream, question, str(body.get("model", ""))),
                        content=json.dumps(body, ensure_ascii=False).encode(errors="replace"),
                        headers=_headers(upstream, key),
                    )
                )
                media = response.headers.get("content-type", "")
                if response.status_code == 200 and question.stream and "event-stream" in media:
                    held = stack.pop_all()
                    frames = self._frames(upstream, question, response, held, key, until)
                    return Reply(frames=frames)
                content = await self._whole(upstream, response)
            except httpx2.TimeoutException:
                raise _late(upstream) from None
            except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL) as error:
                raise ModelSilent(
                    f"The upstream {upstream.name} cannot be reached: {type(error).__name__}.",
                    upstream=upstream.name,
                    again=isinstance(error, httpx2.TransportError),
                ) from None
        return _read(upstream, response.status_code, response.headers, content, key)

    async def _whole(self, upstream: Upstream, response: httpx2.Response) -> bytes:
        content = bytearray()
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > self._answer_bytes:
                raise _too_long(upstream, self._answer_bytes)
        return bytes(content)

    async def _frames(
        self,
        upstream: Upstream,
        question: Question,
        response: httpx2.Response,
        held: AsyncExitStack,
        key: str,
        until: float,
    ) -> AsyncGenerator[bytes, None]:
        """The frames of an answer; if it cannot go on, the last one says why."""
        import httpx2

        secret = key.encode()
        try:
            async with held:
                pieces = _split(response.aiter_bytes(), upstream, self._answer_bytes)
                async with aclosing(pieces), asyncio.timeout(max(0.0, until - time.monotonic())):
                    async for frame in pieces:
                        yield frame.replace(secret, b"[key]") if secret else frame
        except (httpx2.TimeoutException, TimeoutError):
            yield failed(question.api, str(_late(upstream)), "upstream_timeout")
        except httpx2.HTTPError:
            said = f"The upstream {upstream.name} cut its answer off."
            yield failed(question.api, said, "upstream_cut")
        except ModelSilent as error:
            yield failed(question.api, str(error), "upstream_broken")

    def _client(self, upstream: Upstream) -> httpx2.AsyncClient:
        # Weight: most workbenches never ask anybody.
        import httpx2

        client = self._clients.get(upstream.name)
        if client is None:
            # It would write a line with the address for every question.
            logging.getLogger("httpx2").setLevel(logging.WARNING)
            silence = upstream.silence_seconds
            client = self._clients[upstream.name] = httpx2.AsyncClient(
                timeout=httpx2.Timeout(silence, connect=min(_CONNECT_SECONDS, silence), pool=None),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
                # The keys must not go where an answer points to, nor through somebody else.
                follow_redirects=False,
                trust_env=False,
            )
        return client


def _address(upstream: Upstream, question: Question, model: str) -> str:
    if upstream.kind == "azure" and upstream.version:
        return (
            f"{upstream.url}/openai/deployments/{model}/{question.api}"
            f"?api-version={upstream.version}"
        )
    return f"{upstream.url}/{question.api}"


def _headers(upstream: Upstream, key: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if key and upstream.kind == "azure":
        headers["api-key"] = key
    elif key:
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _read(
    upstream: Upstream, status: int, headers: Mapping[str, str], content: bytes, key: str
) -> Reply:
    """The answer, if it is one that an asker could read.

    Raises:
        ModelSilent: It is not.
    """
    if status in (401, 403):
        raise ModelSilent(
            f"The upstream {upstream.name} refused the workbench's key. An administrator sets it"
            f" by `workbench models key {upstream.name}`.",
            upstream=upstream.name,
        )
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    good = isinstance(answer, dict)
    if 300 <= status < 400 or (status < 300 and not good):
        raise ModelSilent(
            f"The upstream {upstream.name} answered {status} with something that is no answer.",
            upstream=upstream.name,
        )
    if not good:
        said = {"message": f"The upstream {upstream.name} answered {status}.", "code": None}
        content = json.dumps({"error": {**said, "type": "upstream_error"}}).encode()
    if key:
        content = content.replace(key.encode(), b"[key]")
    passed = {name: headers[name] for name in _PASSED_ON if name in headers}
    return Reply(status=status, headers=passed, body=content, answer=answer if good else None)


def _wait(reply: Reply, attempt: int) -> float | None:
    """How long to wait before asking again; None if that is no use."""
    if reply.status not in _RETRIED or reply.headers.get("x-should-retry") == "false":
        return None
    if b'"insufficient_quota"' in reply.body:
        return None
    asked = _asked_wait(reply.headers)
    return _pause(attempt) if asked is None else asked


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """How many seconds the upstream asks us to wait, in whichever way it says so."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after")
        return None if text is None else max(0.0, float(text))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, at.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _pause(attempt: int) -> float:
    longest: float = min(_LONGEST_PAUSE_SECONDS, _PAUSE_SECONDS * 2**attempt)
    return longest * random.uniform(0.75, 1.0)


async def _split(
    pieces: AsyncIterator[bytes], upstream: Upstream, most: int
) -> AsyncGenerator[bytes, None]:
    """Whole frames out of pieces of any length; a stream that ends within one is cut off there.

    Raises:
        ModelSilent: A frame is too long, or all of them are.
    """
    rest, total = b"", 0
    async for piece in pieces:
        total += len(piece)
        rest = (rest + piece).replace(b"\r\n", b"\n")
        if total > most or len(rest) > FRAME_BYTES:
            raise _too_long(upstream, most if total > most else FRAME_BYTES)
        *whole, rest = rest.split(b"\n\n")
        for frame in whole:
            if frame.strip():
                yield frame + b"\n\n"
    if rest.strip() == DONE.strip():
        yield DONE


def _late(upstream: Upstream) -> ModelSilent:
    return ModelSilent(
        f"The upstream {upstream.name} did not answer in time.", upstream=upstream.name
    )


def _too_long(upstream: Upstream, most: int) -> ModelSilent:
    return ModelSilent(
        f"The upstream {upstream.name} answered with more than {most:,} bytes.",
        upstream=upstream.name,
    )
