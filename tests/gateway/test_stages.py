"""Versions over HTTP once they are published: warned of, taken out of use, come back to, compared."""

import re
import time

import pytest

pytestmark = pytest.mark.gateway


def source(text):
    return f"from workbench import agent\nagent.result({text!r})\n"


def as_notebook(*texts):
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "source": text,
            "outputs": [],
            "execution_count": None,
        }
        for number, text in enumerate(texts)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="module")
def grown(gateway):
    """The path of an agent with the versions 1.0.0, 1.1.0 and 2.0.0, and a draft after them."""
    path = "/agents/admin/staged"
    gateway.add("staged", None, notebook=as_notebook(source("one")), publish=False)
    for number, text in (("1.0.0", "one"), ("1.1.0", "two"), ("2.0.0", "<three>")):
        save(gateway, path, as_notebook(source(text)))
        said = gateway.ask("POST", f"{path}/versions?force=true", {"version": number})
        assert said.status == 201, said.body
    save(gateway, path, as_notebook(source("<three>"), "'<i>draft</i>'"))
    return path


def save(gateway, path, notebook):
    said = gateway.ask("PUT", f"{path}/notebook", notebook, headers={"If-Match": "*"})
    assert said.status == 200, said.body


def test_versions_are_listed_page_by_page(gateway, grown):
    first = gateway.ask("GET", f"{grown}/versions?limit=2").json
    second = gateway.ask("GET", f"{grown}/versions?limit=2&cursor={first['next_cursor']}").json

    numbers = [v["version"] for v in (*first["items"], *second["items"])]
    assert numbers == ["2.0.0", "1.1.0", "1.0.0"]
    assert second["next_cursor"] is None


@pytest.mark.kernel
def test_who_calls_a_deprecated_version_is_told_and_answered(gateway, grown):
    quiet = gateway.ask("GET", f"{grown}?version=1.1.0")
    said = gateway.ask("POST", f"{grown}/versions/1.1.0/deprecate", {"note": "Use 2.0.0."})
    called = gateway.ask("GET", f"{grown}?version=1.1.0")
    posted = gateway.ask("POST", f"{grown}?version=1.1.0", {})
    started = gateway.ask("POST", f"{grown}/runs", {"version": "1.1.0"})
    other = gateway.ask("GET", grown)

    assert "Deprecation" not in quiet.headers
    assert said.status == 200
    assert (said.json["stage"], said.json["deprecated"]) == ("deprecated", True)
    assert said.json["deprecation_note"] == "Use 2.0.0."
    assert (called.status, called.json) == (200, "two")
    for answer in (said, called, posted, started):
        at = re.fullmatch(r"@(\d+)", answer.headers["Deprecation"])
        assert abs(int(at[1]) - time.time()) < 600
    assert "Deprecation" not in other.headers
    logs = gateway.ask("GET", f"/runs/{called.headers['X-Run-Id']}/logs").body.decode()
    assert logs.startswith("[WARNING] Version 1.1.0 is deprecated. Use 2.0.0.\n")
    of_version = gateway.ask("GET", f"{grown}/runs?version=1.1.0").json["items"]
    assert len(of_version) == 4
    assert gateway.ask("GET", "/runs?agent=admin/staged&version=2.0.0").json["items"]
    assert gateway.ask("GET", f"{grown}/runs?until=2020-01-01").json["items"] == []


@pytest.mark.kernel
def test_rolling_back_changes_what_callers_get_and_an_archived_version_is_past_it(gateway):
    path = "/agents/admin/rolled"
    gateway.add("rolled", source("old"))
    save(gateway, path, as_notebook(source("new")))
    gateway.ask("POST", f"{path}/versions?force=true", {"version": "2.0.0"})
    new = gateway.ask("GET", path)
    kept = gateway.ask("POST", f"{path}/versions/2.0.0/archive")
    back = gateway.ask("POST", f"{path}/rollback", {"version": "1.0.0"})
    old = gateway.ask("GET", path)
    gone = gateway.ask("POST", f"{path}/versions/2.0.0/archive")
    again = gateway.ask("POST", f"{path}/rollback", {"version": "2.0.0"})
    called = gateway.ask("GET", f"{path}?version=2.0.0")

    assert (new.json, old.json) == ("new", "old")
    assert (kept.status, kept.code) == (409, "IllegalMove")
    assert (back.status, back.json["current_version"]) == (200, "1.0.0")
    assert (gone.status, gone.json["stage"]) == (200, "archived")
    assert (again.status, called.status) == (409, 409)
    assert gateway.ask("GET", f"{path}/notebook?version=2.0.0").status == 200
    assert gateway.ask("POST", f"{path}/rollback", {"version": "9.9.9"}).status == 404
    for body in ({}, {"version": "latest"}):
        refused = gateway.ask("POST", f"{path}/rollback", body)
        assert (refused.status, refused.code) == (400, "InvalidRequest")


def test_two_states_are_compared_as_json(gateway, grown):
    said = gateway.ask("GET", f"{grown}/compare?from=1.0.0&to=1.1.0")
    draft = gateway.ask("GET", f"{grown}/compare").json

    assert said.status == 200
    assert (said.json["changed"], said.json["added"]) == (["cell-0"], [])
    (cell,) = said.json["cells"]
    assert [(line["op"], line["text"]) for line in cell["lines"]] == [
        (" ", "from workbench import agent"),
        ("-", "agent.result('one')"),
        ("+", "agent.result('two')"),
    ]
    assert (draft["from"], draft["to"], draft["added"]) == ("2.0.0", "draft", ["cell-1"])


@pytest.mark.parametrize(
    ("query", "accept", "page"),
    [
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("&format=html", "application/json", True),
        ("&format=json", "text/html", False),
        ("", "application/json, text/html", False),
        ("", "*/*", False),
    ],
)
def test_two_states_are_compared_as_a_page_for_who_wants_one(gateway, grown, query, accept, page):
    said = gateway.ask("GET", f"{grown}/compare?from=2.0.0{query}", headers={"Accept": accept})

    assert said.headers["Content-Type"].startswith("text/html" if page else "application/json")
    if page:
        assert said.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert b"<i>draft</i>" not in said.body
        assert b"&lt;i&gt;draft&lt;/i&gt;" in said.body


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=9.0.0", 404),
        ("from=latest", 400),
        ("from=", 400),
        ("to=", 400),
        ("from=%00", 400),
        ("format=pdf", 400),
        ("from=1.0.0&from=1.1.0", 400),
    ],
)
def test_what_is_no_state_is_refused(gateway, grown, query, status):
    assert gateway.ask("GET", f"{grown}/compare?{query}").status == status


def test_a_browser_opens_the_comparison_with_a_ticket(gateway, grown):
    path = f"{grown}/compare?from=1.0.0&format=html"
    ticket = gateway.ask("POST", "/tickets", {"path": path}).json

    opened = gateway.ask("GET", ticket["url"], token=None)

    assert opened.status == 200
    assert opened.headers["Content-Type"].startswith("text/html")


def test_others_see_versions_and_change_nothing(gateway, ada, bob):
    path = "/agents/ada/lent"
    gateway.add("lent", "x = 1", token=ada, visibility="public")
    hidden = "/agents/ada/unlent"
    gateway.add("unlent", "x = 1", token=ada)

    for method, rest, body in (
        ("POST", "/versions/1.0.0/deprecate", {}),
        ("POST", "/versions/1.0.0/archive", {}),
        ("POST", "/rollback", {"version": "1.0.0"}),
        ("GET", "/compare?from=1.0.0", None),
        ("GET", "/revisions", None),
        ("GET", "/revisions/1/notebook", None),
        ("POST", "/revisions/1/restore", {}),
        ("DELETE", "?purge=true", None),
    ):
        seen = gateway.ask(method, path + rest, body, token=bob)
        assert (seen.status, seen.code) == (403, "AgentAccessDenied"), rest
        unseen = gateway.ask(method, hidden + rest, body, token=bob)
        assert (unseen.status, unseen.code) == (404, "AgentNotFound"), rest
    assert gateway.ask("GET", f"{path}/compare?from=1.0.0&to=1.0.0", token=bob).json["same"]
    assert gateway.ask("GET", f"{path}/versions/1.0.0", token=ada).json["stage"] == "published"
    for agent in (path, hidden):
        assert gateway.ask("DELETE", f"{agent}?purge=true", token=ada).status == 204


@pytest.mark.kernel
def test_who_waits_for_a_deprecated_version_in_vain_is_told_too(gateway, sources):
    gateway.add("brittle", sources["breaker"])
    quiet = gateway.ask("GET", "/agents/admin/brittle")
    gateway.ask("POST", "/agents/admin/brittle/versions/1.0.0/deprecate", {})
    warned = gateway.ask("GET", "/agents/admin/brittle")

    assert (quiet.status, warned.status) == (500, 500)
    assert "Deprecation" not in quiet.headers
    assert re.fullmatch(r"@\d+", warned.headers["Deprecation"])
