"""Runs: listed, looked at, followed, called off, and what they left."""

from __future__ import annotations

import asyncio
import mimetypes
import os
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import quote

from workbench.domain.queries import RunQuery
from workbench.domain.runs import RunStatus
from workbench.errors import InvalidRequest
from workbench.gateway.handlers.places import agent_at, agent_by_id, agent_called, run_id_at
from workbench.gateway.handlers.waiting import settled
from workbench.gateway.requests import (
    Call,
    fields,
    flag,
    last_event_id,
    options,
    page,
    seconds,
    since,
)
from workbench.gateway.responses import NOTEBOOK, Answer, answer
from workbench.gateway.streams import HEADERS, MEDIA, sse
from workbench.services.views import log_lines, page_view, run_view

LONGEST_WAIT_SECONDS = 300.0
PIECE_BYTES = 256 * 1024
_LIST = ("status", "test", "since", "limit", "cursor")


async def listing(call: Call) -> Answer:
    """The runs the caller may know of, newest first.

    Raises:
        AgentNotFound: Those of an agent are asked for that the caller may not know of.
    """
    found = options(call, "agent", *_LIST)
    return await _list(call, found, await _agent_id(call, found.get("agent")))


async def listing_of_agent(call: Call) -> Answer:
    """The runs of one agent that the caller may know of, newest first.

    Raises:
        AgentNotFound: There is no agent the caller may know of.
    """
    found = options(call, *_LIST)
    return await _list(call, found, (await agent_at(call)).id)


async def show(call: Call) -> Answer:
    """The run, at once or when it has settled.

    Raises:
        NotFound: There is none the caller may know of.
    """
    wait = seconds(options(call, "wait"), "wait", most=LONGEST_WAIT_SECONDS)
    return answer(run_view(await settled(call, run_id_at(call), seconds=wait)))


async def events(call: Call) -> Answer:
    """What happened and happens during the run, as server-sent events.

    Raises:
        NotFound: There is no run the caller may know of.
    """
    options(call)
    run_id = run_id_at(call)
    following = await call.app.running.events(call.principal, run_id, after=last_event_id(call))
    return Answer(stream=sse(following, ends=call.ends), media=MEDIA, headers=HEADERS)


async def logs(call: Call) -> Answer:
    """What the run has printed and logged until now, as text.

    Raises:
        NotFound: There is no run the caller may know of.
    """
    options(call)
    happened = await call.app.running.happened(call.principal, run_id_at(call))
    text = "".join(f"{line}\n" for line in log_lines(happened))
    return Answer(body=text.encode(errors="replace"), media="text/plain; charset=utf-8")


async def notebook(call: Call) -> Answer:
    """The executed notebook.

    Raises:
        NotFound: There is no run the caller may know of, or it left no notebook.
    """
    options(call)
    content = await call.app.running.notebook(call.principal, run_id_at(call))
    return Answer(body=content, media=NOTEBOOK)


async def files(call: Call) -> Answer:
    """The files the run left.

    Raises:
        NotFound: There is no run the caller may know of.
    """
    options(call)
    left = await call.app.running.files(call.principal, run_id_at(call))
    items = [{"path": file.path, "size": file.size} for file in left]
    return answer({"items": items, "next_cursor": None})


async def file(call: Call) -> Answer:
    """One file the run left; to be kept, never to be shown in a page of ours.

    Raises:
        NotFound: There is no such run or file.
    """
    options(call)
    path = call.places["path"]
    content = await call.app.running.file(call.principal, run_id_at(call), path)
    media, encoding = mimetypes.guess_type(path)
    return Answer(
        stream=_pieces(content),
        media=media if media and not encoding else "application/octet-stream",
        headers={
            "Content-Length": str(os.fstat(content.fileno()).st_size),
            "Cache-Control": "no-store",
            "Content-Disposition": "attachment; filename*=UTF-8''"
            + quote(path.rpartition("/")[2], safe=""),
            "Content-Security-Policy": "sandbox",
        },
    )


async def cancel(call: Call) -> Answer:
    """The run, called off if it had not ended.

    Raises:
        NotFound: There is none the caller may know of.
    """
    options(call)
    fields(call, {})
    run = await call.app.running.cancel(call.principal, run_id_at(call))
    return answer(
        run_view(run), status=HTTPStatus.ACCEPTED, headers={"Location": f"/runs/{run.id}"}
    )


async def _list(call: Call, found: dict[str, str], agent_id: str | None) -> Answer:
    limit, cursor = page(found)
    query = RunQuery(
        agent_id=agent_id,
        status=_status(found.get("status")),
        test=flag(found, "test"),
        since=since(found),
        limit=limit,
        cursor=cursor,
    )
    return answer(page_view(await call.app.running.list(call.principal, query), run_view))


async def _agent_id(call: Call, text: str | None) -> str | None:
    if text is None:
        return None
    owner, slash, name = text.partition("/")
    agent = await (agent_called(call, owner, name) if slash else agent_by_id(call, text))
    return agent.id


def _status(text: str | None) -> RunStatus | None:
    if text is None:
        return None
    try:
        return RunStatus(text)
    except ValueError:
        raise InvalidRequest(f"status is one of {', '.join(RunStatus)}.", query="status") from None


async def _pieces(file: BinaryIO) -> AsyncGenerator[bytes, None]:
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece
