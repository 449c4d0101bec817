"""A wordbook finds what looking through the texts themselves would find."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.store.wordbook import MOST_OF_A_TEXT, Wordbook, words_in

WORDS = st.sampled_from(
    ["rain", "train", "raining", "a", "an", "read_csv", "日本語", "ärger", "x9"]
)
TEXTS = st.lists(st.sets(WORDS), max_size=12)


def test_words_are_letters_digits_and_underscores_in_lower_case():
    assert words_in("df = pd.READ_csv('Ä b.csv') # 日本 x\n") == {
        *("df", "pd", "read_csv", "ä", "b", "csv", "日本", "x")
    }


def test_a_word_without_end_is_taken_in_pieces():
    assert max(map(len, words_in("x" * 1000))) == 64


def test_a_text_is_found_by_its_first_words_however_many_it_has():
    words = words_in(" ".join(f"w{n}" for n in range(2 * MOST_OF_A_TEXT)))

    assert words == {f"w{n}" for n in range(MOST_OF_A_TEXT)}


def test_new_words_are_taken_while_there_is_room_and_known_ones_always():
    book = Wordbook(most_words=3)
    first = book.add({"rain", "train", "snow"})
    second = book.add({"rain", "hail"})

    assert set(book.holding("rain")) == {first, second}
    assert not book.holding("hail")

    for number in range(2_000):  # so many are left behind that their words go
        book.leave(book.add({"rain"}) if number else first)
    third = book.add({"hail"})
    assert set(book.holding("hail")) == {third}


@given(texts=TEXTS, part=st.sampled_from(["rain", "ain", "日", "ä", "csv", "absent", "_"]))
def test_a_part_is_found_in_every_text_with_a_word_around_it(texts, part):
    book = Wordbook()
    numbers = [book.add(words) for words in texts]

    holding = book.holding(part)

    short = len(part) < 3 and part.isascii()
    for number, words in zip(numbers, texts, strict=True):
        expected = any(w.startswith(part) if short else part in w for w in words)
        assert (number in holding) == expected
        assert not expected or number in set(holding)


def test_one_or_two_letters_are_the_beginning_of_a_word():
    book = Wordbook()
    rain, train = book.add({"rain"}), book.add({"train"})

    assert set(book.holding("r")) == set(book.holding("ra")) == {rain}
    assert set(book.holding("rai")) == {rain, train}


def test_many_texts_with_the_same_word_are_all_found():
    book = Wordbook()
    numbers = {book.add({"common", f"word{n}"}) for n in range(700)}

    assert set(book.holding("common")) == numbers
    assert set(book.holding("word699")) == {max(numbers)}
    assert len(book.holding("common")) == 700


def test_texts_that_were_left_go_and_their_numbers_are_used_again():
    book = Wordbook()
    stays = book.add({"common", "stays"})
    for n in range(5_000):
        book.leave(book.add({"common", f"gone{n}"}))
    last = book.add({"common", "last"})

    found = set(book.holding("common"))
    assert {stays, last} <= found
    assert len(found) < 2_000 and max(found) < 2_000
    assert not set(book.holding("gone0"))
    assert set(book.holding("last")) == {last}
    assert set(book.holding("stays")) == {stays}
