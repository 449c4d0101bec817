"""A revision is asked for by its number, and by nothing else."""

from __future__ import annotations

import pytest

from workbench.domain.revisions import revision_number
from workbench.errors import NotFound


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("42", 42), ("999999999", 999_999_999)])
def test_a_number_is_read(text, number):
    assert revision_number(text) == number


@pytest.mark.parametrize("text", ["", "0", "01", "-1", "+1", "1.0", "٣", "x", "1\n", "9" * 10])
def test_anything_else_is_not_found(text):
    with pytest.raises(NotFound):
        revision_number(text)
