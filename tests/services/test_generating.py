"""A description becomes a draft, or it ends within bounds and says why: whatever the model does."""

import json

import pytest

from tests.services.writing import (
    PLAN,
    WISH,
    Deciding,
    cells,
    completed,
    following,
    repair,
    stopped,
)
from workbench.domain.generations import Source, Standing
from workbench.domain.runs import Reason
from workbench.errors import (
    AgentNotFound,
    NotFound,
    ResourceExhausted,
)
from workbench.services.drafting import Wish
from workbench.services.spending import UsageQuery


@pytest.fixture
def generated(desk, ada, run):
    """What becomes of a wish where the model and the kernels answer so."""

    def play(wish=WISH, *, models=None, outcome=None):
        async def whole():
            async with desk(Deciding(), models=models or following()) as (app, executor):
                executor.outcome = outcome or completed(6)
                begun = await app.generating.begin(ada, wish)
                ended = await app.generating.get(ada, begun.id, wait_seconds=60)
                await app.spending.written()
                usage = await app.spending.usage(ada, UsageQuery(by="user"))
                try:
                    agent = await app.authoring.get(ada, "ada", wish.agent_name)
                    notebook = json.loads((await app.authoring.notebook(ada, agent, None))[0])
                except AgentNotFound:
                    agent, notebook = None, None
                calls = usage[0][1].calls if usage else 0
                return ended, agent, notebook, calls

        return run(whole())

    return play


def codes(generation):
    return [[problem["code"] for problem in each.problems] for each in generation.rounds]


def test_a_description_becomes_a_draft_that_says_where_it_comes_from(generated):
    generation, agent, notebook, calls = generated()

    assert (generation.status, generation.verified) == (Standing.DRAFTED, True)
    assert (generation.source, generation.error) == (Source.MODEL, None)
    assert generation.calls == calls == 2
    assert (agent.stage, agent.current_version) == ("draft", None)
    assert [cell["id"] for cell in notebook["cells"]] == [
        "title",
        "parameters",
        "cell-1",
        "cell-2",
    ]
    said = notebook["metadata"]["workbench"]["generated"]
    assert (said["by"], said["verified"], said["rounds"], said["calls"]) == ("model", True, 1, 2)
    assert len(said["prompt_sha256"]) == 64
    assert said["cost_usd"] == 0.0


def test_a_plan_is_all_that_is_made_if_that_is_wanted_and_another_is_written_by(generated):
    generation, agent, _, calls = generated(
        Wish(agent_name="doubler", description="Double a number", plan_only=True)
    )
    assert (generation.status, calls, agent) == (Standing.PLANNED, 1, None)

    changed = type(generation.plan)(title="Mine", description="Mine too.")
    generation, agent, notebook, _ = generated(
        Wish(agent_name="doubler", description="", plan=changed),
        models=following(written=cells("doubled = 2")),
    )
    assert (generation.status, generation.plan) == (Standing.DRAFTED, changed)
    assert (generation.verified, generation.calls) == (True, 1)
    assert agent is not None
    assert notebook["cells"][0]["source"] == "# Mine\n\nMine too."


def test_what_fails_is_repaired_in_rounds_that_end(generated):
    generation, agent, _, calls = generated(
        outcome=completed(9), models=following(repaired=repair("doubled = n * 5"))
    )

    # The second repair changes nothing any more.
    assert codes(generation) == [["CaseFailed"], ["CaseFailed"]]
    assert (generation.status, generation.verified, calls) == (Standing.DRAFTED, False, 4)
    assert generation.rounds[1].diagnosis == "as it was"
    assert [one["id"] for one in generation.rounds[1].changes] == ["cell-1"]
    assert generation.rounds[0].problems[0]["result"] == 9
    assert agent is not None


def test_no_round_is_begun_that_was_not_granted(generated):
    wish = Wish(agent_name="doubler", description="Double", repairs=0)
    generation, _, _, calls = generated(wish, outcome=completed(9))

    assert (len(generation.rounds), calls) == (1, 2)


@pytest.mark.parametrize(
    "models",
    [
        following(plan="I would rather talk about the weather."),
        following(plan={"title": "no more"}),
        following(plan={**PLAN, "parameters": [{"name": "x"}]}),
        following(plan={**PLAN, "cases": [{**PLAN["cases"][0], "parameters_json": "{"}]}),
        following(plan='{"a": NaN}'),
        following(plan=""),
        following(written="[]"),
        following(written={"cells": []}),
        following(written={"cells": [{"kind": "raw", "source": "x"}]}),
        following(written={"cells": "x"}),
        following(written={"cells": [{"kind": "code", "source": 1}]}),
    ],
)
def test_garbage_is_asked_for_again_once_and_then_it_ends(generated, models):
    generation, agent, _, calls = generated(models=models)

    assert (generation.status, agent) == (Standing.FAILED, None)
    assert generation.error.code == "ModelSilent"
    assert calls == generation.calls <= 3


def test_cells_that_never_parse_end_within_the_rounds_and_are_no_agent(generated):
    bad = following(written=cells("def (:"), repaired=repair("class :"))
    generation, agent, _, _ = generated(models=bad)

    assert (generation.status, agent) == (Standing.FAILED, None)
    assert generation.error.code == "InvalidAgentConfig"
    assert len(generation.rounds) == 2
    assert not any(each.tried for each in generation.rounds)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import requests\ndoubled = n", "Network"),
        ("import subprocess\ndoubled = n", "Process"),
        ("import no_such_module_here\ndoubled = n", "ModuleNotFound"),
        ("doubled = eval('n')", "Evaluation"),
    ],
)
def test_what_breaks_the_policy_is_kept_for_its_author_but_never_run(generated, source, code):
    generation, agent, _, _ = generated(models=following(written=cells(source)))

    assert code in codes(generation)[0]
    assert (generation.status, generation.verified) == (Standing.DRAFTED, False)
    assert not generation.rounds[0].tried
    assert agent is not None


def test_a_secret_that_a_model_writes_is_not_even_kept(generated):
    key = "sk-" + "a1" * 20
    generation, agent, _, _ = generated(models=following(written=cells(f"doubled = '{key}'")))

    assert (generation.status, agent) == (Standing.FAILED, None)
    assert "SecretInSource" in codes(generation)[0]


def test_what_no_source_could_change_is_not_repaired(generated):
    generation, _, _, calls = generated(outcome=stopped(Reason.KERNEL_START_FAILED))

    assert (len(generation.rounds), calls) == (1, 2)
    assert (generation.status, generation.verified) == (Standing.DRAFTED, False)


def test_without_a_model_a_starter_is_filled_and_it_says_so(desk, ada, run):
    async def whole():
        async with desk(Deciding()) as (app, executor):
            executor.outcome = completed({"subject": "Ada"})
            begun = await app.generating.begin(ada, Wish(agent_name="it", description="Be kind."))
            ended = await app.generating.get(ada, begun.id, wait_seconds=60)
            agent = await app.authoring.get(ada, "ada", "it")
            return ended, json.loads((await app.authoring.notebook(ada, agent, None))[0])

    generation, notebook = run(whole())

    assert (generation.source, generation.status) == (Source.STARTER, Standing.DRAFTED)
    assert (generation.verified, generation.calls) == (True, 0)
    said = notebook["metadata"]["workbench"]
    assert (said["generated"]["by"], said["description"]) == ("starter", "Be kind.")


def test_it_is_given_up_at_a_word_and_when_the_workbench_closes(desk, ada, bob, admin, run):
    slow = following()
    slow["script"][0]["reply"]["delay_seconds"] = 3_600

    async def whole():
        async with desk(models=slow) as (app, _):
            generating = app.generating
            begun = [
                await generating.begin(ada, Wish(agent_name=f"a{n}", description="x"))
                for n in range(3)
            ]
            with pytest.raises(ResourceExhausted):
                await generating.begin(ada, WISH)
            first = begun[0].id
            with pytest.raises(NotFound):
                await generating.get(bob, first)
            with pytest.raises(NotFound):
                await generating.cancel(bob, first)
            assert (await generating.get(admin, first)).status is Standing.PENDING
            assert (await generating.get(ada, first, wait_seconds=0.01)).ended_at is None
            cancelled = await generating.cancel(ada, first)
            again = await generating.cancel(ada, first)
            assert cancelled.status is again.status is Standing.CANCELLED
            await generating.begin(ada, WISH)

    run(whole())
