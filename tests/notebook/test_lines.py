"""The lines told are a shortest way from one text to the other, or it is said that it is too long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.notebook.lines import AROUND, CAME, KEPT, WENT, Effort, changed_lines, whole

TEXTS = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=14).map("\n".join)


def lines_of(text):
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def in_common(one, other):
    """The length of the longest common subsequence, by the book."""
    row = [0] * (len(other) + 1)
    for x in one:
        above = row
        row = [0]
        for place, y in enumerate(other):
            row.append(above[place] + 1 if x == y else max(above[place + 1], row[place]))
    return row[-1]


@given(before=TEXTS, after=TEXTS)
def test_it_is_a_shortest_way(before, after):
    one, other = lines_of(before), lines_of(after)
    told = changed_lines(before, after, Effort())

    for line in told:
        assert line.before is None or one[line.before - 1] == line.text
        assert line.after is None or other[line.after - 1] == line.text
        assert (line.before is None, line.after is None) == (line.op == CAME, line.op == WENT)
    went = {line.before for line in told if line.op == WENT}
    came = {line.after for line in told if line.op == CAME}
    kept = in_common(one, other)
    assert len(went) == len(one) - kept
    assert len(came) == len(other) - kept
    left = [text for n, text in enumerate(one, 1) if n not in went]
    assert left == [text for n, text in enumerate(other, 1) if n not in came]


@given(before=TEXTS, after=TEXTS)
def test_only_what_stands_near_a_difference_is_told(before, after):
    told = changed_lines(before, after, Effort())

    for place, line in enumerate(told):
        if line.op == KEPT:
            near = told[max(0, place - AROUND) : place + AROUND + 1]
            assert any(other.op != KEPT for other in near)


def test_what_went_is_told_before_what_came():
    told = changed_lines("a\nb\nc\nd", "a\nx\ny\nd", Effort())

    assert [(line.op, line.before, line.after, line.text) for line in told] == [
        (" ", 1, 1, "a"),
        ("-", 2, None, "b"),
        ("-", 3, None, "c"),
        ("+", None, 2, "x"),
        ("+", None, 3, "y"),
        (" ", 4, 4, "d"),
    ]


def test_lines_are_counted_as_an_editor_counts_them():
    told = changed_lines("a\u2028b\x0cc\n1", "a\u2028b\x0cc\n2", Effort())

    assert [(line.op, line.text) for line in told] == [
        (" ", "a\u2028b\x0cc"),
        ("-", "1"),
        ("+", "2"),
    ]


def test_a_few_hundred_lines_rewritten_are_listed_all():
    before = "\n".join(f"old {n}" for n in range(900))
    after = "\n".join(f"new {n}" for n in range(900))

    assert len(changed_lines(before, after, Effort())) == 1800


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\n".join(map(str, range(50_000))), "\n".join(map(str, range(50_000, 100_000)))),
        (
            "\n".join(str(n % 7) for n in range(50_000)),
            "\n".join(str(n % 5) for n in range(50_000)),
        ),
        ("x\ny\n" * 25_000, "y\ny\nx\n" * 16_000),
        ("a" * 5_000_000 + "\n1\n" * 5_000, "a" * 5_000_000 + "\n2\n" * 5_000),
    ],
)
def test_hostile_texts_cost_little_time(before, after):
    begun = time.process_time()

    assert changed_lines(before, after, Effort()) is None
    assert time.process_time() - begun < 5


def test_effort_is_shared():
    effort = Effort(steps=100_000)
    before, after = ("\n".join(f"{word}{n}" for n in range(1_500)) for word in ("a", "b"))

    spent = [changed_lines(before, after, effort) for _ in range(3)]

    assert spent == [None] * 3
    assert not effort.spend(0)


def test_a_whole_text_stands_on_one_side():
    assert [(line.op, line.before, line.after) for line in whole("a\nb\n", CAME)] == [
        ("+", None, 1),
        ("+", None, 2),
    ]
    assert [(line.op, line.before) for line in whole("a", WENT)] == [("-", 1)]
