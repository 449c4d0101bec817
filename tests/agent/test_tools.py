"""A function becomes a tool by its signature, and in a test run does nothing outside."""

import enum
import json
from dataclasses import dataclass
from typing import Literal, TypedDict

import pytest

from workbench import agent
from workbench.agent import speech
from workbench.agent.tools import used
from workbench.agent.types import schema_of


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Car:
    name: str
    doors: int = 4


class Person(TypedDict):
    name: str


@pytest.fixture
def in_a_test_run():
    speech.situation().test = True
    yield
    speech.situation().test = False


def call(name, arguments):
    return {"id": "c1", "function": {"name": name, "arguments": arguments}}


def said(tool, arguments="{}"):
    return used(tool, call("t", arguments))["content"]


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Colour, {"enum": ["red", "blue"]}),
        (
            Car,
            {
                "type": "object",
                "properties": {"name": {"type": "string"}, "doors": {"type": "integer"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        ),
        (Person, schema_of({**schema_of(Person)})),
        ({"type": "null"}, {"type": "null"}),
        (object, {}),
    ],
)
def test_types_are_told_as_schemas(kind, schema):
    assert schema_of(kind) == schema


def test_a_tool_is_told_by_its_signature_and_docstring():
    @agent.tool(effects="write")
    def send_mail(to: str, urgent: bool = False) -> str:
        """Send
        a mail.

        Args:
            to: To whom.
        """

    assert send_mail.offered == {
        "type": "function",
        "function": {
            "name": "send_mail",
            "description": "Send a mail.",
            "parameters": {
                "type": "object",
                "properties": {
                    "to": {"type": "string", "description": "To whom."},
                    "urgent": {"type": "boolean"},
                },
                "required": ["to"],
                "additionalProperties": False,
            },
        },
    }


def test_a_notebook_calls_a_tool_as_the_function_it_is():
    assert agent.tool(lambda a: a + 1, name="plus")(1) == 2


@pytest.mark.parametrize("wrong", [{"name": "a b"}, {"name": "x" * 65}, {"effects": "some"}])
def test_a_tool_that_could_not_be_offered_is_refused(wrong):
    with pytest.raises(ValueError, match="tool is called|effects is"):
        agent.tool(lambda: 1, **{"name": "t", **wrong})
    with pytest.raises(TypeError):
        agent.tool(lambda *more: 1, name="t")


def test_what_a_tool_gives_back_is_told_as_json():
    def paint(colour: Colour, car: Car):
        return {"colour": colour.name, "name": car.name}

    told = said(agent.tool(paint), '{"colour": "blue", "car": {"name": "pinto"}}')

    assert json.loads(told) == {"colour": "BLUE", "name": "pinto"}
    assert said(agent.tool(lambda: "plain", name="t")) == "plain"
    assert said(agent.tool(lambda: "x" * 30_000, name="t")).endswith("[cut: 30,000 letters]")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"a": 0}', "ZeroDivisionError"),
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ('{"b": 1}', "TypeError"),
    ],
)
def test_whatever_goes_wrong_is_told_to_the_model(arguments, told):
    assert told in said(agent.tool(lambda a: 1 / a, name="t"), arguments)
    assert "no tool" in used(None, call("gone", "{}"))["content"]


def test_in_a_test_run_a_tool_that_writes_is_not_called(in_a_test_run):
    done = []
    writes = agent.tool(lambda x: done.append(x), name="writes", effects="write")
    reads = agent.tool(lambda x: x, name="reads", effects="read")
    assert json.loads(said(writes, '{"x": 1}')) == {"simulated": True}

    writes.simulate(lambda x: f"would have written {x}")

    assert said(writes, '{"x": 1}') == "would have written 1"
    assert said(reads, '{"x": 1}') == "1"
    assert done == []


def test_what_needs_to_be_allowed_is_allowed_by_somebody():
    asked = []

    def small(arguments):
        asked.append(arguments)
        return arguments["amount"] < 10

    pay = agent.tool(lambda amount: "paid", name="pay", effects="write", approval=small)

    assert said(pay, '{"amount": 5}') == "paid"
    assert "Nobody has allowed" in said(pay, '{"amount": 50}')
    assert "Nobody has allowed" in said(agent.tool(lambda: 1, name="t", approval=True))
    assert asked == [{"amount": 5}, {"amount": 50}]
