"""A plan is read strictly: whoever changes one by hand is told the place and the reason."""

import pytest

from workbench.domain.plans import is_of, plan_from_json
from workbench.errors import InvalidRequest

PLAN = {
    "title": "Doubles",
    "description": "Doubles a number.",
    "result": "the double",
    "parameters": [
        {"name": "n", "type": "int", "help": "what to double"},
        {"name": "rows", "type": "list[float]", "help": "", "default": [1, 2.5]},
    ],
    "steps": [{"title": "Double", "purpose": "it"}],
    "tools": [{"name": "look_up", "why": "numbers"}],
    "cases": [{"name": "three", "parameters": {"n": 3}, "expect": 6}],
}


def changed(**what):
    return {**PLAN, **what}


def parameter(**what):
    return changed(parameters=[{"name": "n", "type": "int", **what}])


def test_it_is_read_back_as_it_was_written():
    assert plan_from_json(PLAN).as_json() == PLAN
    assert plan_from_json({"title": "T", "description": "D"}).parameters == ()


def test_a_help_of_several_lines_is_one_comment():
    plan = plan_from_json(parameter(help="first\nimport os"))
    assert plan.parameters[0].help == "first import os"


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([], "plan"),
        (changed(surprise=1), "plan"),
        (changed(title=" "), "plan.title"),
        (changed(title="x" * 121), "plan.title"),
        (changed(description=1), "plan.description"),
        (changed(steps={}), "plan.steps"),
        (changed(steps=[{"title": "x"}] * 31), "plan.steps"),
        (changed(steps=["x"]), "plan.steps[0]"),
        (changed(tools=[{"why": "x"}]), "plan.tools[0].name"),
        (parameter(name="1n"), "plan.parameters[0].name"),
        (parameter(name="test"), "plan.parameters[0].name"),
        (parameter(name="_n"), "plan.parameters[0].name"),
        (parameter(type="os.PathLike"), "plan.parameters[0].type"),
        (parameter(default="3"), "plan.parameters[0].default"),
        (parameter(default=True), "plan.parameters[0].default"),
        (parameter(required=True, default=3), "plan.parameters[0]"),
        (changed(parameters=[PLAN["parameters"][0]] * 2), "plan.parameters"),
        (changed(cases=[]), "plan.cases"),
        (changed(cases=PLAN["cases"] * 2), "plan.cases"),
        (changed(cases=[{"name": "x"}]), "plan.cases[0].parameters"),
        (changed(cases=[{"name": "x", "parameters": 1}]), "plan.cases[0].parameters"),
        (changed(cases=[{"name": "x", "parameters": {"n": "3"}}]), "plan.cases[0].parameters.n"),
        (changed(cases=[{"name": "x", "parameters": {"m": 3}}]), "plan.cases[0].parameters"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(value, place):
    with pytest.raises(InvalidRequest) as refused:
        plan_from_json(value)
    assert refused.value.details["field"] == place


@pytest.mark.parametrize(
    ("kind", "value", "holds"),
    [
        ("int", True, False),
        ("bool", True, True),
        ("bool", 1, False),
        ("float", 1, True),
        ("int", 1.0, False),
        ("list[str]", ["a", 1], False),
        ("list[int]", [], True),
        ("list", [1, "a"], True),
        ("dict", {}, True),
        ("str", None, False),
    ],
)
def test_values_are_of_their_type(kind, value, holds):
    assert is_of(kind, value) is holds
