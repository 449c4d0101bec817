"""An agent over HTTP: made, examined, published, edited, taken out of use."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.gateway


def test_a_new_agent_says_where_it_is_and_what_it_takes(gateway, sources):
    said = gateway.ask(
        "POST",
        "/agents",
        {"agent_name": "fresh", "agent_config": sources["greeter"], "description": "Greets."},
    )

    assert said.status == 201
    assert said.headers["Location"] == "/agents/admin/fresh/about"
    agent = gateway.ask("GET", said.headers["Location"]).json
    assert set(agent.pop("examples")) == {"curl", "python", "javascript"}
    assert agent == said.json
    assert agent["stage"] == "draft"
    assert agent["current_version"] is None
    assert [p["name"] for p in agent["parameters"]] == ["name", "times"]
    assert agent["parameters"][0]["help"] == "whom to greet"
    assert agent["writable"] is True
    assert agent["visibility"] == "private"


def test_an_agent_without_a_notebook_begins_with_one_that_runs(gateway):
    said = gateway.ask("POST", "/agents", {"agent_name": "starter", "publish": True})

    assert said.status == 201
    assert gateway.ask("GET", "/agents/admin/starter").status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "agent_name"),
        ({"agent_name": None}, "agent_name"),
        ({"agent_name": 5}, "agent_name"),
        ({"agent_name": "../etc"}, "agent_name"),
        ({"agent_name": "Upper"}, "agent_name"),
        ({"agent_name": "execute"}, "agent_name"),
        ({"agent_name": "x" * 64}, "agent_name"),
        ({"agent_name": "x", "description": ["x"]}, "description"),
        ({"agent_name": "x", "publish": "yes"}, "publish"),
        ({"agent_name": "x", "visibility": "shared"}, "visibility"),
        ({"agent_name": "x", "metadata": []}, "metadata"),
        ({"agent_name": "x", "color": "red"}, "color"),
        ({"agent_name": "x", "agent_config": "x=1", "notebook": {}}, "agent_config"),
    ],
)
@pytest.mark.parametrize("path", ["/agents"])
def test_a_body_that_is_no_agent_is_refused_with_the_field(gateway, path, body, field):
    said = gateway.ask("POST", path, body)

    assert (said.status, said.code) == (422, "InvalidAgentConfig")
    assert said.error["details"]["field"] == field


@pytest.mark.parametrize(
    "body",
    [
        {"notebook": {}},
        {"notebook": "not json"},
        {"notebook": {"cells": 5, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}},
        {"agent_config": "def ("},
    ],
)
def test_what_is_wrong_with_a_notebook_is_told_without_keeping_it(gateway, body):
    before = gateway.ask("GET", "/agents").json
    examined = gateway.ask("POST", "/agents/validate", {"agent_name": "never", **body})
    refused = gateway.ask("POST", "/agents", {"agent_name": "never", **body})

    assert examined.status == 200
    assert examined.json["valid"] is False
    assert examined.json["problems"][0]["code"] == "InvalidAgentConfig"
    assert (refused.status, refused.code) == (422, "InvalidAgentConfig")
    assert gateway.ask("GET", "/agents").json == before


def test_what_is_right_with_a_notebook_is_told_without_keeping_it(gateway, sources):
    said = gateway.ask(
        "POST",
        "/agents/validate",
        {"agent_name": "never", "agent_config": sources["greeter"], "description": "So."},
    )

    assert said.status == 200
    assert said.json["valid"] is True
    assert said.json["description"] == "So."
    assert set(said.json["input_schema"]["properties"]) == {"name", "times"}
    assert gateway.ask("GET", "/agents/admin/never/about").code == "AgentNotFound"


def test_publishing_what_needs_parameters_and_has_no_case_keeps_nothing(gateway):
    source = '# %% tags=["parameters"]\nn: int\n# %%\nn'
    body = {"agent_name": "needy", "agent_config": source, "publish": True}

    said = gateway.ask("POST", "/agents", body)

    assert (said.status, said.code) == (422, "InvalidAgentConfig")
    assert said.error["details"]["required"] == ["n"]
    assert gateway.ask("GET", "/agents/admin/needy/about").status == 404


def test_an_agent_whose_case_fails_stays_a_draft(gateway):
    body = {"agent_name": "failing", "agent_config": "raise SystemError('no')", "publish": True}

    said = gateway.ask("POST", "/agents", body)

    assert (said.status, said.code) == (409, "ChecksFailed")
    assert said.error["details"]["draft"] == "kept"
    assert gateway.ask("GET", "/agents/admin/failing/about").json["stage"] == "draft"


def test_of_fifty_who_want_one_name_one_gets_it(gateway):
    def make(_):
        said = gateway.ask("POST", "/agents", {"agent_name": "wanted"})
        return said.status, said.json.get("error", {}).get("code")

    with ThreadPoolExecutor(50) as crowd:
        told = sorted(crowd.map(make, range(50)), key=str)

    assert told == [(201, None)] + [(409, "DuplicateAgentName")] * 49


def test_a_list_is_found_and_turned_page_by_page(gateway):
    for number in range(5):
        gateway.ask(
            "POST", "/agents", {"agent_name": f"paged-{number}", "description": "Leafy greens"}
        )
    names, cursor = [], ""
    while cursor is not None:
        said = gateway.ask("GET", f"/agents?q=LEAFY&limit=2{cursor}").json
        names += [agent["agent_name"] for agent in said["items"]]
        cursor = said["next_cursor"] and f"&cursor={said['next_cursor']}"

    assert names == [f"paged-{number}" for number in (4, 3, 2, 1, 0)]
    assert len(gateway.ask("GET", "/agents?name=paged-1&owner=admin").json["items"]) == 1
    assert gateway.ask("GET", "/agents?name=paged-1&owner=nobody").json["items"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "cursor=nonsense", "cursor=%00", "x=1"])
def test_a_list_that_cannot_be_made_is_refused(gateway, query):
    assert gateway.ask("GET", f"/agents?{query}").code == "InvalidRequest"


def test_an_agent_is_changed_and_found_under_its_new_name(gateway):
    gateway.ask("POST", "/agents", {"agent_name": "before"})

    said = gateway.ask(
        "PATCH",
        "/agents/admin/before",
        {
            "agent_name": "after",
            "description": "Now.",
            "metadata": {"team": "x"},
            "visibility": "public",
        },
    )

    assert said.status == 200
    agent = gateway.ask("GET", "/agents/admin/after/about").json
    assert (agent["description"], agent["metadata"]) == ("Now.", {"team": "x"})
    assert agent["visibility"] == "public"
    assert gateway.ask("GET", "/agents/admin/before/about").status == 308
    assert gateway.ask("PATCH", "/agents/admin/after", {"agent_name": "greeter"}).code == (
        "DuplicateAgentName"
    )
    assert gateway.ask("PATCH", "/agents/admin/after", {"owner": "x"}).status == 422


def test_an_archived_agent_is_out_of_use_and_keeps_its_name(gateway, sources):
    gateway.add("old", sources["greeter"])
    run = gateway.ask("POST", "/agents/admin/old/runs", {}).json["id"]
    gateway.wait(run)

    said = gateway.ask("DELETE", "/agents/admin/old")

    assert (said.status, said.json["stage"]) == (200, "archived")
    assert gateway.ask("GET", "/agents/admin/old").code == "IllegalMove"
    assert gateway.ask("GET", f"/runs/{run}").status == 200
    assert gateway.ask("GET", "/agents?name=old").json["items"] == []
    assert gateway.ask("POST", "/agents", {"agent_name": "old"}).code == "DuplicateAgentName"


def test_a_draft_is_saved_by_those_who_have_seen_it(gateway, sources):
    gateway.add("edited", sources["greeter"])
    path = "/agents/admin/edited/notebook"
    first = gateway.ask("GET", path)
    notebook = first.json
    notebook["cells"][-1]["source"] = "from workbench import agent\nagent.result('new')"
    tag = first.headers["Etag"]

    unseen = gateway.ask("PUT", path, notebook)
    saved = gateway.ask("PUT", path, notebook, headers={"If-Match": tag})
    stale = gateway.ask("PUT", path, notebook, headers={"If-Match": tag})

    assert first.headers["Content-Type"] == "application/x-ipynb+json"
    assert (unseen.status, unseen.code) == (428, "PreconditionRequired")
    assert saved.status == 200
    assert saved.headers["Etag"] == saved.json["etag"] != tag
    assert (stale.status, stale.code) == (412, "PreconditionFailed")
    assert stale.error["details"]["etag"] == saved.json["etag"]
    assert saved.json["draft_differs"] is True
    assert gateway.ask("GET", "/agents/admin/edited").json == {"hello": "world", "test": False}
    assert gateway.ask("GET", "/agents/admin/edited?version=draft&test=true").json == "new"


def test_who_has_the_notebook_is_not_sent_it_again(gateway):
    path = "/agents/admin/greeter/notebook"
    first = gateway.ask("GET", path)

    again = gateway.ask("GET", path, headers={"If-None-Match": first.headers["Etag"]})
    other = gateway.ask("GET", path, headers={"If-None-Match": '"other"'})

    assert (again.status, again.body) == (304, b"")
    assert other.body == first.body


def test_a_published_version_stays_as_it_was(gateway, sources):
    gateway.add("grown", sources["greeter"])
    path = "/agents/admin/grown"
    gateway.ask("PUT", f"{path}/notebook", _second(gateway, path), headers={"If-Match": "*"})

    made = gateway.ask("POST", f"{path}/versions", {"changelog": "Says less."})
    taken = gateway.ask("POST", f"{path}/versions", {"version": "1.0.0"})
    listed = gateway.ask("GET", f"{path}/versions").json

    assert made.status == 201
    assert made.headers["Location"] == f"{path}/versions/1.1.0"
    assert gateway.ask("GET", made.headers["Location"]).json["changelog"] == "Says less."
    assert (taken.status, taken.code) == (409, "VersionConflict")
    assert [version["version"] for version in listed["items"]] == ["1.1.0", "1.0.0"]
    assert gateway.ask("GET", path).json == 2
    assert gateway.ask("GET", f"{path}?version=1.0.0").json == {"hello": "world", "test": False}
    assert gateway.ask("GET", f"{path}/versions/9.9.9").status == 404
    assert gateway.ask("GET", f"{path}/versions/x").status == 400
    assert gateway.ask("POST", f"{path}/versions", {"version": "2"}).status == 400


def _second(gateway, path):
    notebook = gateway.ask("GET", f"{path}/notebook").json
    notebook["cells"][-1]["source"] = "from workbench import agent\nagent.result(2)"
    return notebook


def test_a_file_beside_the_draft_lies_in_the_folder_of_its_runs(gateway):
    source = (
        "from workbench import agent\nfrom pathlib import Path\n"
        "p = Path('data/one.txt')\nagent.result(p.read_text() if p.exists() else None)"
    )
    gateway.add("reader", source, publish=False)
    path = "/agents/admin/reader/files/data/one.txt"

    first = gateway.ask("PUT", path, b"one")
    again = gateway.ask("PUT", path.replace("data/one", "data%2Fone"), b"two")

    assert (first.status, first.json) == (201, {"path": "data/one.txt", "size": 3})
    assert again.status == 200
    assert gateway.ask("GET", "/agents/admin/reader?test=1").json == "two"


@pytest.mark.parametrize("path", ["..%2Fx", "%2Fetc%2Fpasswd", "a//b", ".hidden", "a%00b", "a%5Cb"])
def test_a_file_is_put_nowhere_else(gateway, path):
    said = gateway.ask("PUT", f"/agents/admin/greeter/files/{path}", b"x")

    assert (said.status, said.code) == (400, "InvalidRequest")


def test_an_agent_is_what_its_notebook_is(gateway, notebook):
    body = {"agent_name": "from-notebook", "notebook": notebook("1 + 1"), "publish": True}

    assert gateway.ask("POST", "/agents", body).status == 201
    body |= {"agent_name": "from-text", "notebook": json.dumps(notebook("1 + 1"))}
    assert gateway.ask("POST", "/agents", body).status == 201
    assert gateway.ask("GET", "/agents/admin/from-notebook").json is None
