"""A real JupyterHub: its users are authors here, by the JupyterLab that it starts for them.

It runs where JupyterHub and its proxy are installed (see CONTRIBUTING.md), and skips elsewhere.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.gateway.conftest import Gateway
from tests.panels.conftest import ROOT

pytest.importorskip("jupyterhub", reason="pip install jupyterhub")
PROXY = shutil.which("configurable-http-proxy")

pytestmark = [
    pytest.mark.gateway,
    pytest.mark.timeout(300),
    pytest.mark.skipif(PROXY is None, reason="npm install --global configurable-http-proxy"),
]

WARDEN = "0" * 63 + "1"
USE = "access:services!service=workbench"
CONFIG = """\
load_subconfig({sample!r})
c.JupyterHub.bind_url = "http://127.0.0.1:{front}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.allow_named_servers = False
c.Authenticator.allowed_users = {{"grace", "linus"}}
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.environment["PYTHONPATH"] = {root!r}
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args += ["--allow-root"]
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
c.JupyterHub.services += [{{"name": "warden", "api_token": "{warden}"}}]
c.JupyterHub.load_roles += [{{"name": "warden", "services": ["warden"],
    "scopes": ["admin:users", "admin:servers", "tokens", "access:servers", "{use}"]}}]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class House:
    """A Hub with its proxy, and a gateway that believes it."""

    def __init__(self, folder):
        front, hub, proxy = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{front}"
        self.gateway = Gateway(
            folder / "home", env={"WORKBENCH_HUB_URL": f"http://127.0.0.1:{hub}/hub/api"}
        )
        place = folder / "hub"
        place.mkdir()
        config = place / "config.py"
        sample = str(ROOT / "server_config" / "jupyterhub_config.py")
        told = {"front": front, "hub": hub, "proxy": proxy, "sample": sample, "warden": WARDEN}
        told |= {"homes": str(folder), "root": str(ROOT), "python": sys.executable, "use": USE}
        config.write_text(CONFIG.format(**told))
        self.log = place / "hub.log"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "--config", str(config)],
                cwd=place,
                env={**kept, "WORKBENCH_URL": self.gateway.url},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.await_(lambda: self.ask("GET", "/hub/api/")[0] == 200)

    def await_(self, holds, seconds=150):
        ends = time.monotonic() + seconds
        while not holds():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.1)

    def ask(self, method, path, body=None, *, token=WARDEN):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, None
        except (urllib.error.URLError, ConnectionError):
            return 0, None

    def token(self, user, *scopes):
        return self.ask("POST", f"/hub/api/users/{user}/tokens", {"scopes": list(scopes)})[1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.gateway.stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("hub"))
    for user in ("grace", "linus"):
        assert house.ask("POST", f"/hub/api/users/{user}")[0] in (201, 409)
    yield house
    house.stop()


def test_a_token_of_the_hub_lets_its_user_in_if_the_hub_says_so(house):
    made = house.token("grace", USE)
    assert house.gateway.ask("GET", "/me", token=made["token"]).json == {
        "user": "grace",
        "role": "author",
    }
    # One for other things is none for this.
    other = house.token("linus", "read:users:name!user=linus")
    assert house.gateway.ask("GET", "/me", token=other["token"]).status == 401
    assert house.gateway.ask("GET", "/me", token=WARDEN).status == 401

    # One that was taken back before it was ever shown is good for nothing.
    gone = house.token("linus", USE)
    assert house.ask("DELETE", f"/hub/api/users/linus/tokens/{gone['id']}")[0] == 204
    assert house.gateway.ask("GET", "/me", token=gone["token"]).status == 401


def test_the_jupyterlab_that_the_hub_starts_has_its_users_agents(house):
    assert house.ask("POST", "/hub/api/users/grace/server")[0] in (201, 202)
    house.await_(
        lambda: house.ask("GET", "/hub/api/users/grace")[1]["servers"].get("", {}).get("ready")
    )
    assert house.ask("GET", "/user/grace/api/me")[0] == 200
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "outputs": []}
    notebook = {"cells": [cell | {"execution_count": None}], "metadata": {}, "nbformat": 4}
    body = {"type": "notebook", "format": "json", "content": notebook | {"nbformat_minor": 5}}

    status, _ = house.ask("PUT", "/user/grace/api/contents/agents/grace/hers.ipynb", body)

    assert status == 201
    seen = house.gateway.ask("GET", "/agents/grace/hers/about")
    assert (seen.status, seen.json["owner"]) == (200, "grace")
    listed = house.ask("GET", "/user/grace/api/contents/agents/grace")[1]["content"]
    assert [one["name"] for one in listed if one["type"] == "notebook"] == ["hers.ipynb"]
    # What is hers is nobody else's, and her JupyterLab is hers alone.
    linus = house.token("linus", USE, "access:servers!user=linus")["token"]
    assert house.gateway.ask("GET", "/agents/grace/hers/about", token=linus).status == 404
    assert house.ask("GET", "/user/grace/api/contents/agents", token=linus)[0] == 403
