"""JupyterHub's users are known by the tokens that the Hub gave them, for what the Hub lets them do."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.gateway.conftest import Gateway
from workbench import Workbench
from workbench.client.finding import access
from workbench.errors import Unauthenticated

pytestmark = pytest.mark.gateway

HERE = ["access:services!service=workbench", "read:users:name!user"]
KNOWN = {
    "hub-token-of-grace": {"kind": "user", "name": "grace", "admin": False, "scopes": HERE},
    "hub-token-of-linus": {"kind": "user", "name": "linus", "admin": True, "scopes": HERE},
    "hub-token-of-admin": {"kind": "user", "name": "admin", "admin": False, "scopes": HERE},
    "hub-token-of-others": {"kind": "user", "name": "eve", "admin": False, "scopes": ["self"]},
    "hub-token-of-odd-one": {"kind": "user", "name": "é@x", "admin": False, "scopes": HERE},
    "hub-token-of-service": {"kind": "service", "name": "culler", "scopes": HERE},
}


class FakeHub(BaseHTTPRequestHandler):
    """Answers `/hub/api/user` as JupyterHub does."""

    def do_GET(self):
        self.server.asked.append(self.path)
        token = self.headers.get("Authorization", "").removeprefix("token ")
        found = KNOWN.get(token) if self.path == "/hub/api/user" else None
        body = json.dumps(found or {"status": 403, "message": "Forbidden"}).encode()
        self.send_response(200 if found else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module")
def hub():
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeHub) as server:
        server.asked = []
        server.url = f"http://127.0.0.1:{server.server_port}/hub/api/"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def known(hub, tmp_path_factory):
    """A gateway that believes the Hub."""
    gateway = Gateway(tmp_path_factory.mktemp("hub") / "home", env={"WORKBENCH_HUB_URL": hub.url})
    yield gateway
    gateway.stop()


def test_a_user_of_the_hub_is_an_author_of_that_name(known, hub):
    assert known.ask("GET", "/me", token="hub-token-of-grace").json == {
        "user": "grace",
        "role": "author",
    }
    # Asked once, it is believed for a while.
    asked = len(hub.asked)
    known.ask("GET", "/me", token="hub-token-of-grace")
    assert len(hub.asked) == asked

    made = known.ask(
        "POST",
        "/agents",
        {"agent_name": "hers", "agent_config": "1"},
        token="hub-token-of-grace",
    )
    assert made.json["owner"] == "grace"
    assert known.ask("GET", "/agents/grace/hers/about", token="hub-token-of-linus").status == 404


@pytest.mark.parametrize("whose", ["others", "odd-one", "service", "nobody", "admin"])
def test_nobody_else_is_let_in(known, whose):
    said = known.ask("GET", "/me", token=f"hub-token-of-{whose}")

    assert said.status == 401
    assert said.code == "Unauthenticated"


def test_tokens_of_our_own_are_no_business_of_the_hubs(known, hub):
    asked = len(hub.asked)

    assert known.ask("GET", "/me").json["user"] == "admin"
    assert len(hub.asked) == asked


def test_a_hub_that_is_away_is_no_refusal(tmp_path):
    gateway = Gateway(tmp_path / "home", env={"WORKBENCH_HUB_URL": "http://127.0.0.1:9/hub/api"})
    try:
        assert gateway.ask("GET", "/me", token="hub-token-of-grace").status == 503
        assert gateway.ask("GET", "/me").status == 200
    finally:
        gateway.stop()


def test_what_the_hub_starts_finds_the_gateway_by_its_own_token(known):
    given = {"WORKBENCH_URL": known.url, "JUPYTERHUB_API_TOKEN": "hub-token-of-grace"}

    found = access(None, None, environment=given)
    with Workbench(found.url, found.token) as wb:
        assert [agent.about["owner"] for agent in wb.agents.list()] in ([], ["grace"])
    # Nobody but who is named gets it.
    with pytest.raises(Unauthenticated):
        access(None, None, environment={"WORKBENCH_URL": known.url, "WORKBENCH_HOME": "/nowhere"})
