"""The table of routes is the face: every path of it leads where it says."""

import re

import pytest

from workbench.errors import InvalidRequest
from workbench.gateway.handlers import agents, calling
from workbench.gateway.routes import ROUTES, find, methods


def example(path):
    return re.sub(r"\{\w+(\.\.\.)?\}", "x", path)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_found_at_its_path(route):
    found = find(example(route.path))

    assert found.routes[route.method] is route
    assert route.doc.endswith(".")


def test_no_route_stands_there_twice():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_only_health_and_what_describes_the_routes_is_public():
    assert {route.path for route in ROUTES if route.public} == {
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/metrics",
    }


def test_reserved_names_lead_to_what_they_are_reserved_for():
    assert find("/agents/" + "0" * 32 + "/execute").routes["POST"].handler is calling.execute
    assert find("/agents/validate").routes["POST"].handler is agents.validate
    assert methods("/agents/ada/execute") == ["POST"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/agents/",
        "/agents//x",
        "/Agents",
        "/agents/a/b/c",
        "/runs/x/",
        "*",
        "/runs/x/files/",
    ],
)
def test_what_is_no_path_of_ours_is_found_nowhere(path):
    assert find(path) is None
    assert methods(path) == []


def test_a_place_is_read_as_utf_8():
    assert find("/runs/%C3%BC").places == {"run": "ü"}
    assert find("/runs/a%2Fb").places == {"run": "a/b"}
    assert find("/runs/r/files/a/b%2Fc").places == {"run": "r", "path": "a/b/c"}
    with pytest.raises(InvalidRequest):
        find("/runs/%ff")
