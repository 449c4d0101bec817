"""Every question is let through, answered, paid for and kept, whoever asks it."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager

import pytest

from tests.llm.upstream import (
    COMPLETION,
    STREAM_HEAD,
    answer,
    chunks,
    failure,
    misbehaving,
    piece,
    stream,
)
from workbench.domain.events import EventType
from workbench.domain.models import CASSETTE, PICO, Api, Mode
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import (
    BudgetExceeded,
    InvalidRequest,
    ModelNotFound,
    ModelSilent,
    NotRecorded,
    Unauthenticated,
)
from workbench.services.authoring import Proposal
from workbench.services.brokering import COST_HEADER
from workbench.services.lending import Door
from workbench.services.running import Order
from workbench.services.spending import UsageQuery
from workbench.store.model_calls import GROUPS

COST = (600 * 0.75 + 400 * 0.075 + 100 * 4.5) / 10**6
"""What the answer of `upstream.COMPLETION` costs, in dollars: gpt-5.4-mini."""

BODY = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": "2+2"}]}


@pytest.fixture
def broker(desk):
    """Opens an app whose models are those of a misbehaving upstream."""

    @asynccontextmanager
    async def open_app(**budgets):
        async with misbehaving() as server:
            server.will(answer(COMPLETION))
            models = {
                "upstreams": {"openai": {"kind": "openai", "url": server.url, "models": ["gpt-*"]}},
                "budgets": budgets,
            }
            async with desk(models=models) as (app, executor):
                yield app, server, executor

    return open_app


async def whole(app, principal, body=BODY, api=Api.CHAT):
    reply = await app.brokering.ask(principal, api, body, ends=asyncio.Event())
    if reply.frames is None:
        return reply
    text = b"".join([piece async for piece in reply.frames])
    return [frame + b"\n\n" for frame in text.split(b"\n\n")[:-1]]


async def ledger(app, principal, by="day", **more):
    await app.spending.written()
    return await app.spending.usage(principal, UsageQuery(by=by, **more))


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


@pytest.mark.parametrize("budget", [{"calls": 3}, {"tokens": 3310}, {"usd": 0.0028}])
def test_a_budget_holds_whatever_it_counts(broker, ada, bob, run, budget):
    async def play():
        async with broker(user=budget) as (app, server, _):
            let_through = 0
            with pytest.raises(BudgetExceeded, match="this user for today"):
                for _ in range(100):
                    await whole(app, ada)
                    let_through += 1
            [(_, spent)] = await ledger(app, ada)

            assert len(server.asked) == let_through == 3
            assert spent.picodollars <= 0.0028 * PICO
            await whole(app, bob)  # whose budget is another one

    run(play())


def test_many_at_once_cannot_overshoot_what_one_could_not(broker, ada, run):
    async def play():
        async with broker(user={"calls": 5}) as (app, server, _):
            asked = [whole(app, ada) for _ in range(20)]
            answers = await asyncio.gather(*asked, return_exceptions=True)

            assert sum(isinstance(each, BudgetExceeded) for each in answers) == 15
            assert len(server.asked) == 5

    run(play())


def test_an_answer_may_not_be_longer_than_what_is_left(broker, ada, run):
    async def play():
        async with broker(user={"tokens": 200}) as (app, server, _):
            await whole(app, ada)
            assert 16 <= server.asked[0]["max_completion_tokens"] < 200

        async with broker() as (app, server, _):
            await whole(app, ada)
            assert "max_completion_tokens" not in server.asked[0]

    run(play())


def test_a_budget_counts_every_answer_that_is_wanted_and_whatever_limits_them(broker, ada, run):
    async def play():
        async with broker(user={"tokens": 1_000}) as (app, server, _):
            with pytest.raises(BudgetExceeded):
                await whole(app, ada, {**BODY, "n": 100, "max_tokens": 100})
            assert server.asked == []
            await whole(app, ada, {**BODY, "n": 4, "max_tokens": 9_000, "max_completion_tokens": 9})
            (asked,) = server.asked
            assert asked["max_tokens"] == asked["max_completion_tokens"] == 9

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


def test_what_was_spent_is_known_after_a_restart(broker, ada, run):
    async def play():
        async with broker(user={"calls": 1}) as (app, _, _):
            await whole(app, ada)
        async with broker(user={"calls": 1}) as (app, _, _):
            with pytest.raises(BudgetExceeded):
                await whole(app, ada)

    run(play())


# Runs.


def a_notebook(notebook, **metadata):
    return json.dumps(notebook("pass", **metadata)).encode()


@pytest.fixture
def carried_out(desk, notebook, ada):
    """Carries out a run whose notebook is a coroutine function that is given the app and itself."""

    numbers = itertools.count()

    async def carry_out(work, *, files=(), budgets=None, model=None, **metadata):
        door = Door(port=9, socket="/nowhere")
        async with misbehaving() as server:
            server.will(answer(COMPLETION))
            upstreams = {"openai": {"kind": "openai", "url": server.url}}
            given = {"upstreams": upstreams, "budgets": budgets or {}}
            async with desk(door=door, models=given) as (app, executor):
                executor.hold.clear()
                agent = await app.authoring.create(
                    ada,
                    Proposal(
                        name=f"asker-{next(numbers)}", notebook=a_notebook(notebook, **metadata)
                    ),
                )
                for path, content in files:
                    agent = await app.authoring.attach(ada, agent, path, content)
                order = Order(test=True, model=model)
                accepted = await app.running.accept(ada, agent, order)
                while not executor.asked:
                    await asyncio.sleep(0)
                token = executor.asked[0].environment["OPENAI_API_KEY"]
                principal = app.lending.borrower(token)
                failed = None
                try:
                    await work(app, principal, server)
                except BudgetExceeded as error:
                    failed = error
                if failed is not None:
                    executor._answer = lambda task: 1 / 0
                executor.hold.set()
                settled = await app.running.get(ada, accepted.id, wait_seconds=None)
                with pytest.raises(Unauthenticated):
                    app.lending.borrower(token)
                events = [e async for e in await app.running.events(ada, accepted.id)]
                left = [file.path for file in await app.running.files(ada, accepted.id)]
                tape = None
                if left:
                    with await app.running.file(ada, accepted.id, left[0]) as file:
                        tape = file.read()
                return settled, events, tape, server

    return carry_out


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


def test_a_run_says_that_its_budget_is_used_up(carried_out, run):
    async def work(app, principal, server):
        await whole(app, principal)
        await whole(app, principal)

    settled, events, _, _ = run(carried_out(work, budget={"calls": 1}))

    assert settled.reason is Reason.BUDGET_EXCEEDED
    assert "used up" in settled.error["budget"]
    [warning] = [event for event in events if event.type is EventType.LOG]
    assert warning.data["level"] == "warning"
    assert "used up" in warning.data["message"]


@pytest.mark.parametrize("budget", [{"calls": 5}, {"tokens": 200}, {"usd": 0.0005}])
@pytest.mark.parametrize("whose", ["run", "agent", "user"])
def test_many_questions_of_a_run_at_once_stay_within_every_budget(
    carried_out, ada, run, whose, budget
):
    usage = {"prompt_tokens": 5, "completion_tokens": 16, "total_tokens": 21}

    async def work(app, principal, server):
        server.will(answer({**COMPLETION, "usage": usage}))
        body = {**BODY, "max_tokens": 16}
        asked = [whole(app, principal, body) for _ in range(20)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refused = [each for each in answers if isinstance(each, BudgetExceeded)]
        [(_, spent)] = await ledger(app, ada, test=True)

        assert 0 < len(server.asked) == 20 - len(refused) < 20
        assert {each.details["scope"] for each in refused} == {whose}
        assert spent.calls == len(server.asked) <= budget.get("calls", 20)
        assert spent.tokens.total <= budget.get("tokens", 1_000)
        assert spent.picodollars <= budget.get("usd", 1) * PICO

    settled, *_ = run(carried_out(work, budgets={whose: budget}, model=Mode.LIVE))

    assert settled.usage["calls"] < 20


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
