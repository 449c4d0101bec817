"""Names from outside are plain words: nothing in them means anything to a path, a shell or Python."""

from __future__ import annotations

import pytest

from workbench.domain.names import (
    RESERVED,
    check_name,
    check_path,
    is_name,
    is_parameter_name,
)
from workbench.errors import InvalidAgentConfig, InvalidRequest


@pytest.mark.parametrize("name", ["a", "0", "weather-report_2", "a" * 63])
def test_a_plain_word_is_a_name(name):
    assert is_name(name)
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "-a",
        "_a",
        ".",
        "..",
        "a/b",
        "a b",
        "a.b",
        "é",
        "a\n",
        "a" * 64,
        "٣",
        "a\0",
        None,
        3,
    ],
)
def test_anything_else_is_no_name(name):
    with pytest.raises(InvalidAgentConfig, match="owner must be") as caught:
        check_name(name, what="owner")

    assert caught.value.details == {"field": "owner"}


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_words_are_no_names(name):
    with pytest.raises(InvalidAgentConfig, match="reserved"):
        check_name(name)


@pytest.mark.parametrize("name", ["x", "_x", "X1", "match"])
def test_what_python_can_assign_to_names_a_parameter(name):
    assert is_parameter_name(name)


@pytest.mark.parametrize("name", ["", "1x", "x y", "x=1;y", "class", "None", "é", "x.y", "x\n"])
def test_anything_else_names_no_parameter(name):
    assert not is_parameter_name(name)


@pytest.mark.parametrize("path", ["data.csv", "data/prices 2026.csv", "a/b/c", "é.txt", "a" * 200])
def test_a_relative_path_of_plain_names_is_a_file(path):
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../a",
        "a/../b",
        "./a",
        "a//b",
        "a/",
        ".hidden",
        "a/.ssh/b",
        "a\\b",
        "a\nb",
        "a\0b",
        "a\u202eb",
        "\ud800",
        "a" * 201,
        "a/" * 250 + "a",
    ],
)
def test_any_other_path_is_refused(path):
    with pytest.raises(InvalidRequest, match="cannot name a file"):
        check_path(path)
