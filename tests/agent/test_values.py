"""A result is JSON before it leaves the kernel, or the author is told what to write instead."""

import datetime as dt
import enum
import json

import numpy as np
import pandas as pd
import pytest

from workbench.agent.values import MAX_DEPTH, InvalidResult, as_json


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


def nested(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2.5, 2.5),
        ("Grüße", "Grüße"),
        ((1, (2, 3)), [1, [2, 3]]),
        ({"a": {"b": [1]}}, {"a": {"b": [1]}}),
        (Colour.RED, "red"),
        (Level.LOW, 1),
        (dt.date(2026, 2, 28), "2026-02-28"),
        (dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC), "2026-02-28T12:00:00+00:00"),
        (np.float64(1.5), 1.5),
        (np.int32(7), 7),
        (np.bool_(True), True),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(["a"]), ["a"]),
        (pd.Series([1, 2]), [1, 2]),
        (pd.Timestamp("2026-02-28"), "2026-02-28T00:00:00"),
        (nested(MAX_DEPTH), nested(MAX_DEPTH)),
    ],
    ids=map(str, range(19)),
)
def test_a_value_becomes_the_json_that_says_the_same(value, plain):
    converted = as_json(value)

    assert converted == plain
    assert json.loads(json.dumps(converted, allow_nan=False)) == plain
    assert type(converted) in (type(None), bool, int, float, str, list, dict)


def circle():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "nan, which JSON does not have"),
        ({"rows": [1, {"price": float("inf")}]}, r"result\.rows\[1\]\.price is inf"),
        (np.array([1.0, np.nan]), r"result\[1\] is nan"),
        ({1: "a"}, "has the key 1"),
        ({1, 2}, "result is a set"),
        (b"bytes", "result is a bytes"),
        (object(), "result is a object"),
        (pd.DataFrame({"a": [1]}), r'\.to_dict\("records"\)'),
        (nested(MAX_DEPTH + 1), "nested more than"),
        (circle(), "or contains itself"),
        ("half \ud800 a pair", "half a character"),
        ({"\udc80": 1}, "half a character"),
        (10**5000, "no JSON"),
    ],
    ids=map(str, range(13)),
)
def test_what_json_cannot_hold_is_refused_with_its_place_and_the_cure(value, said):
    with pytest.raises(InvalidResult, match=said):
        as_json(value)
