"""The scripted model says what its script says, in whole answers and in streams."""

import asyncio
import json

import pytest

from workbench.domain.models import Api
from workbench.errors import InvalidAgentConfig, InvalidRequest
from workbench.llm.assembly import Assembly, tokens_of
from workbench.llm.questions import ask
from workbench.llm.scripted import least, read_script, scripted

TOOL = {
    "type": "function",
    "function": {
        "name": "mail",
        "parameters": {
            "type": "object",
            "properties": {"to": {"type": "string"}, "n": {"type": "integer", "minimum": 2}},
            "required": ["to"],
        },
    },
}


def chat(text="hello", **more):
    return ask(Api.CHAT, {"model": "m", "messages": [{"role": "user", "content": text}], **more})


def responses(text="hello", **more):
    return ask(Api.RESPONSES, {"model": "m", "input": text, **more})


def rules(*pairs):
    return read_script(
        json.dumps({"rules": [{"when": when, "reply": reply} for when, reply in pairs]}).encode()
    )


def said(question, *given):
    """The whole answer, put together again if it came in pieces."""

    async def play():
        reply = await scripted(question, *given)
        if reply.frames is None:
            return reply.status, json.loads(reply.body)
        assembly = Assembly(question.api)
        async for frame in reply.frames:
            text = frame.partition(b"data: ")[2].strip()
            if text != b"[DONE]":
                assembly.add(json.loads(text))
        return reply.status, assembly.answer

    return asyncio.run(play())


def test_without_a_script_it_says_that_it_is_one():
    _, answer = said(chat("hello"))

    assert answer["choices"][0]["message"]["content"].startswith("[scripted model, not a real one]")
    assert answer["model"] == "scripted"


@pytest.mark.parametrize("make", [chat, responses])
def test_the_same_question_has_the_same_answer_to_the_letter(make):
    assert said(make("a")) == said(make("a"))
    assert said(make("a"))[1]["id"] != said(make("b"))[1]["id"]


@pytest.mark.parametrize("make", [chat, responses])
@pytest.mark.parametrize(
    "reply",
    [
        {"text": "words, more words and ünïcödé"},
        {"json": {"a": [1, 2]}},
        {"tools": [{"name": "mail", "arguments": {"to": "ada"}}, {"name": "mail"}]},
    ],
)
def test_a_stream_is_the_whole_answer_in_pieces(make, reply):
    script = rules(({}, reply))
    _, whole = said(make(), script)
    _, pieces = said(make(stream=True, stream_options={"include_usage": True}), script)

    if make is chat:
        assert pieces["choices"][0]["message"] == whole["choices"][0]["message"]
        assert pieces["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
        assert pieces["usage"] == whole["usage"]
    else:
        assert pieces == whole
    assert tokens_of(pieces) == tokens_of(whole)


def test_the_first_rule_that_holds_answers():
    script = rules(
        ({"last_user": "WEATHER"}, {"text": "rain"}),
        ({"tool": "mail", "turn": 0}, {"text": "mail"}),
        ({"model": "small"}, {"text": "small"}),
        ({"tool_result": "42"}, {"text": "seen"}),
        ({}, {"text": "else"}),
    )
    results = [{"role": "tool", "tool_call_id": "x", "content": "it is 42"}]

    def content(question):
        return said(question, script)[1]["choices"][0]["message"]["content"]

    assert content(chat("weather?")) == "rain"
    assert content(chat("x", tools=[TOOL])) == "mail"
    assert content(chat("x", model="a-small-one")) == "small"
    assert content(ask(Api.CHAT, {"model": "m", "messages": results})) == "seen"
    assert content(chat("x")) == "else"


def test_it_can_refuse_as_an_upstream_would():
    script = rules(({}, {"error": {"status": 429, "message": "slow", "headers": {"a": "b"}}}))

    status, body = said(chat(), script)

    assert status == 429
    assert body["error"]["message"] == "slow"


@pytest.mark.parametrize("make", [chat, responses])
def test_a_stream_can_be_cut(make):
    script = rules(({}, {"text": "a long answer that never ends", "cut_after": 3}))

    async def frames():
        reply = await scripted(make(stream=True), script)
        return [frame async for frame in reply.frames]

    got = asyncio.run(frames())
    assert len(got) == 4
    assert b"stream was cut" in got[-1]


def test_what_is_malformed_in_a_stream_is_passed_over():
    assembly = Assembly(Api.CHAT)
    junk = [None, 7, "x", [], {}, [7], {"a": 1}]
    for odd in junk:
        assembly.add({"choices": odd})
        assembly.add({"choices": [{"index": odd, "delta": {}}]})
        assembly.add({"choices": [{"index": 0, "delta": odd}]})
        for part in ("content", "tool_calls"):
            assembly.add({"choices": [{"index": 0, "delta": {part: odd}}]})
        for part in ("index", "id", "function"):
            assembly.add({"choices": [{"index": 0, "delta": {"tool_calls": [{part: odd}]}}]})
        for part in ("name", "arguments"):
            call = {"index": 0, "function": {part: odd}}
            assembly.add({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})
        assembly.add({"usage": odd, "choices": [{"index": 0, "delta": {"content": "."}}]})

    choice = assembly.answer["choices"][0]
    assert choice["message"]["content"] == "..x....."
    for call in choice["message"]["tool_calls"]:
        assert {type(part) for part in (call["id"], *call["function"].values())} == {str}


def test_what_must_be_called_is_called_with_the_least_that_it_takes():
    _, answer = said(chat(tools=[TOOL], tool_choice="required"))

    call = answer["choices"][0]["message"]["tool_calls"][0]["function"]
    assert json.loads(call["arguments"]) == {"to": "scripted", "n": 2}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (
            {
                "type": "object",
                "properties": {"a": {"$ref": "#/$defs/x"}},
                "$defs": {"x": {"enum": [7]}},
            },
            {"a": 7},
        ),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [False, False]),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": ["number", "null"], "minimum": 3}, 3),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"const": {"x": 1}}, {"x": 1}),
    ],
)
def test_the_least_that_a_schema_allows(schema, value):
    assert least(schema) == value


def test_a_schema_that_contains_itself_comes_to_an_end():
    child = {"$ref": "#"}
    schema = {"type": "object", "properties": {str(n): child for n in range(20)}}

    assert isinstance(least(schema), dict)


def test_a_schema_that_is_none_is_the_askers_fault():
    format = {"type": "json_schema", "json_schema": {"schema": {"type": "array", "minItems": "x"}}}

    with pytest.raises(InvalidRequest):
        said(chat(response_format=format))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"rules": [{}]}',
        b'{"rules": [{"reply": {"txt": "x"}}]}',
        b'{"rules": [{"when": {"last_user": 1}, "reply": {}}]}',
        *(
            json.dumps({"rules": [{"reply": reply}]}).encode()
            for reply in (
                {"text": 7},
                {"error": "boom"},
                {"error": {"status": "x"}},
                {"error": {"status": 200}},
                {"error": {"headers": {"content-length": "5"}}},
                {"error": {"headers": {"x-a": "b\r\nc: d"}}},
                {"tools": [{"arguments": {}}]},
                {"tools": [{"name": "f", "arguments": "x"}]},
                {"delay_seconds": "long"},
                {"delay_seconds": -1},
                {"cut_after": True},
            )
        ),
    ],
)
def test_a_script_that_is_none_is_refused(content):
    with pytest.raises(InvalidAgentConfig):
        read_script(content)


@pytest.mark.parametrize("packed", [False, True])
def test_vectors_are_the_same_for_the_same_text(packed):
    format = {"encoding_format": "base64"} if packed else {}
    question = ask(
        Api.EMBEDDINGS, {"model": "e", "input": ["a", "b", "a"], "dimensions": 8, **format}
    )

    vectors = [each["embedding"] for each in said(question)[1]["data"]]

    assert vectors[0] == vectors[2] != vectors[1]
    if not packed:
        assert sum(x * x for x in vectors[0]) == pytest.approx(1)


def test_it_remembers_nothing():
    with pytest.raises(InvalidRequest, match="remembers nothing"):
        said(responses(previous_response_id="resp_1"))
