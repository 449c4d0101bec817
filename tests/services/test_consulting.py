"""A model is asked on the user's own account, and whatever it answers ends within bounds."""

import json
from contextlib import asynccontextmanager

import pytest

from tests.llm.upstream import COMPLETION, answer, failure, misbehaving
from tests.services.writing import (
    PLAN,
    WISH,
    Deciding,
    cells,
    completed,
    repair,
)
from workbench.domain.generations import Standing
from workbench.errors import (
    DuplicateAgentName,
    InvalidAgentConfig,
    InvalidRequest,
    ModelNotFound,
)
from workbench.services.authoring import Proposal
from workbench.services.drafting import Wish
from workbench.services.spending import UsageQuery


@pytest.fixture
def upstream(desk):
    """Opens an app whose models are those of a misbehaving upstream."""

    @asynccontextmanager
    async def open_app(**budgets):
        async with misbehaving() as server:
            one = {"kind": "compatible", "url": server.url, "models": ["m"], "retries": 0}
            models = {"default": "m", "upstreams": {"one": one}, "budgets": budgets}
            async with desk(Deciding(), models=models) as (app, executor):
                executor.outcome = completed(6)
                yield app, server, executor

    return open_app


def said(value, **usage):
    message = {"role": "assistant", "content": json.dumps(value)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return answer({**COMPLETION, "choices": [choice]})


def test_what_it_cost_is_what_the_ledger_says(desk, ada, run):
    async def whole():
        async with misbehaving() as server:
            one = {"kind": "openai", "url": server.url, "models": ["gpt-*"]}
            models = {"default": "gpt-5.4-mini", "upstreams": {"one": one}}
            async with desk(Deciding(), models=models) as (app, executor):
                executor.outcome = completed(6)
                server.will(said(PLAN), said(cells()))
                begun = await app.generating.begin(ada, WISH)
                ended = await app.generating.get(ada, begun.id, wait_seconds=60)
                await app.spending.written()
                [(_, spent)] = await app.spending.usage(ada, UsageQuery(by="user"))
                return ended, spent

    generation, spent = run(whole())

    assert generation.picodollars == spent.picodollars > 0
    assert generation.calls == spent.calls == 2


def test_a_schema_that_is_refused_is_asked_for_in_words(upstream, ada, run):
    async def whole():
        async with upstream() as (app, server, _):
            server.will(failure(400), failure(400), said(PLAN), said(cells()))
            begun = await app.generating.begin(ada, WISH)
            ended = await app.generating.get(ada, begun.id, wait_seconds=60)
            return ended, server.asked

    generation, asked = run(whole())

    assert generation.verified
    forms = [body.get("response_format", {}).get("type") for body in asked]
    assert forms == ["json_schema", "json_object", None, None]
    assert "Answer by this schema" in asked[2]["messages"][1]["content"]


@pytest.mark.parametrize(("refusal", "most"), [(failure(400), 3), (failure(401), 1)])
def test_a_model_that_refuses_every_time_ends_it(upstream, ada, run, refusal, most):
    async def whole():
        async with upstream() as (app, server, _):
            server.will(refusal)
            begun = await app.generating.begin(ada, WISH)
            return await app.generating.get(ada, begun.id, wait_seconds=60)

    generation = run(whole())

    assert (generation.status, generation.error.code) == (Standing.FAILED, "ModelSilent")
    assert generation.calls == most


def test_a_budget_that_is_used_up_ends_it_and_what_is_there_stays(upstream, ada, run):
    async def whole(calls):
        async with upstream(user={"calls": calls}) as (app, server, executor):
            executor.outcome = completed(9)
            server.will(said(PLAN), said(cells()), said(repair("doubled = 2")))
            begun = await app.generating.begin(ada, WISH)
            ended = await app.generating.get(ada, begun.id, wait_seconds=60)
            return ended, len(server.asked)

    generation, asked = run(whole(2))
    assert (generation.status, generation.verified) == (Standing.DRAFTED, False)
    assert (generation.error.code, asked) == ("BudgetExceeded", 2)
    assert generation.agent == "ada/doubler"


def test_a_budget_that_is_used_up_at_once_leaves_nothing(upstream, ada, run):
    async def whole():
        async with upstream(user={"calls": 1}) as (app, server, _):
            server.will(said(PLAN))
            begun = await app.generating.begin(ada, WISH)
            return await app.generating.get(ada, begun.id, wait_seconds=60)

    generation = run(whole())

    assert (generation.status, generation.agent) == (Standing.FAILED, "")
    assert generation.error.code == "BudgetExceeded"
    # Nobody knows what this model costs, which is not nothing.
    assert generation.picodollars is None


def test_a_draft_that_somebody_changes_meanwhile_is_theirs(upstream, ada, run):
    async def whole():
        async with upstream() as (app, server, executor):
            executor.outcome = completed(9)

            async def meddle(writer):
                agent = await app.authoring.get(ada, "ada", "doubler")
                mine = json.dumps(
                    {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
                ).encode()
                await app.authoring.save(ada, agent, mine, seen="*")
                writer.write(said(repair("doubled = 2")))
                await writer.drain()

            server.will(said(PLAN), said(cells()), meddle)
            begun = await app.generating.begin(ada, WISH)
            ended = await app.generating.get(ada, begun.id, wait_seconds=60)
            agent = await app.authoring.get(ada, "ada", "doubler")
            return ended, json.loads((await app.authoring.notebook(ada, agent, None))[0])

    generation, notebook = run(whole())

    assert (generation.error.code, generation.verified) == ("PreconditionFailed", False)
    assert notebook["cells"] == []


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (Wish(agent_name="Not A Name", description="x"), InvalidAgentConfig),
        (Wish(agent_name="generate", description="x"), InvalidAgentConfig),
        (Wish(agent_name="x", description=" "), InvalidRequest),
        (Wish(agent_name="x", description="x" * 10_001), InvalidRequest),
        (Wish(agent_name="x", description="x", repairs=6), InvalidRequest),
        (Wish(agent_name="x", description="x", repairs=-1), InvalidRequest),
        (Wish(agent_name="x", description="x", model="unknown"), ModelNotFound),
        (Wish(agent_name="taken", description="x"), DuplicateAgentName),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(upstream, ada, run, wish, refusal):
    async def whole():
        async with upstream() as (app, server, _):
            await app.authoring.create(ada, Proposal(name="taken"))
            with pytest.raises(refusal):
                await app.generating.begin(ada, wish)
            assert server.asked == []

    run(whole())
