"""`workbench agents new` makes agents that nobody wrote, with and without a gateway."""

import json
import uuid
from contextlib import nullcontext

import pytest

from tests.cli.conftest import owning
from tests.services.writing import PLAN, cells, repair

pytestmark = pytest.mark.kernel

SCRIPT = {
    "Plan an agent": PLAN,
    "n * 3": repair("doubled = n * 2"),
    "Repair these": repair(give_up=True),
    "===\nHopeless": cells("doubled = n * 5"),
    "===\nNonsense": "no cells at all",
    "Write the cells": cells("doubled = n * 3"),
}


def toml_of(value):
    """Plain values as TOML has them within a line."""
    return json.dumps(value, separators=(", ", " = "))


@pytest.fixture(scope="module", params=["alone", pytest.param("owned", marks=pytest.mark.gateway)])
def writing_home(request, tmp_path_factory):
    """A home whose scripted model writes agents, once without and once with a gateway."""
    home = tmp_path_factory.mktemp("writing") / "home"
    home.mkdir()
    rules = []
    for words, said in SCRIPT.items():
        reply = {"text": said} if isinstance(said, str) else {"json": said}
        rules.append(f"when = {toml_of({'last_user': words})}\nreply = {toml_of(reply)}\n")
    text = "".join(f"[[models.script]]\n{rule}" for rule in rules)
    (home / "workbench.toml").write_text(text)
    with owning(home) if request.param == "owned" else nullcontext():
        yield home


@pytest.fixture
def new(ask, writing_home):
    """Makes an agent in that home, and says what it is called."""

    def new(*options, json=True):
        name = f"new-{uuid.uuid4().hex[:8]}"
        more = ["--json"] if json else []
        answer = ask("agents", "new", name, *options, "--home", writing_home, *more)
        answer.name = name
        return answer

    return new


@pytest.fixture
def at(ask, writing_home):
    return lambda *arguments: ask(*arguments, "--home", writing_home, "--json")


def test_what_is_described_is_written_tried_and_kept_as_a_draft(new, at):
    made = new("--describe", "Double a number")

    assert made.code == 0, made.err
    assert (made.json["status"], made.json["verified"]) == ("drafted", True)
    assert len(made.json["rounds"]) == 2
    shown = at("agents", "show", made.name).json
    assert (shown["stage"], shown["cases"]) == ("draft", ["three"])
    run = at("run", made.name, "--test", "-p", "n", "21").json
    assert run["result"] == 42


def test_people_read_what_was_wrong_and_what_is_left_to_do(new):
    made = new("--describe", "Double a number", json=False)

    assert f"admin/{made.name}: kept as a draft; its cases pass." in made.out
    assert "round 2: changed cell-1" in made.err
    assert f"workbench agents publish admin/{made.name}" in made.err


def test_a_plan_can_be_changed_before_it_is_written(new, elsewhere):
    planned = new("--describe", "Double a number", "--plan-only")
    plan = {**planned.json["plan"], "title": "Mine"}
    (elsewhere / "plan.json").write_text(json.dumps(plan))

    made = new("--plan", "plan.json", "--describe", "Double a number")

    assert (planned.code, planned.json["status"], planned.json["agent"]) == (0, "planned", None)
    assert (made.code, made.json["plan"]["title"]) == (0, "Mine")
    assert new("--describe", "x", "--plan-only", json=False).out.startswith('{\n  "title"')


def test_what_does_not_pass_ends_with_1_and_what_is_nothing_with_3(new):
    failed = new("--describe", "Hopeless", json=False)
    assert (failed.code, "NOT VERIFIED" in failed.out) == (1, True)

    nothing = new("--describe", "Nonsense")
    assert (nothing.code, nothing.json["error"]["code"]) == (3, "ModelSilent")


def test_a_prompt_and_a_preset_are_agents_too(new, at):
    prompt = new("--prompt", "Say {{times: int = 1}} times: {{text}}", "--system", "Be brief.")
    preset = new("--as", f"admin/{prompt.name}", "-p", "text", "hello", "-p", "times", "2")
    again = new("--as", f"{preset.name}@draft", "-p", "text", "bye", json=False)

    assert (prompt.code, preset.code, again.code) == (0, 0, 0), preset.err + again.err
    assert [p["default"] for p in preset.json["parameters"]] == [2, "hello"]
    assert at("agents", "publish", preset.name).json["version"] == "1.0.0"
    assert at("run", preset.name).json["result"].endswith("You said: Say 2 times: hello")
    assert "added as a draft" in again.out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), "InvalidRequest"),
        (("--describe", "x", "--prompt", "y"), "InvalidRequest"),
        (("--describe", ""), "InvalidRequest"),
        (("--describe", "x", "--repairs", "9"), "InvalidRequest"),
        (("--plan", "gone.json"), "NotFound"),
        (("--plan", "broken.json"), "InvalidRequest"),
        (("--plan", "list.json"), "InvalidRequest"),
        (("--prompt", ""), "InvalidAgentConfig"),
        (("--prompt", "{{a b}}"), "InvalidAgentConfig"),
        (("--as", "nobody/nothing"), "AgentNotFound"),
        (("--as", "Not A Name"), "InvalidRequest"),
    ],
)
def test_a_wrong_request_ends_with_2(new, elsewhere, options, code):
    (elsewhere / "broken.json").write_text("{")
    (elsewhere / "list.json").write_text("[]")

    answer = new(*options)

    assert (answer.code, answer.json["error"]["code"]) == (2, code), answer.err
