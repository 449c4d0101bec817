"""Nobody gets in without a token in the header, and everybody is answered in the one shape."""

import json
import os
import re
import sys

import pytest

from workbench.gateway.routes import ROUTES

pytestmark = pytest.mark.gateway

EVERY = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
GUARDED = pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if not route.public],
    ids=lambda route: f"{route.method} {route.path}",
)
READING = ("POST", "PUT", "PATCH")
OPENAI = {
    "Unauthenticated": "invalid_api_key",
    "MethodNotAllowed": "method_not_allowed",
    "InvalidRequest": "invalid_request",
}
KEEPS_ANY_BODY = ("/agents/{owner}/{name}/files/{path...}",)


def path_of(route, **places):
    given = {"owner": "admin", "name": "greeter", "run": "0" * 32, "id": "0" * 32, **places}
    return re.sub(r"\{(\w+)(\.\.\.)?\}", lambda m: given.get(m[1], "1.0.0"), route.path)


def told(route, code):
    """The code of an error as *route* says it: where models are asked, as OpenAI does."""
    return OPENAI[code] if route.path.startswith("/v1/") else code


def is_enveloped(said):
    assert said.headers["Content-Type"] == "application/json"
    assert set(said.json) == {"error"}
    assert b"Traceback" not in said.body
    assert sys.prefix.encode() not in said.body and os.getcwd().encode() not in said.body
    if "type" in said.error:
        assert set(said.error) == {"message", "type", "param", "code"}
        assert said.headers["X-Request-Id"]
    else:
        assert set(said.error) == {"code", "message", "details", "timestamp", "request_id"}
        assert said.headers["X-Request-Id"] == said.error["request_id"]
    return True


NO_TOKENS = [
    {},
    {"Authorization": "Bearer wb_0000000000000000_" + "A" * 43},
    {"Authorization": "Bearer "},
    {"Authorization": "Basic YWRtaW46YWRtaW4="},
    {"Authorization": "Bearer " + "x" * 5000},
    {"Authorization": "Bearer ü\xff"},
    {"Cookie": "token=correct-horse-battery-staple"},
]


@GUARDED
def test_without_a_good_token_nothing_is_told(gateway, route):
    for header in NO_TOKENS:
        said = gateway.ask(route.method, path_of(route), token=None, headers=header)

        assert (said.status, said.code) == (401, told(route, "Unauthenticated")), header
        assert said.headers["WWW-Authenticate"] == "Bearer"
        assert is_enveloped(said)


@GUARDED
def test_a_token_in_the_address_is_none(gateway, route):
    for name in ("token", "ticket", "access_token"):
        said = gateway.ask(route.method, f"{path_of(route)}?{name}={gateway.token}", token=None)

        assert said.status == 401
    assert gateway.token not in gateway.log.read_text(errors="replace")


@EVERY
def test_a_method_a_path_does_not_know_is_405(gateway, route):
    path = path_of(route)
    known = {other.method for other in ROUTES if path_of(other) == path}
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} - known:
        said = gateway.ask(method, path)

        assert said.status == 405, method
        assert known <= set(said.headers["Allow"].split(", "))
        refused = told(route, "MethodNotAllowed")
        assert method == "HEAD" or (said.code == refused and is_enveloped(said))


@pytest.mark.parametrize(
    "route",
    [r for r in ROUTES if r.method in READING and r.path not in KEEPS_ANY_BODY],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_a_body_that_is_no_json_object_is_refused(gateway, route):
    agent = gateway.ask("GET", "/agents/admin/greeter/about").json
    headers = {"Content-Type": "application/json", "If-Match": agent["etag"]}
    for body in (b"{", b"[]", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000):
        said = gateway.ask(route.method, path_of(route, id=agent["id"]), body, headers=headers)

        # Only what a notebook is, the notebook floor knows.
        assert said.status == (422 if route.method == "PUT" else 400), said.body
        assert is_enveloped(said)


@pytest.mark.parametrize(
    "route",
    # Where an agent is called by GET, the query is the agent's.
    [r for r in ROUTES if (r.method, r.path) != ("GET", "/agents/{owner}/{name}")],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_an_option_that_nobody_knows_is_refused(gateway, route):
    agent = gateway.ask("GET", "/agents/admin/greeter/about").json
    said = gateway.ask(route.method, path_of(route, id=agent["id"]) + "?surprise=1")

    assert (said.status, said.code) == (400, told(route, "InvalidRequest"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "token", "Token"])
def test_both_schemes_let_in(gateway, scheme):
    said = gateway.ask(
        "GET", "/agents", token=None, headers={"Authorization": f"{scheme} {gateway.token}"}
    )

    assert said.status == 200


def test_health_needs_no_token_and_says_what_runs_here(gateway):
    said = gateway.ask("GET", "/healthz", token=None)

    assert said.status == 200
    assert set(said.json) == {"status", "version", "isolation", "runs"}
    assert set(said.json["runs"]) == {"waiting", "running"}
    assert gateway.ask("GET", "/readyz", token=None).json == {"ready": True}


def test_the_id_of_a_request_comes_back_if_it_is_sane(gateway):
    kept = gateway.ask("GET", "/healthz", headers={"X-Request-Id": "abc-1.2_3"})
    replaced = gateway.ask("GET", "/healthz", headers={"X-Request-Id": "<script>" + "x" * 200})

    assert kept.headers["X-Request-Id"] == "abc-1.2_3"
    assert re.fullmatch("[0-9a-f]{32}", replaced.headers["X-Request-Id"])


@pytest.mark.parametrize("path", ["/healthz", "/agents", "/api/kernels", "/nowhere"])
@pytest.mark.parametrize("token", ["", None])
def test_no_answer_sets_a_cookie_or_names_what_made_it(gateway, path, token):
    said = gateway.ask("GET", path, token=token, headers={"Origin": "https://elsewhere.example"})

    assert not {"Set-Cookie", "Server", "Etag", "ETag"} & set(said.headers)
    assert not [name for name in said.headers if name.startswith("Access-Control")]


def test_answered_requests_leave_no_line_in_the_log(gateway):
    before = gateway.log.read_text(errors="replace")
    for path in ("/agents", "/nowhere", "/api/kernels", "/agents?secret=1"):
        gateway.ask("GET", path)

    assert gateway.log.read_text(errors="replace") == before


@pytest.mark.parametrize(
    "path", ["/", "/agents/", "/nowhere", "/api/sessions", "/api/swagger.json"]
)
def test_what_is_not_there_is_404_for_everybody(gateway, path):
    for token in ("", None):
        said = gateway.ask("GET", path, token=token)

        assert (said.status, said.code) == (404, "NotFound")
        assert is_enveloped(said)


def _matrix(gateway, route, token, run, version):
    """What somebody is told at *route* about ada's agent and her run."""
    path = path_of(
        route, owner="ada", name="private", run=run["id"], id=run["agent_id"], version=version
    )
    body = {"PUT": b"{}", "PATCH": b"{}", "POST": b"{}"}.get(route.method)
    return gateway.ask(
        route.method, path, body, token=token, headers={"Content-Type": "application/json"}
    )


@pytest.fixture(scope="module")
def adas_run(gateway, ada, sources):
    gateway.add("private", sources["greeter"], token=ada)
    said = gateway.ask("POST", "/agents/ada/private/runs", {}, token=ada)
    return gateway.wait(said.json["id"], token=ada)


@pytest.mark.parametrize(
    "route",
    [r for r in ROUTES if "{" in r.path and "{token}" not in r.path],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_what_is_somebody_elses_is_not_there(gateway, adas_run, bob, route):
    said = _matrix(gateway, route, bob, adas_run, "1.0.0")

    assert said.status == 404, said.body
    assert said.code in ("AgentNotFound", "NotFound", "model_not_found")
    assert is_enveloped(said)


def test_lists_show_everybody_their_own(gateway, adas_run, ada, bob):
    def ids(path, token):
        return {item["id"] for item in gateway.ask("GET", path, token=token).json["items"]}

    assert adas_run["id"] in ids("/runs", ada) and adas_run["id"] in ids("/runs", "")
    assert adas_run["agent_id"] in ids("/agents", ada)
    assert adas_run["id"] not in ids("/runs", bob)
    assert adas_run["agent_id"] not in ids("/agents", bob)
    assert not ids("/tokens", bob) & ids("/tokens", ada)


def test_a_public_agent_is_everybodys_to_run_and_its_owners_to_change(gateway, ada, bob, sources):
    gateway.add("open", sources["greeter"], token=ada, visibility="public")
    changes = [
        ("PATCH", "/agents/ada/open", {"description": "mine"}),
        ("DELETE", "/agents/ada/open", None),
        ("PUT", "/agents/ada/open/notebook", {}),
        ("PUT", "/agents/ada/open/files/x.csv", b"1"),
        ("POST", "/agents/ada/open/versions", {}),
        ("POST", "/agents/ada/open?version=draft&test=1", {}),
        ("GET", "/agents/ada/open/notebook", None),
    ]

    ran = gateway.ask("GET", "/agents/ada/open?name=Bob", token=bob)
    refused = [gateway.ask(m, p, b, token=bob, headers={"If-Match": "*"}) for m, p, b in changes]

    assert ran.json == {"hello": "Bob", "test": False}
    assert [(said.status, said.code) for said in refused] == [(403, "AgentAccessDenied")] * 7
    run = ran.headers["X-Run-Id"]
    assert gateway.ask("GET", f"/runs/{run}", token=bob).json["user"] == "bob"
    assert gateway.ask("GET", f"/runs/{run}", token=ada).json["user"] == "bob"


def test_a_viewer_cannot_have_agents(gateway):
    token = gateway.newcomer("vera", role="viewer")

    for path in ("/agents", "/agents/validate"):
        said = gateway.ask("POST", path, {"agent_name": "x"}, token=token)
        assert (said.status, said.code) == (403, "InsufficientPermissions")


def test_a_token_is_made_shown_once_and_taken_back(gateway, ada):
    made = gateway.ask("POST", "/tokens", {"name": "script", "days": 1}, token=ada)
    token = made.json
    listed = gateway.ask("GET", "/tokens", token=ada).json["items"]

    assert made.status == 201
    assert made.headers["Location"] == f"/tokens/{token['id']}"
    assert token["user"] == "ada"
    assert token["expires_at"] > token["created_at"]
    assert token["token"] not in json.dumps(listed)
    assert token["id"] in {item["id"] for item in listed}
    assert gateway.ask("GET", "/agents", token=token["token"]).status == 200
    assert gateway.ask("DELETE", f"/tokens/{token['id']}", token=ada).json["revoked_at"]
    assert gateway.ask("GET", "/agents", token=token["token"]).status == 401


def test_tokens_are_listed_page_by_page_newest_first(gateway, ada):
    made = [
        gateway.ask("POST", "/tokens", {"name": f"page {n}"}, token=ada).json["id"]
        for n in range(3)
    ]

    first = gateway.ask("GET", "/tokens?limit=2", token=ada).json
    second = gateway.ask("GET", f"/tokens?limit=2&cursor={first['next_cursor']}", token=ada).json

    assert [item["id"] for item in first["items"] + second["items"]][:3] == made[::-1]
    for wrong in ("limit=0", "limit=x", "cursor=nonsense"):
        assert gateway.ask("GET", f"/tokens?{wrong}", token=ada).status == 400


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({}, 400, "InvalidRequest"),
        ({"name": ""}, 400, "InvalidRequest"),
        ({"name": 5}, 400, "InvalidRequest"),
        ({"name": "x", "role": "king"}, 400, "InvalidRequest"),
        ({"name": "x", "days": 0}, 400, "InvalidRequest"),
        ({"name": "x", "days": -1}, 400, "InvalidRequest"),
        ({"name": "x", "user": "bob"}, 403, "InsufficientPermissions"),
        ({"name": "x", "surprise": 1}, 400, "InvalidRequest"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(gateway, ada, wish, status, code):
    said = gateway.ask("POST", "/tokens", wish, token=ada)

    assert (said.status, said.code) == (status, code)


def test_nobody_takes_back_what_is_somebody_elses(gateway, ada, bob):
    token = gateway.ask("POST", "/tokens", {"name": "hers"}, token=ada).json

    assert gateway.ask("DELETE", f"/tokens/{token['id']}", token=bob).status == 404
    assert gateway.ask("GET", "/agents", token=token["token"]).status == 200


def test_nobody_makes_themselves_an_administrator(gateway, bob):
    said = gateway.ask("POST", "/tokens", {"name": "up", "role": "admin"}, token=bob)

    assert gateway.ask("GET", "/api/kernels", token=said.json["token"]).status == 403


def test_everybody_is_told_whom_their_token_speaks_for(gateway, ada):
    assert gateway.ask("GET", "/me", token=ada).json == {"user": "ada", "role": "author"}
    assert gateway.ask("GET", "/me").json == {"user": "admin", "role": "admin"}
    assert gateway.ask("GET", "/me", token=None).status == 401
