"""A definition survives being written down, and a case holds only if its result matches."""

from __future__ import annotations

import json

import pytest

from workbench.domain.definitions import (
    AgentFile,
    Case,
    Definition,
    definition_from_json,
    matches,
)
from workbench.domain.parameters import Parameter
from workbench.domain.retries import Retry

HUGE = 10**400


def test_a_definition_survives_json():
    definition = Definition(
        fingerprint="ab",
        description="d",
        parameters=(Parameter(name="x", schema={"type": "integer"}, default=3),),
        input_schema={"type": "object"},
        output_schema={"type": "number"},
        cases=(Case(name="c", parameters={"x": 1}, expects=True, expected=[1]),),
        timeout_seconds=5.0,
        retry=Retry(max=1, on=("timeout",)),
        tags=("a", "b"),
        files=(AgentFile(path="a/b.csv", fingerprint="cd", size=3),),
        shell=True,
        uses=("ada/style",),
        shared=(AgentFile(path="personas/a.md", fingerprint="ef", size=1),),
    )

    assert definition_from_json(json.loads(json.dumps(definition.as_json()))) == definition
    assert definition_from_json(json.loads(json.dumps(Definition(fingerprint="").as_json()))) == (
        Definition(fingerprint="")
    )


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (None, None),
        ("a", "a"),
        (1, 1.0),
        (0.1 + 0.2, 0.3),
        (1e12, 1e12 + 1),
        (HUGE, HUGE),
        ([1, ["a"]], [1.0, ["a"]]),
        ({}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}),
        ([{"a": 1}], [{"a": 1, "b": 2}]),
    ],
)
def test_a_result_matches(expected, actual):
    assert matches(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (None, False),
        (0, False),
        (True, 1),
        (1, "1"),
        (1, 1.001),
        (HUGE, 1.5),
        (1, HUGE),
        ("a", "b"),
        ([1, 2], [2, 1]),
        ([1], [1, 2]),
        ([], {}),
        ({}, []),
        ({"a": None}, {}),
        ({"a": [1]}, {"a": [2]}),
    ],
)
def test_a_result_does_not_match(expected, actual):
    assert not matches(expected, actual)
