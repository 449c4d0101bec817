"""Over HTTP a draft leaves its earlier states, an old name the way, and a purge nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.gateway


def as_notebook(text):
    cell = {
        "cell_type": "code",
        "id": "only",
        "metadata": {},
        "source": text,
        "outputs": [],
        "execution_count": None,
    }
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def source_of(said):
    return said.json["cells"][0]["source"]


def save(gateway, path, text):
    said = gateway.ask("PUT", f"{path}/notebook", as_notebook(text), headers={"If-Match": "*"})
    assert said.status == 200, said.body
    return said


def test_earlier_drafts_are_listed_read_and_brought_back(gateway):
    path = "/agents/admin/redrafted"
    gateway.add("redrafted", None, notebook=as_notebook("'one'"), publish=False)
    for text in ("'two'", "'two'", "'three'"):
        save(gateway, path, text)

    first = gateway.ask("GET", f"{path}/revisions?limit=1").json
    second = gateway.ask("GET", f"{path}/revisions?limit=1&cursor={first['next_cursor']}").json
    newest, oldest = first["items"][0], second["items"][0]
    read = gateway.ask("GET", f"{path}/revisions/{oldest['id']}/notebook")
    back = gateway.ask("POST", f"{path}/revisions/{oldest['id']}/restore")

    assert second["next_cursor"] is None
    assert (newest["saved_by"], newest["saved_at"] > oldest["saved_at"]) == ("admin", True)
    assert oldest["size"] == len(read.body)
    assert source_of(read) == "'one'"
    assert read.headers["ETag"] == oldest["etag"]
    assert (back.status, back.headers["ETag"]) == (200, oldest["etag"])
    assert source_of(gateway.ask("GET", f"{path}/notebook")) == "'one'"
    assert len(gateway.ask("GET", f"{path}/revisions").json["items"]) == 3


@pytest.mark.parametrize("wanted", ["0", "99", "x", "%2e%2e", "1%00", "9" * 50])
def test_what_is_no_revision_is_not_found(gateway, wanted):
    for method, end in (("GET", "notebook"), ("POST", "restore")):
        said = gateway.ask(method, f"/agents/admin/greeter/revisions/{wanted}/{end}")
        assert (said.status, said.code) == (404, "NotFound")


@pytest.mark.kernel
def test_an_old_name_leads_to_the_new_one_for_a_while(gateway, ada, bob):
    gateway.add("former", "def run():\n    return 'here'", token=ada, visibility="private")
    gateway.ask("PATCH", "/agents/ada/former", {"agent_name": "latter"}, token=ada)

    for method, rest, body in (
        ("GET", "", None),
        ("GET", "/about", None),
        ("GET", "/notebook?version=1.0.0", None),
        ("POST", "", {}),
        ("POST", "/runs", {}),
        ("GET", "/versions/1.0.0", None),
    ):
        said = gateway.ask(method, f"/agents/ada/former{rest}", body, token=ada)
        assert (said.status, said.headers["Location"]) == (308, f"/agents/ada/latter{rest}")
        followed = gateway.ask(method, said.headers["Location"], body, token=ada)
        assert followed.status in (200, 202)
        unseen = gateway.ask(method, f"/agents/ada/former{rest}", body, token=bob)
        assert (unseen.status, unseen.code) == (404, "AgentNotFound")

    gateway.add("former", "1", token=ada, publish=False)
    assert gateway.ask("GET", "/agents/ada/former/about", token=ada).status == 200
    for run in gateway.ask("GET", "/agents/ada/latter/runs", token=ada).json["items"]:
        gateway.wait(run["id"], token=ada)
    for name in ("former", "latter"):
        assert gateway.ask("DELETE", f"/agents/ada/{name}?purge=true", token=ada).status == 204


@pytest.mark.kernel
def test_a_purged_agent_is_gone_with_its_runs(gateway):
    path = "/agents/admin/purged"
    gateway.add("purged", "def run():\n    return 1")
    run_id = gateway.ask("GET", path).headers["X-Run-Id"]
    gateway.ask("PATCH", path, {"agent_name": "purged-too"})
    path += "-too"

    said = gateway.ask("DELETE", f"{path}?purge=true")

    assert (said.status, said.body) == (204, b"")
    for gone in (f"{path}/about", "/agents/admin/purged/about", f"/runs/{run_id}"):
        assert gateway.ask("GET", gone).status == 404
    assert gateway.ask("DELETE", f"{path}?purge=true").status == 404
    gateway.add("purged", "1", publish=False)


@pytest.mark.kernel
def test_a_busy_agent_is_not_purged(gateway, sources):
    gateway.add("occupied", sources["sleeper"])
    run = gateway.ask("POST", "/agents/admin/occupied/runs", {}).json
    busy = gateway.ask("DELETE", "/agents/admin/occupied?purge=true")
    gateway.ask("POST", f"/runs/{run['id']}/cancel")
    gateway.wait(run["id"])

    assert (busy.status, busy.code) == (409, "IllegalMove")
    assert gateway.ask("GET", "/agents/admin/occupied/about").status == 200
    assert gateway.ask("DELETE", "/agents/admin/occupied?purge=1").status == 204


@pytest.mark.parametrize("text", ["purge=maybe", "purge=", "purge=true&purge=true", "force=true"])
def test_a_purge_is_asked_for_plainly(gateway, text):
    assert gateway.ask("DELETE", f"/agents/admin/greeter?{text}").status == 400
    assert gateway.ask("GET", "/agents/admin/greeter/about").json["archived_at"] is None


def test_cells_are_searched_as_far_as_one_may_look(gateway, ada, bob):
    def found(text, token):
        items = gateway.ask("GET", f"/agents?q={text}", token=token).json["items"]
        return [agent["agent_name"] for agent in items]

    gateway.add("seeker", "x = 'Xylophone'", token=ada, visibility="public")
    said = gateway.ask(
        "PUT",
        "/agents/ada/seeker/notebook",
        as_notebook("y = 'Zeppelin'"),
        headers={"If-Match": "*"},
        token=ada,
    )
    assert said.status == 200

    assert found("xylophone", bob) == found("XYLOPHONE", ada) == ["seeker"]
    assert found("zeppelin", ada) == ["seeker"]
    assert found("zeppelin", bob) == []
    assert gateway.ask("DELETE", "/agents/ada/seeker?purge=true", token=ada).status == 204


def test_of_many_who_purge_one_agent_one_does(gateway):
    gateway.add("contested", "1", publish=False)
    with ThreadPoolExecutor(8) as crowd:
        answers = list(
            crowd.map(
                lambda _: gateway.ask("DELETE", "/agents/admin/contested?purge=true").status,
                range(8),
            )
        )

    assert sorted(answers) == [204] + [404] * 7
