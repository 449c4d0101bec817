"""Every question is let through, answered, paid for and kept, whoever asks it."""

import asyncio
import json

import pytest

from tests.llm.upstream import COMPLETION, STREAM_HEAD, answer, chunks, failure, piece, stream
from tests.services.asking import BODY, COST, a_notebook, ledger, whole
from workbench.domain.models import CASSETTE, PICO, Api, Mode
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import (
    InvalidRequest,
    ModelNotFound,
    ModelSilent,
    NotRecorded,
    Unauthenticated,
)
from workbench.services.authoring import Proposal
from workbench.services.brokering import COST_HEADER
from workbench.services.running import Order
from workbench.store.model_calls import GROUPS


def test_tokens_and_cost_are_the_upstreams_own_to_the_unit(broker, ada, run):
    async def play():
        async with broker() as (app, _, _):
            reply = await whole(app, ada)
            [(day, spent)] = await ledger(app, ada)

            assert json.loads(reply.body) == COMPLETION
            assert float(reply.headers[COST_HEADER]) == pytest.approx(COST, abs=1e-15)
            assert day == "2026-11-20"
            assert spent.picodollars == round(COST * PICO)
            assert (spent.tokens.input, spent.tokens.cached) == (1000, 400)
            assert (spent.tokens.output, spent.tokens.reasoning) == (100, 20)

    run(play())


@pytest.mark.parametrize("wants", [True, False])
def test_a_stream_is_metered_though_its_asker_did_not_ask_for_usage(broker, ada, run, wants):
    async def play():
        async with broker() as (app, server, _):
            server.will(stream(chunks("fo", "ur")))
            options = {"stream_options": {"include_usage": True}} if wants else {}
            frames = await whole(app, ada, {**BODY, "stream": True, **options})
            [(_, spent)] = await ledger(app, ada)

            assert server.asked[0]["stream_options"] == {"include_usage": True}
            assert (b'"usage"' in b"".join(frames)) is wants
            assert frames[-1] == b"data: [DONE]\n\n"
            assert frames[-2].startswith(b": workbench ")
            assert spent.tokens.input == 1000
            assert spent.picodollars == round(COST * PICO)

    run(play())


def test_the_first_word_of_a_stream_goes_out_at_once_and_what_waits_in_one_piece(broker, ada, run):
    async def play():
        async with broker() as (app, server, _):
            said = chunks(*"four and twenty")
            server.will(stream(said))
            body = {**BODY, "stream": True}
            reply = await app.brokering.ask(ada, Api.CHAT, body, ends=asyncio.Event())
            pieces = [each async for each in reply.frames]

            assert pieces[0].count(b"\n\n") == 1
            assert len(pieces) < len(said)
            assert b"".join(pieces).count(b"data: ") == len(said) - 1  # all but the usage

    run(play())


def test_a_price_that_nobody_knows_is_null_in_the_ledger(broker, ada, run):
    async def play():
        async with broker() as (app, _, _):
            reply = await whole(app, ada, {**BODY, "model": "gpt-of-our-own"})
            [(_, spent)] = await ledger(app, ada)

            assert COST_HEADER not in reply.headers
            assert spent.dollars is None
            assert spent.unpriced == 1

    run(play())


def test_usage_is_told_by_whatever_is_asked_and_to_those_it_concerns(broker, ada, bob, admin, run):
    async def play():
        async with broker() as (app, _, _):
            await whole(app, ada)
            await whole(app, ada)
            await whole(app, bob)

            assert [(u, s.calls) for u, s in await ledger(app, admin, "user")] == [
                ("bob", 1),
                ("ada", 2),
            ]
            assert [(u, s.calls) for u, s in await ledger(app, ada, "user")] == [("ada", 2)]
            assert [m for m, _ in await ledger(app, ada, "model")] == ["gpt-5.4-mini-2026"]
            for by in GROUPS:
                assert len(await ledger(app, ada, by)) == 1

    run(play())


def test_what_is_not_on_the_list_is_not_asked_for(broker, ada, run):
    async def play():
        async with broker() as (app, server, _):
            with pytest.raises(ModelNotFound):
                await whole(app, ada, {**BODY, "model": "claude"})
            assert server.asked == []

    run(play())


def test_a_question_that_failed_is_in_the_ledger_and_took_nothing(broker, ada, run):
    async def play():
        async with broker() as (app, server, _):
            server.will(failure(400))
            reply = await whole(app, ada)
            server.will(answer(b"half"))
            with pytest.raises(ModelSilent):
                await whole(app, ada)
            [(_, spent)] = await ledger(app, ada)

            assert reply.status == 400
            assert (spent.calls, spent.tokens.total, spent.picodollars) == (2, 0, 0)

    run(play())


def test_who_goes_away_is_not_answered_and_pays_for_what_was_said(broker, ada, run):
    async def play():
        async with broker() as (app, server, _):
            hung = asyncio.Event()

            async def drip(writer):
                writer.write(STREAM_HEAD + piece(chunks("four words of it")[0]))
                await writer.drain()
                hung.set()
                await asyncio.sleep(30)

            server.will(drip)
            reply = await app.brokering.ask(
                ada, Api.CHAT, {**BODY, "stream": True}, ends=asyncio.Event()
            )
            await anext(reply.frames)
            await reply.frames.aclose()
            [(_, spent)] = await ledger(app, ada)

            assert spent.calls == 1
            assert spent.tokens.output == 4
            assert spent.picodollars > 0

    run(play())


def test_who_goes_away_before_the_answer_is_not_waited_for(broker, ada, run):
    async def play():
        async with broker() as (app, server, _):
            ends = asyncio.Event()

            async def hang(writer):
                ends.set()
                await asyncio.sleep(30)

            server.will(hang)
            with pytest.raises(ModelSilent):
                await app.brokering.ask(ada, Api.CHAT, BODY, ends=ends)

    run(play())


def test_a_stream_that_ends_too_early_says_so(broker, ada, run):
    async def play():
        async with broker() as (app, server, _):
            server.will(stream(chunks("fo", done=False, usage=False)))
            frames = await whole(app, ada, {**BODY, "stream": True})

            assert any(b'"stream_cut"' in frame for frame in frames)
            assert not any(b"[DONE]" in frame for frame in frames)

    run(play())


@pytest.mark.parametrize("api", [Api.CHAT, Api.RESPONSES])
def test_what_nobody_could_count_is_not_asked(broker, ada, run, api):
    async def play():
        async with broker() as (app, server, _):
            with pytest.raises(InvalidRequest, match="background"):
                await whole(app, ada, {**BODY, "input": "2+2", "background": True}, api)
            assert server.asked == []

    run(play())


@pytest.mark.parametrize("odd", ["x", 7, [1], None])
def test_odd_options_of_a_stream_are_no_matter(broker, ada, run, odd):
    async def play():
        async with broker() as (app, server, _):
            server.will(stream(chunks("fo", "ur")))
            frames = await whole(app, ada, {**BODY, "stream": True, "stream_options": odd})
            assert frames[-1] == b"data: [DONE]\n\n"
            assert server.asked[0]["stream_options"] == {"include_usage": True}

    run(play())


# Runs.


def test_a_run_asks_with_a_token_of_its_own_that_dies_with_it(carried_out, run):
    async def work(app, principal, server):
        assert principal.user == "ada"
        assert principal.run_id
        await whole(app, principal)
        with pytest.raises(Unauthenticated):
            app.lending.borrower(f"wbr_{principal.run_id}_{'x' * 43}")

    settled, _, _, server = run(carried_out(work))

    assert settled.status is RunStatus.COMPLETED
    assert settled.usage["calls"] == 1
    assert settled.usage["cost_usd"] == 0
    assert server.asked == []  # a test run asks nobody


def test_a_run_that_asks_nobody_has_no_usage(carried_out, run):
    async def work(app, principal, server):
        return None

    assert run(carried_out(work))[0].usage == {}


def test_what_is_recorded_is_replayed_to_the_letter(carried_out, run):
    got = []

    async def work(app, principal, server):
        got.append((await whole(app, principal)).body)

    settled, _, tape, server = run(carried_out(work, model=Mode.RECORD))
    assert len(server.asked) == 1
    assert settled.usage["cost_usd"] == pytest.approx(COST)

    async def once(app, principal, server):
        got.append((await whole(app, principal)).body)

    settled, _, again, server = run(carried_out(once, files=[("model.cassette.json", tape)]))
    assert server.asked == []
    assert again is None
    assert got[0] == got[1] or json.loads(got[0]) == json.loads(got[1])
    assert settled.usage["cost_usd"] == 0


@pytest.mark.parametrize("choices", [[{}], [7], 7, [{"index": 0, "message": {"tool_calls": [7]}}]])
def test_an_answer_written_by_hand_that_is_none_is_told_as_not_recorded(carried_out, run, choices):
    body = {**BODY, "stream": True}
    entry = {"api": Api.CHAT, "request": BODY, "response": {"choices": choices}}
    tape = json.dumps({"version": 1, "entries": [entry]}).encode()

    async def work(app, principal, server):
        with pytest.raises(NotRecorded, match="no answer of a model"):
            await whole(app, principal, body)

    run(carried_out(work, files=[(CASSETTE, tape)]))


def test_a_script_beside_the_notebook_is_what_the_scripted_model_says(carried_out, run):
    script = json.dumps({"rules": [{"reply": {"text": "as written"}}]}).encode()

    async def work(app, principal, server):
        assert b"as written" in (await whole(app, principal)).body

    settled, *_ = run(carried_out(work, files=[("model.script.json", script)]))
    assert settled.status is RunStatus.COMPLETED


def test_a_cassette_that_is_none_fails_the_run_and_says_so(desk, notebook, ada, run):
    async def play():
        async with desk() as (app, _):
            agent = await app.authoring.create(
                ada, Proposal(name="asker", notebook=a_notebook(notebook))
            )
            agent = await app.authoring.attach(ada, agent, "model.cassette.json", b"nonsense")
            accepted = await app.running.accept(ada, agent, Order(test=True))
            return await app.running.get(ada, accepted.id, wait_seconds=None)

    settled = run(play())
    assert settled.reason is Reason.AGENT_ERROR
    assert "no cassette" in settled.error["message"]
