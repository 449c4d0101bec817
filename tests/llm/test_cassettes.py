"""What was recorded is replayed to the letter; what was not shows what comes nearest."""

import pytest

from workbench.domain.models import Api
from workbench.errors import InvalidAgentConfig, NotRecorded
from workbench.llm.cassettes import Cassette, Entry, merged, read_cassette, write_cassette
from workbench.llm.questions import ask


def question(text="hello", **more):
    return ask(Api.CHAT, {"model": "m", "messages": [{"role": "user", "content": text}], **more})


def entry(asked, answer):
    return Entry(key=asked.key, api=asked.api, request=asked.asked, response={"said": answer})


def test_a_cassette_reads_as_it_was_written():
    entries = [entry(question("a"), "ä"), entry(question("b"), 2)]

    assert read_cassette(write_cassette(entries)) == entries
    assert write_cassette(read_cassette(write_cassette(entries))) == write_cassette(entries)


def test_who_asks_and_in_which_form_makes_no_other_question():
    same = question(stream=True, user="ada", stream_options={"include_usage": True}, store=False)

    assert same.key == question().key
    assert question("hello!").key != question().key
    assert question(temperature=0.5).key != question().key
    assert ask(Api.RESPONSES, {"model": "m", "input": "x"}).key != question("x").key


def test_the_second_time_has_the_second_answer_and_the_third_none():
    cassette = Cassette([entry(question(), "one"), entry(question(), "two")])

    assert cassette.play(question()) == {"said": "one"}
    assert cassette.play(question()) == {"said": "two"}
    with pytest.raises(NotRecorded, match="more often"):
        cassette.play(question())


def test_a_miss_shows_the_nearest_question():
    entries = [entry(question("what is the mileage of a Ford?"), 1), entry(question("hi"), 2)]

    with pytest.raises(NotRecorded) as missed:
        Cassette(entries).play(question("what is the mileage of a Fiat?"))

    assert '-   "content": "what is the mileage of a Ford?"' in str(missed.value)
    assert '+   "content": "what is the mileage of a Fiat?"' in str(missed.value)
    with pytest.raises(NotRecorded, match="Record the run"):
        Cassette([]).play(question())


def test_a_cassette_edited_by_hand_still_fits():
    text = write_cassette([entry(question("a"), 1)]).replace(b'"a"', b'"b"')

    assert Cassette(read_cassette(text)).play(question("b")) == {"said": 1}


def test_a_new_recording_takes_the_place_of_the_old_one():
    old = [entry(question("a"), 1), entry(question("b"), 2)]

    assert merged(old, [entry(question("a"), 3)]) == [old[1], entry(question("a"), 3)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"version": 2, "entries": []}',
        b'{"version": 1, "entries": [{}]}',
        b'{"version": 1, "entries": [{"api": "x", "request": {}, "response": {}}]}',
    ],
)
def test_what_is_no_cassette_is_refused(content):
    with pytest.raises(InvalidAgentConfig, match="no cassette"):
        read_cassette(content)
