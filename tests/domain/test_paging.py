"""A cursor comes back as it went out, or is refused; a page has a bounded length."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.domain.paging import LARGEST_PAGE, check_limit, read_cursor, write_cursor
from workbench.errors import InvalidRequest


def encoded(content):
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@given(st.lists(st.text(), max_size=4))
def test_a_cursor_comes_back_as_it_went_out(key):
    cursor = write_cursor(*key)

    assert read_cursor(cursor, parts=len(key)) == tuple(key)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?#")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "zork",
        "é",
        "a" * 5,
        "!!!!",
        write_cursor("a"),
        write_cursor("a", "b", "c"),
        encoded(b'["a", 1]'),
        encoded(b'{"a": 1, "b": 2}'),
        encoded(b'["a", "\\ud800"]'),
        encoded(b'["a", "\xed\xa0\x80"]'),
        encoded(b"[" * 100_000),
        encoded(b"9" * 10_000),
    ],
)
def test_a_cursor_that_nobody_here_wrote_is_refused(cursor):
    with pytest.raises(InvalidRequest, match="next_cursor of an earlier page"):
        read_cursor(cursor, parts=2)


@given(st.text())
def test_whatever_is_sent_as_a_cursor_is_read_or_refused(cursor):
    try:
        assert len(read_cursor(cursor, parts=1)) == 1
    except InvalidRequest as error:
        assert "cursor" in str(error)


@pytest.mark.parametrize("limit", [1, 50, LARGEST_PAGE])
def test_a_page_may_be_that_long(limit):
    assert check_limit(limit) == limit


@pytest.mark.parametrize("limit", [0, -1, LARGEST_PAGE + 1, 10**9])
def test_a_page_may_not_be_that_long(limit):
    with pytest.raises(InvalidRequest, match="between 1 and 200"):
        check_limit(limit)
