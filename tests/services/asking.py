"""Asking models in tests, and what it took."""

import asyncio
import json

from workbench.domain.models import Api
from workbench.services.spending import UsageQuery

COST = (600 * 0.75 + 400 * 0.075 + 100 * 4.5) / 10**6
"""What the answer of `upstream.COMPLETION` costs, in dollars: gpt-5.4-mini."""

BODY = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": "2+2"}]}


async def whole(app, principal, body=BODY, api=Api.CHAT):
    reply = await app.brokering.ask(principal, api, body, ends=asyncio.Event())
    if reply.frames is None:
        return reply
    text = b"".join([piece async for piece in reply.frames])
    return [frame + b"\n\n" for frame in text.split(b"\n\n")[:-1]]


async def ledger(app, principal, by="day", **more):
    await app.spending.written()
    return await app.spending.usage(principal, UsageQuery(by=by, **more))


def a_notebook(notebook, **metadata):
    return json.dumps(notebook("pass", **metadata)).encode()
