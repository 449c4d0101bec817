"""What describes the gateway: a document for programs, a page for people."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from pathlib import Path

from workbench.domain.agents import Agent
from workbench.domain.paging import LARGEST_PAGE
from workbench.domain.queries import AgentQuery
from workbench.errors import AgentNotFound, Unauthenticated
from workbench.gateway.handlers.places import agent_called
from workbench.gateway.openapi import document
from workbench.gateway.requests import Call, entity_tags, options, takes_gzip
from workbench.gateway.responses import JSON, Answer
from workbench.gateway.route import Handler, Route

PAGES = Path(__file__).parents[1] / "pages"


def openapi_of(routes: Callable[[], Sequence[Route]]) -> Handler:
    """What answers with the document of *routes* and of the agents the caller may run."""

    async def openapi(call: Call) -> Answer:
        """The OpenAPI document.

        Raises:
            Unauthenticated: One agent is asked for, and nobody knows by whom.
            AgentNotFound: It is none that the caller may run.
        """
        wanted = options(call, "agent").get("agent")
        if wanted is not None:
            return _unless_held(call, _written(document(routes(), [await _agent(call, wanted)])))

        async def write() -> Answer:
            return _written(document(routes(), await _agents(call)))

        # Reading and writing hundreds of agents takes its time; they seldom change.
        epoch = call.app.authoring.epoch
        whole = await call.kept.answer(call.asked, epoch, write)
        if not takes_gzip(call):
            return _unless_held(call, whole)
        asked = (call.principal, f"{call.path} gzip", call.query)
        return _unless_held(call, await call.kept.answer(asked, epoch, lambda: _zipped(whole)))

    return openapi


async def docs(call: Call) -> Answer:
    """The page to read the document by and to try it from."""
    options(call)
    return _unless_held(call, docs_page())


@cache
def docs_page() -> Answer:
    """The whole page in one piece, with a policy that lets nothing else run or load in it."""
    parts = {kind: (PAGES / f"docs.{kind}").read_text() for kind in ("css", "js")}
    page = re.sub(
        r"<!-- docs\.(css|js) -->",
        lambda found: parts[found[1]],
        (PAGES / "docs.html").read_text(),
    )
    policy = (
        "default-src 'none'; connect-src 'self'; img-src data:;"
        f" script-src {_source('script', page)}; style-src {_source('style', page)};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    return _written(page.encode(), media="text/html; charset=utf-8", headers=headers)


def _source(element: str, page: str) -> str:
    inside = page.split(f"<{element}>", 1)[1].split(f"</{element}>", 1)[0]
    digest = hashlib.sha256(inside.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


async def _agents(call: Call) -> Sequence[Agent]:
    if not call.principal.user:
        return []
    """The caller's own agents, then the others, the newest first: no more than make a page."""
    own = AgentQuery(owner=call.principal.user, limit=LARGEST_PAGE)
    found: dict[str, Agent] = {}
    for query in (own, AgentQuery(limit=LARGEST_PAGE)):
        page = await call.app.authoring.list(call.principal, query)
        found |= {agent.id: agent for agent in page.items}
    return list(found.values())[:LARGEST_PAGE]


async def _agent(call: Call, wanted: str) -> Agent:
    if not call.principal.user:
        raise Unauthenticated("Send a token: agents are shown to those who may run them.")
    owner, _, name = wanted.partition("/")
    agent = await agent_called(call, owner, name)
    if agent.archived_at is not None:
        raise AgentNotFound(f"{agent.address} is archived.", agent=agent.address)
    return agent


def _written(body: bytes, *, media: str = JSON, headers: Mapping[str, str] | None = None) -> Answer:
    """A whole answer that its reader may keep, and the tag it is known by."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    kept = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Accept-Encoding",
    }
    return Answer(body=body, media=media, headers={**kept, **(headers or {})})


async def _zipped(whole: Answer) -> Answer:
    """*whole*, pressed together; in a thread, as it takes its time."""
    body = await asyncio.to_thread(gzip.compress, whole.body, 6, mtime=0)
    tag = f'{whole.headers["ETag"][:-1]}-gzip"'
    return replace(
        whole, body=body, headers={**whole.headers, "ETag": tag, "Content-Encoding": "gzip"}
    )


def _unless_held(call: Call, answer: Answer) -> Answer:
    """*answer*, or that it is still what the caller holds."""
    held = entity_tags(call, "If-None-Match") or []
    if answer.headers["ETag"] in [tag.removeprefix("W/") for tag in held] or held == ["*"]:
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=answer.headers)
    return answer
