"""Publishing answers at once if that is preferred, and says where to ask how it went."""

import time

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

PREFER = {"Prefer": "respond-async"}


def followed(gateway, location):
    while (said := gateway.ask("GET", location)).json["status"] == "pending":
        assert said.headers["Retry-After"] == "1"
        time.sleep(0.02)
    return said


def test_a_version_is_published_in_the_background(gateway, sources):
    gateway.add("later", sources["greeter"], publish=False)
    path = "/agents/admin/later"
    begun = gateway.ask("POST", f"{path}/versions", {"version": "2.0.0"}, headers=PREFER)
    done = followed(gateway, begun.headers["Location"])

    assert begun.status == 202
    assert begun.headers["Preference-Applied"] == "respond-async"
    assert begun.headers["Location"] == f"{path}/publications/{begun.json['id']}"
    assert set(begun.json) == set(done.json) == {"id", "status", "version", "error"}
    assert (done.json["status"], done.json["error"]) == ("published", None)
    assert done.json["version"] == gateway.ask("GET", f"{path}/versions/2.0.0").json


def test_what_does_not_pass_says_why_in_the_words_of_an_error(gateway, sources):
    gateway.add("broken-later", sources["breaker"], publish=False)
    path = "/agents/admin/broken-later"
    begun = gateway.ask("POST", f"{path}/versions", headers=PREFER)
    done = followed(gateway, begun.headers["Location"]).json

    assert (done["status"], done["version"]) == ("failed", None)
    assert done["error"]["code"] == "ChecksFailed"
    assert done["error"]["details"]["cases"][0]["run_id"]
    assert gateway.ask("GET", f"{path}/versions").json["items"] == []


def test_what_makes_no_sense_is_refused_at_once(gateway, sources, bob):
    gateway.add("never", sources["greeter"], publish=False)
    path = "/agents/admin/never/versions"

    for said, status in (
        (gateway.ask("POST", path, {"version": "one"}, headers=PREFER), 400),
        (gateway.ask("POST", path, token=bob, headers=PREFER), 404),
        (gateway.ask("GET", f"/agents/admin/never/publications/{'0' * 32}"), 404),
    ):
        assert said.status == status, said.body
