"""What describes the gateway is true of the gateway that answers."""

import json
import os
import re
import subprocess
import sys

import pytest

from workbench.gateway.operations import shape_of
from workbench.gateway.routes import ROUTES
from workbench.gateway.schemas import SCHEMAS

pytestmark = pytest.mark.gateway

BODIES = [
    r for r in ROUTES if SCHEMAS.get(shape_of(r).body, {}).get("additionalProperties") is False
]


def named(route):
    return f"{route.method} {route.path}"


@pytest.fixture(scope="module")
def places(gateway):
    """Something that is there, for each place of a path."""
    agent = gateway.ask("GET", "/agents/admin/greeter/about").json
    said = gateway.ask("POST", "/agents/admin/greeter/runs", {})
    gateway.wait(said.json["id"])
    return {
        "owner": "admin",
        "name": "greeter",
        "id": agent["id"],
        "run": said.json["id"],
        "version": agent["current_version"],
    }


@pytest.fixture
def reach(gateway, places):
    """Asks a route for something, with what is there in its places."""

    def ask(route, query="", body=None):
        path = re.sub(r"\{(\w+)(\.\.\.)?\}", lambda place: places.get(place[1], "x"), route.path)
        return gateway.ask(route.method, path + query, body)

    return ask


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_route_knows_the_options_that_are_documented_and_no_other(reach, route):
    documented = [option.name for option in shape_of(route).query]

    said = reach(route, "?no_such_option=1")

    if named(route) == "GET /agents/{owner}/{name}":
        # What else stands in its query is the agent's business.
        assert (said.status, said.code) == (422, "InvalidInput")
        assert documented == ["test", "version"]
        assert reach(route, "?test=true&version=1.0.0").status == 200
    elif route.path.startswith("/v1/"):
        # Where models are asked, errors have OpenAI's words.
        assert (said.status, said.code) == (400, "invalid_request")
        assert documented == []
    else:
        assert (said.status, said.code) == (400, "InvalidRequest")
        assert said.error["details"]["known"] == documented


@pytest.mark.parametrize("route", BODIES, ids=named)
def test_a_route_knows_the_fields_that_are_documented_and_no_other(reach, route):
    documented = list(SCHEMAS[shape_of(route).body]["properties"])

    said = reach(route, body={"no_such_field": 1})

    assert said.status in (400, 422)
    assert sorted(said.error["details"]["known"]) == sorted(documented)


@pytest.mark.parametrize("route", BODIES, ids=named)
def test_a_field_is_of_the_documented_type(reach, route):
    for name, schema in SCHEMAS[shape_of(route).body]["properties"].items():
        numeric = any(kind in schema.get("type", ()) for kind in ("number", "integer"))
        wrong = "x" if numeric else 5
        said = reach(route, body={name: wrong})

        assert said.status in (400, 422)
        assert said.error["details"]["field"] == name


def test_without_a_token_there_are_the_routes_and_no_agents(gateway):
    said = gateway.ask("GET", "/openapi.json", token=None)

    assert said.status == 200
    assert set(said.json["paths"]) == {route.path.replace("...", "") for route in ROUTES}


def test_a_bad_token_is_refused_even_here(gateway):
    assert gateway.ask("GET", "/openapi.json", token="wrong").code == "Unauthenticated"


def test_with_a_token_there_are_the_agents_one_may_run(gateway, bob):
    eva = gateway.newcomer("eva")
    gateway.add("hers", "x = 1", token=eva)
    gateway.add("everybodys", "x = 1", token=eva, visibility="public")

    def agents(token):
        paths = gateway.ask("GET", "/openapi.json", token=token).json["paths"]
        return {path for path in paths if path.startswith("/agents/eva/")}

    assert agents(eva) == {"/agents/eva/hers", "/agents/eva/everybodys"}
    assert agents(bob) == {"/agents/eva/everybodys"}


def test_what_changes_is_in_the_document_at_once(gateway, bob):
    def described():
        return gateway.ask("GET", "/openapi.json", token=bob).json["paths"].get("/agents/bob/new")

    assert described() is None
    gateway.add("new", "x = 1", token=bob, publish=False, description="One.")
    assert described()["post"]["description"] == "One."
    assert described()["post"]["x-agent"]["version"] is None
    gateway.ask("PATCH", "/agents/bob/new", {"description": "Two."}, token=bob)
    assert described()["post"]["description"] == "Two."
    gateway.ask("POST", "/agents/bob/new/versions", token=bob)
    assert described()["post"]["x-agent"]["version"] == "1.0.0"
    gateway.ask("DELETE", "/agents/bob/new", token=bob)
    assert described() is None


def test_one_agent_can_be_asked_for_by_those_who_may_see_it(gateway, bob):
    path = "/openapi.json?agent=admin/greeter"

    assert "/agents/admin/greeter" in gateway.ask("GET", path).json["paths"]
    assert "/agents/admin/sleeper" not in gateway.ask("GET", path).json["paths"]
    assert gateway.ask("GET", path, token=bob).code == "AgentNotFound"
    assert gateway.ask("GET", path, token=None).code == "Unauthenticated"


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_what_is_held_already_is_not_sent_again(gateway, path):
    first = gateway.ask("GET", path)

    again = gateway.ask("GET", path, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status, again.body) == (304, b"")
    assert "no-store" not in first.headers["Cache-Control"]


def test_the_page_runs_nothing_but_its_own_script(gateway):
    said = gateway.ask("GET", "/docs", token=None)

    policy = said.headers["Content-Security-Policy"]
    assert said.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='; style-src 'sha256-", policy)
    assert "frame-ancestors 'none'" in policy
    assert b"<!-- docs." not in said.body
    assert not re.search(rb"""(?:src|href)=["'](?:https?:)?//""", said.body)


@pytest.mark.kernel
@pytest.mark.parametrize("language", ["curl", "python"])
def test_the_examples_of_an_agent_work_as_they_are(gateway, language):
    text = gateway.ask("GET", "/agents/admin/greeter/about").json["examples"][language]
    command = {"curl": ["bash", "-c", text], "python": [sys.executable, "-c", text]}[language]

    said = subprocess.run(
        command,
        env={**os.environ, "WORKBENCH_TOKEN": gateway.token},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout.replace("'", '"').replace("False", "false")) == {
        "hello": "world",
        "test": False,
    }


def test_an_example_never_repeats_a_host_that_is_none(gateway):
    said = gateway.ask("GET", "/agents/admin/greeter/about", headers={"Host": "x';rm${IFS}-rf"})

    if said.status == 200:
        assert gateway.url in said.json["examples"]["curl"]
        assert "rm" not in said.json["examples"]["curl"].split("Authorization")[0]
    else:
        assert said.status == 400
