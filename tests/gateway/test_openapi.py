"""The document says what the route table says, and of each agent what its notebook says."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from workbench.domain.access import Principal, Role, Token
from workbench.domain.agents import Agent
from workbench.domain.definitions import AgentFile, Definition
from workbench.domain.events import Event, EventType
from workbench.domain.parameters import Parameter, object_schema
from workbench.domain.runs import Reason, Run, RunStatus
from workbench.domain.versions import Version
from workbench.errors import NotFound
from workbench.gateway import openapi
from workbench.gateway.operations import by_status, operation_id, refusals, shape_of, speaks_openai
from workbench.gateway.responses import failure
from workbench.gateway.routes import ROUTES
from workbench.gateway.schemas import SCHEMAS
from workbench.gateway.shapes import SHAPES
from workbench.services import views

AT = datetime(2026, 11, 20, tzinfo=UTC)
ADA = Principal(user="ada", role=Role.AUTHOR)
YEAR = Parameter(
    name="year", type="int", schema={"type": "integer"}, default=2015, help="which year"
)
PARAMETERS = (
    YEAR,
    Parameter(name="city", type="str", schema={"type": "string"}, required=True),
    Parameter(name="rows", type="list", schema={"type": "array", "items": {"type": "string"}}),
    Parameter(name="mixed", schema={"anyOf": [{"type": "array"}, {"type": "string"}]}),
    Parameter(name="anything"),
    Parameter(name="version", type="str", schema={"type": "string"}, default="x"),
)
RESULT = {"type": "array", "items": {"$ref": "#/$defs/row"}, "$defs": {"row": {"type": "integer"}}}
DEFINITION = Definition(
    fingerprint="0" * 64,
    parameters=PARAMETERS,
    input_schema=object_schema(PARAMETERS),
    output_schema=RESULT,
    files=(AgentFile(path="data.csv", fingerprint="1" * 64, size=3),),
)


def an_agent(name="weather", *, owner="ada", number=1, definition=DEFINITION, version="1.0.0"):
    return Agent(
        id=f"{number:032x}",
        owner=owner,
        name=name,
        description="The weather.",
        draft=definition,
        published=definition if version else None,
        current_version=version,
        created_at=AT,
        updated_at=AT,
    )


def document(*agents):
    return json.loads(openapi.document(ROUTES, agents))


def operations(found):
    return {
        f"{method.upper()} {path}": operation
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    }


def names(operation, where):
    return [p["name"] for p in operation["parameters"] if p.get("in") == where]


def test_every_route_has_a_shape_and_every_shape_a_route():
    assert list(SHAPES) == [f"{route.method} {route.path}" for route in ROUTES]


def test_the_document_is_the_table_of_routes():
    found = operations(document())

    assert set(found) == {f"{r.method} {r.path.replace('...', '')}" for r in ROUTES}
    for route in ROUTES:
        said = found[f"{route.method} {route.path.replace('...', '')}"]
        shape = shape_of(route)
        assert said["summary"] == route.doc.rstrip(".")
        assert names(said, "query") == [option.name for option in shape.query]
        assert names(said, "header") == [option.name for option in shape.headers]
        assert ("requestBody" in said) == bool(shape.body)
        assert set(said["responses"]) == {
            *map(str, shape.gives),
            *map(str, by_status(refusals(route), openai=speaks_openai(route))),
        }
        assert (said.get("security") == []) == (route.public and not route.personal)


def test_every_route_that_asks_for_a_token_says_so():
    found = operations(document())

    for route in ROUTES:
        said = found[f"{route.method} {route.path.replace('...', '')}"]["responses"]
        assert ("401" in said) == (not route.public or route.personal)


def test_operations_have_names_of_their_own():
    found = [operation["operationId"] for operation in operations(document()).values()]

    assert len(set(found)) == len(found)
    assert found[0] == operation_id(ROUTES[0]) == "health_healthz"


def test_an_official_validator_finds_nothing_wrong():
    validate(document())
    validate(document(an_agent(), an_agent("other", version=None)))


# Views and schemas are written down apart, so each is held against the other.
RUN = Run(
    id="0" * 32,
    agent_id="1" * 32,
    owner="ada",
    agent_name="weather",
    version="1.0.0",
    fingerprint="0" * 64,
    user="ada",
    created_at=AT,
)
FAILED = replace(
    RUN,
    status=RunStatus.FAILED,
    reason=Reason.TIMEOUT,
    error={"message": "late"},
    started_at=AT,
    completed_at=AT,
)
TOKEN = Token(id="0" * 16, name="mine", user="ada", digest="0" * 64, created_at=AT)
ERROR = failure(NotFound("There is none.", path="x"), request_id="r", at=AT)
VIEWS = [
    ("Agent", views.agent_view(an_agent(), ADA)),
    ("Agent", views.agent_view(an_agent(version=None), ADA)),
    (
        "Version",
        views.version_view(
            Version(
                agent_id="1" * 32,
                number="1.0.0",
                definition=DEFINITION,
                published_by="ada",
                published_at=AT,
            )
        ),
    ),
    ("Run", views.run_view(RUN)),
    ("Run", views.run_view(FAILED)),
    ("Event", views.event_view(Event(seq=1, type=EventType.RUN_STARTED, at=AT))),
    ("Token", views.token_view(TOKEN)),
    ("NewToken", views.token_view(TOKEN, "wb_")),
    ("Parameter", views.parameter_view(YEAR)),
    ("Error", json.loads(ERROR.body)),
]


@pytest.mark.parametrize(("name", "view"), VIEWS, ids=range(len(VIEWS)))
def test_what_is_shown_is_what_its_schema_says(name, view):
    whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": dict(SCHEMAS)}}

    jsonschema_rs.validator_for(whole, validate_formats=True).validate(view)
    assert set(view) == set(SCHEMAS[name]["properties"])


def test_an_agent_is_an_endpoint_with_types_of_its_own():
    found = document(an_agent())
    path, schemas = found["paths"]["/agents/ada/weather"], found["components"]["schemas"]

    assert path["post"]["operationId"] == "ada_weather"
    assert path["post"]["requestBody"] == {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ada_weather_parameters"}}
        },
    }
    assert schemas["ada_weather_parameters"]["properties"]["year"] == {
        "type": "integer",
        "default": 2015,
        "description": "which year",
    }
    assert schemas["ada_weather_result"]["items"] == {
        "$ref": "#/components/schemas/ada_weather_result/$defs/row"
    }
    for method in ("get", "post"):
        assert path[method]["responses"]["200"]["content"]["application/json"] == {
            "schema": {"$ref": "#/components/schemas/ada_weather_result"}
        }


def test_in_a_query_each_parameter_is_what_a_query_can_say():
    said = document(an_agent())["paths"]["/agents/ada/weather"]["get"]
    given = {p["name"]: p for p in said["parameters"] if "name" in p}

    assert given["year"]["schema"] == {"type": "integer", "default": 2015}
    assert given["city"]["required"] is True
    assert given["rows"]["content"]["application/json"]["schema"]["type"] == "array"
    assert given["mixed"]["schema"] == {"type": "string"}
    assert given["anything"]["schema"] == {"type": "string"}
    assert "version" not in given, "there it says which version is meant"


def test_a_draft_must_be_asked_for_as_a_test():
    said = document(an_agent(version=None))["paths"]["/agents/ada/weather"]["post"]

    assert said["parameters"][0]["name"] == "test"
    assert said["parameters"][0]["required"] is True


def test_names_that_read_alike_stay_apart():
    alike = [
        an_agent("b-c", owner="a", number=1),
        an_agent("b_c", owner="a", number=2),
        an_agent("c", owner="a_b", number=3),
        an_agent("b-c_by_query", owner="a", number=4),
        an_agent("create", owner="agents", number=5),
    ]

    found = document(*alike)

    ids = [operation["operationId"] for operation in operations(found).values()]
    assert len(set(ids)) == len(ids)
    assert len(found["components"]["schemas"]) == len(SCHEMAS) + 2 * len(alike)
    validate(found)


def test_a_schema_that_cannot_stand_in_a_document_is_left_open():
    old = replace(
        DEFINITION,
        fingerprint="2" * 64,
        output_schema={"$schema": "http://json-schema.org/draft-07/schema#", "items": [{}]},
    )

    found = document(an_agent("old", definition=old))

    assert found["components"]["schemas"]["ada_old_result"] == {}
    validate(found)


def test_a_document_is_bounded_however_much_authors_write():
    def large(number):
        schema = {"enum": [f"{number}" + "x" * 60_000]}
        return replace(DEFINITION, fingerprint=f"{number:064x}", output_schema=schema)

    agents = [an_agent(f"a{n}", number=n, definition=large(n)) for n in range(100)]

    written = openapi.document(ROUTES, [*agents, an_agent("small", number=101)])

    assert len(written) < openapi.ROOM_BYTES + 200_000
    assert "/agents/ada/a0" in json.loads(written)["paths"]
    assert "/agents/ada/a99" not in json.loads(written)["paths"]


def test_a_changed_agent_is_told_anew():
    before = document(an_agent())
    after = document(replace(an_agent(), description="Rain."))

    assert before["paths"]["/agents/ada/weather"]["post"]["description"] == "The weather."
    assert after["paths"]["/agents/ada/weather"]["post"]["description"] == "Rain."
