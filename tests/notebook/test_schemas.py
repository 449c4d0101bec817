"""Schemas and values of people who mean harm are held together in bounded time, fetching nothing."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from workbench.errors import InvalidAgentConfig
from workbench.notebook.schemas import (
    MAX_DEPTH,
    MAX_SCHEMA_BYTES,
    Violation,
    check_schema,
    violations,
)


@pytest.fixture
def canary():
    """The address of a server that notes who calls."""
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            while True:
                connection, caller = server.accept()
                with connection:
                    if connection.recv(1) == b"q":
                        return
                calls.append(caller)

        thread = threading.Thread(target=listen)
        thread.start()
        port = server.getsockname()[1]
        yield f"http://127.0.0.1:{port}", calls
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"q")
        thread.join()


def refusal(schema):
    with pytest.raises(InvalidAgentConfig) as caught:
        check_schema(schema, where="metadata.workbench.output_schema")
    with pytest.raises(InvalidAgentConfig):
        violations(schema if isinstance(schema, dict) else {"not": schema, "type": 3}, 1)
    return caught.value


def exponential():
    steps = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n - 1}"}] * 9} for n in range(1, 15)}
    return {"$defs": {"d0": {}, **steps}, "$ref": "#/$defs/d14"}


def chained():
    steps = {f"d{n}": {"not": {"$ref": f"#/$defs/d{n + 1}"}} for n in range(1_000)}
    return {"$defs": steps, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, {"any": ["thing", None]}),
        ({"type": "integer"}, 3),
        ({"type": "integer"}, 10**400),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, None),
        ({"$defs": {"a/b": {"type": "string"}}, "$ref": "#/$defs/a~1b"}, "x"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "const": 1}, 1),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "http://x/y"}, 1),
        ({"pattern": "^[\\w.+-]+@[\\w-]+\\.[\\w.]+$"}, "ada@example.org"),
        ({"properties": {"$ref": {}, "$id": {"type": "string"}, "id": {}}}, {"$id": "a"}),
        ({"examples": [{"id": "a", "$ref": "http://x"}], "default": {"id": "b"}}, 1),
        ({"type": "object", "properties": {"default": {"type": "string"}}}, {"default": "a"}),
    ],
)
def test_what_fits_has_no_violations(schema, value):
    check_schema(schema, where="it")

    assert violations(schema, value) == []


def test_violations_say_where_and_what():
    schema = {
        "type": "object",
        "properties": {"rows": {"items": {"properties": {"n": {"type": "integer"}}}}},
        "required": ["name"],
    }

    found = violations(schema, {"rows": [{"n": 1}, {"n": "x"}]})

    assert found == [
        Violation(path="", message='"name" is a required property'),
        Violation(path="rows[1].n", message='it is not of type "integer"'),
    ]


def test_there_are_few_violations_and_none_is_long():
    found = violations({"items": {"type": "integer"}}, ["x" * 1_000] * 1_000)
    many = violations({"items": {"enum": ["a" * 1_000]}}, ["x"] * 1_000_000)
    named = violations({"additionalProperties": False}, {"k" * 100_000: 1})

    assert len(found) == 10
    assert len(many) == 1
    assert all(len(v.message) <= 300 and len(v.path) <= 300 for v in [*found, *many, *named])
    assert "xxx" not in found[0].message


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (True, "must be a JSON Schema"),
        ([], "must be a JSON Schema"),
        ({"type": "nope"}, "type: "),
        ({"properties": 3}, "properties: "),
        ({"$schema": "http://127.0.0.1:1/mine"}, "Unknown meta-schema"),
        ({"$ref": "file:///etc/passwd"}, "nothing is fetched"),
        ({"$ref": "other.json"}, "nothing is fetched"),
        ({"$ref": "#anchor"}, "nothing is fetched"),
        ({"$ref": "#/$defs/none"}, "points to nothing"),
        ({"$ref": "#"}, "leads back to itself"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "leads back to itself"),
        ({"not": {"$dynamicRef": "#a"}}, "not supported"),
        ({"not": {"$id": "http://127.0.0.1/other"}}, "outermost"),
        ({"pattern": "(?=a)b"}, "look-around"),
        ({"pattern": "(a)\\1"}, "look-around"),
        ({"pattern": "(a{1000}){1000}"}, "large repetitions"),
        ({"allOf": [{"pattern": "a"}] * 100}, "larger than"),
        ({"default": float("nan")}, "not plain JSON"),
        ({"default": "\ud800"}, "no schema that can be used"),
        ({"title": "x" * MAX_SCHEMA_BYTES}, "bytes long"),
        (json.loads('{"not":' * 70 + "{}" + "}" * 70), f"more than {MAX_DEPTH} levels"),
        (exponential(), "larger than"),
        (chained(), "lead to one another"),
    ],
)
def test_a_schema_that_cannot_be_used_safely_is_refused(schema, said):
    error = refusal(schema)

    assert said in str(error)
    assert error.details == {"field": "metadata.workbench.output_schema"}


@pytest.mark.parametrize("key", ["$ref", "$schema", "$dynamicRef", "$recursiveRef"])
def test_nothing_is_ever_fetched(canary, key):
    address, calls = canary

    refusal({key: f"{address}/schema.json"})
    refusal({"properties": {"a": {"items": {key: f"{address}/schema.json", "type": 3}}}})

    assert calls == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "^(a+)+$"}, "a" * 500_000 + "b"),
        ({"pattern": "[ab]*a[ab]{200}c"}, "aabab" * 100_000),
        ({"patternProperties": {"^(a{20})*$": {"type": "null"}}}, {"a" * 100_000 + "b": 1}),
        ({"items": {"type": "integer"}}, ["x"] * 1_000_000),
        ({"items": {"allOf": [{"type": "integer"}] * 3_000}}, [1] * 10_000),
        ({"uniqueItems": True}, [[n] for n in range(200_000)]),
        ({"format": "email"}, "a@" * 400_000),
        ({"multipleOf": 1e-300}, 1e300),
    ],
)
def test_no_value_takes_long(schema, value):
    begun = time.process_time()

    violations(schema, value)

    assert time.process_time() - begun < 6


def test_a_value_too_large_for_its_schema_is_a_violation():
    heavy = {"items": {"allOf": [{"type": "integer"}] * 3_000}}

    too_large = [Violation(path="", message="is too large to be held against its schema")]
    assert violations(heavy, [1] * 1_000) == []
    assert violations(heavy, [1] * 100_000) == too_large
    assert violations({"pattern": "a"}, "a" * 1_000_000) == []
    assert violations({"pattern": "a"}, "a" * 2_000_000) == too_large
    assert violations({"type": "string"}, "a" * 2_000_000) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (json.loads("[" * 300 + "]" * 300), "nested more than"),
        ({1: 2}, "not plain JSON"),
        (object(), "not plain JSON"),
        ("\ud800", "not plain JSON"),
    ],
)
def test_a_value_that_is_no_plain_json_is_a_violation(value, said):
    (violation,) = violations({"type": "string"}, value)

    assert said in violation.message
