"""What the cells say is found in lower case, up to a bound, and can always be kept."""

from __future__ import annotations

from tests.conftest import as_notebook
from workbench.notebook.document import dump, load
from workbench.notebook.words import MOST_WORDS, words


def words_of(*cells):
    return words(dump(load(as_notebook(*cells))))


def test_all_cells_are_read_in_lower_case():
    assert words_of("RAIN in", "Ünlike") == "rain in\nünlike"


def test_no_more_than_a_bounded_part_is_kept():
    assert len(words_of("x" * MOST_WORDS, "unseen")) == MOST_WORDS
    assert "unseen" not in words_of("x" * MOST_WORDS, "unseen")
    # Some letters are longer in lower case.
    assert len(words_of("İ" * MOST_WORDS)) == MOST_WORDS


def test_what_a_database_cannot_keep_is_left_out():
    assert words_of("'a\\0'") == "'a\\0'"
    nb = as_notebook("1")
    nb["cells"][0] |= {"cell_type": "markdown", "source": "a\0b"}
    del nb["cells"][0]["outputs"], nb["cells"][0]["execution_count"]
    assert words(dump(load(nb))) == "a b"
