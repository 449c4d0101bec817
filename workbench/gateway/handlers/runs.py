"""Runs: listed, looked at, followed, called off, and what they left."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus

from workbench.domain.queries import RunQuery
from workbench.domain.runs import RunStatus
from workbench.errors import InvalidRequest
from workbench.gateway.downloads import download
from workbench.gateway.handlers.places import agent_at, agent_id_named, run_id_at
from workbench.gateway.handlers.waiting import settled
from workbench.gateway.requests import (
    Call,
    fields,
    flag,
    last_event_id,
    moment_in,
    options,
    page,
    seconds,
    whole,
)
from workbench.gateway.responses import NOTEBOOK, Answer, answer
from workbench.gateway.streams import HEADERS, MEDIA, sse
from workbench.services.views import log_lines, page_view, run_view

LONGEST_WAIT_SECONDS = 300.0
PAGE_POLICY = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'"
)
"""A page made of what agents put out runs nothing, fetches nothing and is no page of ours."""

_LIST = ("status", "test", "version", "since", "until", "limit", "cursor")


async def listing(call: Call) -> Answer:
    """The runs the caller may know of, newest first.

    Raises:
        AgentNotFound: Those of an agent are asked for that the caller may not know of.
    """
    found = options(call, "agent", *_LIST)
    return await _list(call, found, lambda: agent_id_named(call, found.get("agent")))


async def listing_of_agent(call: Call) -> Answer:
    """The runs of one agent that the caller may know of, newest first.

    Raises:
        AgentNotFound: There is no agent the caller may know of.
    """

    async def agent_id() -> str:
        return (await agent_at(call)).id

    return await _list(call, options(call, *_LIST), agent_id)


async def show(call: Call) -> Answer:
    """The run, at once or when it has settled.

    Raises:
        NotFound: There is none the caller may know of.
    """
    wait = seconds(options(call, "wait"), "wait", most=LONGEST_WAIT_SECONDS)
    if wait:
        return answer(run_view(await settled(call, run_id_at(call), seconds=wait)))

    async def write() -> Answer:
        return answer(run_view(await call.app.running.get(call.principal, run_id_at(call))))

    return await call.kept.answer(call.asked, call.app.running.epoch, write)


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
    attempt = whole(options(call, "attempt"), "attempt")
    content = await call.app.running.notebook(call.principal, run_id_at(call), attempt=attempt)
    return Answer(body=content, media=NOTEBOOK)


async def shown(call: Call) -> Answer:
    """The executed notebook as a page to look at.

    Raises:
        NotFound: There is no run the caller may know of, or it left no notebook.
    """
    attempt = whole(options(call, "attempt"), "attempt")
    html = await call.app.showing.page(call.principal, run_id_at(call), attempt=attempt)
    return Answer(
        body=html.encode(),
        media="text/html; charset=utf-8",
        headers={"Content-Security-Policy": PAGE_POLICY},
    )


async def files(call: Call) -> Answer:
    """The files the run left.

    Raises:
        NotFound: There is no run the caller may know of.
    """
    attempt = whole(options(call, "attempt"), "attempt")
    left = await call.app.running.files(call.principal, run_id_at(call), attempt=attempt)
    items = [{"path": file.path, "size": file.size} for file in left]
    return answer({"items": items, "next_cursor": None})


async def file(call: Call) -> Answer:
    """One file the run left, or a part of it; to be kept, never to be shown in a page of ours.

    Raises:
        NotFound: There is no such run or file.
        RangeNotSatisfiable: The part lies beyond its end.
    """
    attempt = whole(options(call, "attempt"), "attempt")
    path, run_id = call.places["path"], run_id_at(call)
    content = await call.app.running.file(call.principal, run_id, path, attempt=attempt)
    left = os.fstat(content.fileno())
    # What a run left is written once, so when and how much says which bytes these are.
    tag = f'"{left.st_ino:x}-{left.st_mtime_ns:x}-{left.st_size:x}"'
    return download(call, content, path=path, size=left.st_size, tag=tag)


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


async def _list(
    call: Call, found: dict[str, str], agent_id: Callable[[], Awaitable[str | None]]
) -> Answer:
    limit, cursor = page(found)
    query = RunQuery(
        status=_status(found.get("status")),
        test=flag(found, "test"),
        version=found.get("version"),
        since=moment_in(found, "since"),
        until=moment_in(found, "until"),
        limit=limit,
        cursor=cursor,
    )

    async def write() -> Answer:
        wanted = replace(query, agent_id=await agent_id())
        return answer(page_view(await call.app.running.list(call.principal, wanted), run_view))

    epoch = call.app.authoring.epoch, call.app.running.epoch
    return await call.kept.answer(call.asked, epoch, write)


def _status(text: str | None) -> RunStatus | None:
    if text is None:
        return None
    try:
        return RunStatus(text)
    except ValueError:
        raise InvalidRequest(f"status is one of {', '.join(RunStatus)}.", query="status") from None
