"""A browser gets in with a ticket where it must, once, and nowhere else with anything."""

import pytest

from workbench.gateway.routes import ROUTES, opens

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


@pytest.fixture(scope="module")
def run(gateway):
    said = gateway.ask("POST", "/agents/admin/greeter/runs", {"parameters": {"name": "Ada"}})
    return gateway.wait(said.json["id"])["id"]


def ticket(gateway, path, token=""):
    said = gateway.ask("POST", "/tickets", {"path": path}, token=token)
    assert said.status == 201, said.body
    return said.json


@pytest.mark.parametrize("what", ["events", "logs", "notebook"])
def test_a_ticket_opens_what_it_was_made_for_once(gateway, run, what):
    made = ticket(gateway, f"/runs/{run}/{what}")

    first = gateway.ask("GET", made["url"], token=None)
    second = gateway.ask("GET", made["url"], token=None)

    assert made["url"] == f"/runs/{run}/{what}?ticket={made['ticket']}"
    assert made["expires_at"].endswith("Z")
    assert first.status == 200
    assert (second.status, second.code) == (401, "Unauthenticated")


def test_the_query_is_part_of_what_a_ticket_opens(gateway):
    path = "/agents/admin/greeter/notebook"
    asked = f"{path}?version=draft"

    assert gateway.ask("GET", ticket(gateway, asked)["url"], token=None).status == 200
    other = ticket(gateway, asked)["ticket"]
    assert gateway.ask("GET", f"{path}?ticket={other}", token=None).status == 401
    other = ticket(gateway, path)["ticket"]
    assert gateway.ask("GET", f"{asked}&ticket={other}", token=None).status == 401


def test_a_ticket_shows_what_its_owner_may_see(gateway, run, bob):
    made = ticket(gateway, f"/runs/{run}/events", token=bob)

    assert gateway.ask("GET", made["url"], token=None).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/agents",
        "/agents/admin/greeter",
        "/agents/admin/greeter/about",
        "/runs",
        "/runs/x",
        "/runs/x/cancel",
        "/tokens",
        "/api/kernels",
        "https://elsewhere.example/runs/x/events",
        "/runs/x/events?ticket=y",
        "/runs/x/events#part",
    ],
)
def test_there_is_no_ticket_for_anything_else(gateway, path):
    said = gateway.ask("POST", "/tickets", {"path": path})

    assert (said.status, said.code) == (400, "InvalidRequest")


def test_a_ticket_beside_a_header_is_an_option_nobody_knows(gateway, run):
    made = ticket(gateway, f"/runs/{run}/logs")

    assert gateway.ask("GET", made["url"]).status == 400
    assert gateway.ask("GET", made["url"], token="wrong").status == 401
    assert gateway.ask("GET", made["url"] + "&ticket=x", token=None).status == 401


def test_a_ticket_is_in_no_log(gateway, run):
    made = ticket(gateway, f"/runs/{run}/files/nothing")
    assert gateway.ask("GET", made["url"], token=None).status == 404

    assert made["ticket"] not in gateway.log.read_text(errors="replace")


def test_only_what_is_read_is_opened_by_a_ticket():
    ticketed = {route.path for route in ROUTES if route.ticket}

    assert {route.method for route in ROUTES if route.ticket} == {"GET"}
    assert "/runs/{run}/events" in ticketed and "/agents/{owner}/{name}" not in ticketed
    assert not opens("/agents/admin/greeter") and not opens("/nowhere")
