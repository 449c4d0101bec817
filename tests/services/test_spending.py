"""Nobody spends more than they may, however many ask at once."""

import asyncio

import pytest

from tests.llm.upstream import COMPLETION, answer
from tests.services.asking import BODY, ledger, whole
from workbench.domain.events import EventType
from workbench.domain.models import PICO, Mode
from workbench.domain.runs import Reason
from workbench.errors import BudgetExceeded


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


def test_what_was_spent_is_known_after_a_restart(broker, ada, run):
    async def play():
        async with broker(user={"calls": 1}) as (app, _, _):
            await whole(app, ada)
        async with broker(user={"calls": 1}) as (app, _, _):
            with pytest.raises(BudgetExceeded):
                await whole(app, ada)

    run(play())


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
