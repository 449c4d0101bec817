"""A version has a number of three parts, the next one is always higher, and its stage goes on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from workbench.domain.definitions import Definition
from workbench.domain.versions import (
    LONGEST_NOTE,
    Stage,
    Version,
    check_number,
    next_number,
    order,
)
from workbench.errors import IllegalMove, InvalidRequest


@pytest.mark.parametrize("number", ["0.0.0", "1.2.3", "10.0.999999999"])
def test_three_whole_numbers_are_a_version_number(number):
    assert check_number(number) == number


@pytest.mark.parametrize(
    "number",
    ["", "1", "1.0", "1.0.0.0", "v1.0.0", "1.0.0-rc1", "01.0.0", "-1.0.0", "1.0.0\n", "1.٣.0"]
    + ["1.1٣.0", "1.0.9999999999", "draft", "../..", None, 2, 1.5],
)
def test_anything_else_is_none(number):
    with pytest.raises(InvalidRequest, match=r"MAJOR\.MINOR\.PATCH"):
        check_number(number)


def test_numbers_are_sorted_as_numbers():
    assert sorted(["1.10.0", "1.9.9", "0.0.1", "1.2.10"], key=order) == [
        "0.0.1",
        "1.2.10",
        "1.9.9",
        "1.10.0",
    ]


@pytest.mark.parametrize(
    ("numbers", "following"),
    [
        ([], "1.0.0"),
        (["1.0.0"], "1.1.0"),
        (["1.9.3", "1.10.0", "0.99.0"], "1.11.0"),
        (["2.0.0", "1.5.0"], "2.1.0"),
    ],
)
def test_the_next_number_is_higher_than_all(numbers, following):
    assert next_number(numbers) == following
    assert all(order(following) > order(number) for number in numbers)
    assert check_number(following)


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FORWARD = {
    Stage.PUBLISHED: {Stage.DEPRECATED, Stage.ARCHIVED},
    Stage.DEPRECATED: {Stage.ARCHIVED},
    Stage.ARCHIVED: set(),
}


def a_version(stage):
    return Version(
        agent_id="a",
        number="1.0.0",
        stage=stage,
        definition=Definition(fingerprint="f" * 64),
        published_by="ada",
        published_at=NOON,
    )


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("to", Stage)
def test_a_stage_only_ever_goes_on(stage, to):
    if to in FORWARD[stage]:
        assert a_version(stage).move(to, at=NOON).stage is to
    else:
        with pytest.raises(IllegalMove) as refused:
            a_version(stage).move(to, at=NOON)
        assert refused.value.details == {"version": "1.0.0", "stage": str(stage)}


def test_only_a_deprecated_version_warns_and_says_why():
    version = a_version(Stage.PUBLISHED)
    deprecated = version.move(Stage.DEPRECATED, at=NOON, note="Use 2.0.0.")
    archived = deprecated.move(Stage.ARCHIVED, at=NOON)

    assert version.warning == ""
    assert deprecated.warning == "Version 1.0.0 is deprecated. Use 2.0.0."
    assert a_version(Stage.DEPRECATED).warning == "Version 1.0.0 is deprecated."
    assert deprecated.deprecated_at == NOON
    assert (archived.warning, archived.archived_at) == ("", NOON)
    assert archived.deprecation_note == "Use 2.0.0."


def test_a_note_is_bounded():
    with pytest.raises(InvalidRequest):
        a_version(Stage.PUBLISHED).move(Stage.DEPRECATED, at=NOON, note="x" * (LONGEST_NOTE + 1))
