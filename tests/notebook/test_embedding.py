"""An author's schema says the same inside a larger document, or is not put there at all."""

import jsonschema_rs
import pytest

from workbench.notebook.embedding import embedded

AT = "#/components/schemas/x"


def inside(schema):
    """What holds values against *schema* where it stands in a document."""
    host = {"$ref": AT, "components": {"schemas": {"x": embedded(schema, at=AT)}}}
    return jsonschema_rs.validator_for(
        {**host, "$schema": "https://json-schema.org/draft/2020-12/schema"}
    )


def test_references_begin_where_the_schema_was_put():
    schema = {
        "type": "array",
        "items": {"$ref": "#/$defs/point"},
        "$defs": {"point": {"type": "object", "required": ["x"]}},
    }

    assert embedded(schema, at=AT)["items"] == {"$ref": f"{AT}/$defs/point"}
    assert inside(schema).is_valid([{"x": 1}])
    assert not inside(schema).is_valid([{}])


def test_it_claims_no_address_and_no_dialect():
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://example.org/mine",
        "properties": {"a": {"$anchor": "here", "type": "string"}},
        "$defs": {"b": {"$dynamicAnchor": "there"}},
    }

    assert embedded(schema, at=AT) == {
        "properties": {"a": {"type": "string"}},
        "$defs": {"b": {}},
    }


def test_words_of_openapi_that_an_author_means_otherwise_are_left_out():
    schema = {
        "discriminator": "kind",
        "xml": 1,
        "externalDocs": [],
        "example": 3,
        "type": "integer",
    }

    assert embedded(schema, at=AT) == {"type": "integer"}


def test_what_only_looks_like_a_keyword_stays():
    schema = {
        "properties": {"$ref": {"type": "string"}, "$id": {"type": "integer"}, "xml": {}},
        "required": ["$ref"],
        "default": {"$ref": "#/nowhere", "$id": 1},
        "enum": [{"$ref": "#/nowhere"}],
    }

    assert embedded(schema, at=AT) == schema


@pytest.mark.parametrize(
    "schema",
    [
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{}, {}]},
        {"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": True},
        {"$ref": "https://example.org/elsewhere"},
        {"$ref": "#/$defs/gone"},
        {"$ref": "#/xml", "xml": {"type": "string"}},
        {"$ref": "#"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$dynamicRef": "#x"},
        {"properties": {"a": {"$id": "https://example.org/b", "$ref": "#/c"}}},
        {"enum": ["x" * 100_000]},
    ],
)
def test_what_cannot_stand_there_is_not_put_there(schema):
    assert embedded(schema, at=AT) is None
