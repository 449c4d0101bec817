"""A version has a number of three parts, and the next one is always higher."""

from __future__ import annotations

import pytest

from workbench.domain.versions import check_number, next_number, order
from workbench.errors import InvalidRequest


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
