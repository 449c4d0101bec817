"""A stream of server-sent events is read as the HTML standard says, however it ends."""

import io

import pytest

from workbench.client.stream import Message, messages


def read(text: str) -> list[Message]:
    return list(messages(io.BytesIO(text.encode())))


def test_a_message_has_its_id_type_and_data():
    assert read('id: 3\nevent: output\ndata: {"a": 1}\n\n') == [
        Message(id="3", type="output", data='{"a": 1}')
    ]


def test_several_lines_of_data_are_one_text():
    assert read("data: a\ndata: b\n\n")[0].data == "a\nb"


def test_comments_keep_the_line_open_and_say_nothing():
    assert read(": keep-alive\n\n: keep-alive\n\n") == []


def test_a_message_that_is_cut_off_is_none():
    assert read("id: 1\ndata: whole\n\nid: 2\ndata: ha") == [
        Message(id="1", type="message", data="whole")
    ]


def test_an_id_holds_until_another_one_is_said():
    assert [m.id for m in read("id: 7\ndata: a\n\ndata: b\n\n")] == ["7", "7"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_both_line_ends_are_understood(end):
    assert read(f"event: log{end}data:x{end}{end}") == [Message(id="", type="log", data="x")]
