"""What a caller wrote becomes what the notebook declares, or the caller is told why not."""

from __future__ import annotations

import json

import pytest

from workbench.domain.parameters import (
    DEEPEST,
    Parameter,
    accept,
    from_text,
    load_json,
    object_schema,
)
from workbench.errors import InvalidInput

INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
STRING = {"type": "string"}
NULL = {"type": "null"}


def of(schema, *, kind="it", **more):
    return Parameter(name="x", type=kind, schema=schema, **more)


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        (STRING, "7", "7"),
        (STRING, "", ""),
        (STRING, "true", "true"),
        (INTEGER, "7", 7),
        (INTEGER, "-7", -7),
        (INTEGER, "+7", 7),
        (NUMBER, "7", 7.0),
        (NUMBER, "1e3", 1000.0),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "False", False),
        ({"type": "boolean"}, "1", True),
        ({"type": "boolean"}, "0", False),
        ({"type": "array", "items": INTEGER}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": null}', {"a": None}),
        (NULL, "null", None),
        ({"anyOf": [INTEGER, NULL]}, "3", 3),
        ({"anyOf": [INTEGER, NULL]}, "null", None),
        ({"anyOf": [STRING, NULL]}, "null", "null"),
        ({"anyOf": [INTEGER, STRING]}, "3", 3),
        ({"anyOf": [INTEGER, STRING]}, "three", "three"),
        ({"enum": ["a", 1, None]}, "a", "a"),
        ({"enum": ["a", 1, None]}, "1", 1),
        ({"enum": ["a", 1, None]}, "null", None),
        ({"enum": ["a"]}, "zork", "zork"),
        ({}, "3", 3),
        ({}, "three", "three"),
        ({}, '"3"', "3"),
        ({}, "NaN", "NaN"),
    ],
)
def test_a_text_is_read_as_its_declared_type(schema, text, value):
    read = from_text([of(schema)], {"x": text})

    assert read == {"x": value}
    assert type(read["x"]) is type(value)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (INTEGER, "7.5"),
        (INTEGER, "+-7"),
        (INTEGER, "1_000"),
        (INTEGER, ""),
        (INTEGER, "9" * 10_000),
        (NUMBER, "nan"),
        (NUMBER, "Infinity"),
        (NUMBER, "1e999"),
        ({"type": "boolean"}, "yes"),
        ({"type": "array"}, "{}"),
        ({"type": "array"}, "["),
        ({"type": "object"}, "[]"),
        ({"type": "object"}, "[" * 100_000),
        (NULL, "none"),
        ({"anyOf": [INTEGER, NULL]}, "x"),
    ],
)
def test_a_text_that_is_not_of_the_type_is_refused(schema, text):
    with pytest.raises(InvalidInput, match="x must be it") as caught:
        from_text([of(schema)], {"x": text})

    assert caught.value.details == {"parameter": "x", "type": "it"}
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("read", [from_text, accept])
def test_a_name_that_is_not_declared_is_refused(read):
    with pytest.raises(InvalidInput, match="Not a parameter of this agent: y") as caught:
        read([of({})], {"y": "1"})
    assert caught.value.details == {"unknown": ["y"], "parameters": ["x"]}

    with pytest.raises(InvalidInput, match="test is the mode of a run"):
        read([of({})], {"test": "true"})


def test_what_is_required_must_be_given_and_nothing_is_filled_in():
    parameters = [of({}, required=True), Parameter(name="y", default=3)]

    with pytest.raises(InvalidInput, match="Required: x") as caught:
        accept(parameters, {"y": 1})

    assert caught.value.details == {"missing": ["x"], "parameters": ["x", "y"]}
    assert accept(parameters, {"x": None}) == {"x": None}


@pytest.mark.parametrize(
    ("schema", "given", "accepted"),
    [
        (INTEGER, 3.0, 3),
        ({"anyOf": [INTEGER, NULL]}, 3.0, 3),
        (INTEGER, 3.5, 3.5),
        (NUMBER, 3.0, 3.0),
        ({"anyOf": [INTEGER, NUMBER]}, 3.0, 3.0),
        ({}, 3.0, 3.0),
        (INTEGER, True, True),
    ],
)
def test_whole_numbers_become_integers_where_those_are_declared(schema, given, accepted):
    value = accept([of(schema)], {"x": given})["x"]

    assert value == accepted
    assert type(value) is type(accepted)


def test_all_parameters_together_are_one_object():
    parameters = [
        Parameter(name="a", schema=INTEGER, required=True, help="how many"),
        Parameter(name="b", schema=STRING, default="x"),
        Parameter(name="c", schema={"anyOf": [INTEGER, NULL]}),
        Parameter(name="d", schema=INTEGER),
    ]

    assert object_schema(parameters) == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "how many"},
            "b": {"type": "string", "default": "x"},
            "c": {"anyOf": [INTEGER, NULL], "default": None},
            "d": {"type": "integer"},
        },
        "required": ["a"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("value", [None, True, 0, -1.5, "é 😀", [1, [2]], {"a": {"b": []}}])
def test_json_is_read_from_text_and_bytes(value):
    text = json.dumps(value)

    assert load_json(text) == load_json(text.encode()) == value
    assert load_json(json.dumps(value, ensure_ascii=False).encode("utf-8-sig")) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NaN",
        "-Infinity",
        "1e999",
        "9" * 10_000,
        '{"a": 1, "a": 2}',
        '"\\ud800"',
        '"\\uDC00 \\uD800"',
        '"\ud800"',
        b'"\xed\xa0\x80"',
        b"\xff",
        '"a"'.encode("utf-16"),
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        "[" * 200_000,
    ],
)
def test_what_could_not_be_sent_again_is_no_json(text):
    with pytest.raises(ValueError, match="."):
        load_json(text)


def test_whole_surrogate_pairs_are_characters():
    assert load_json('"\\ud83d\\ude00"') == "😀"
