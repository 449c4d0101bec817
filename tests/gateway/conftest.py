"""A real gateway process, and somebody who speaks HTTP to it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

TOKEN = "correct-horse-battery-staple"

GREETER = """\
# %% tags=["parameters"]
name: str = "world"  # whom to greet
times: int = 1
# %%
from workbench import agent
print("greeting", name)
agent.log("info", "half way")
agent.result({"hello": " ".join([name] * times), "test": agent.test})
"""

SLEEPER = """\
# %% tags=["parameters"]
seconds: float = 30.0
# %%
import time
from workbench import agent
print("asleep")
deadline = time.monotonic() + seconds
while time.monotonic() < deadline:
    time.sleep(0.05)
agent.result("slept")
"""

BREAKER = """\
# %% tags=["parameters"]
how: str = "raise"
# %%
print("before")
# %%
if how == "raise":
    1 / 0
while how == "hang":
    pass
"""


@dataclass
class Said:
    """What the gateway answered."""

    status: int
    headers: object
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]

    @property
    def code(self):
        return self.error["code"]


class Gateway:
    """A gateway in a process of its own."""

    def __init__(self, home, *, env=None, token=TOKEN, options=(), module=("workbench", "serve")):
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.log = home.parent / f"{home.name}.log"
        environment = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(home.parent / "jupyter-config"),
            "JUPYTER_RUNTIME_DIR": str(home.parent / "jupyter-runtime"),
            "WORKBENCH_READY_KERNELS": "1",
            "WORKBENCH_RUNS_AT_ONCE": "2",
            **(env or {}),
        }
        environment.pop("WORKBENCH_TOKEN", None)
        if token:
            environment["WORKBENCH_TOKEN"] = token
        self.token = token
        self.lines = []
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *module, "--port", "0", "--home", str(home), *options],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith("gateway: "):
                break
        else:
            self.process.wait(10)
            raise RuntimeError(
                f"{self.process.returncode}: {self.log.read_text(errors='replace')[-3000:]}"
            )
        self.url = self.lines[-1].removeprefix("gateway: ")
        self.port = urlsplit(self.url).port

    def ask(self, method, path, body=None, *, token="", headers=None, timeout=60):
        said = dict(headers or {})
        chosen = self.token if token == "" else token
        if chosen:
            said.setdefault("Authorization", f"Bearer {chosen}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            said.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=said)
            answer = connection.getresponse()
            return Said(answer.status, answer.headers, answer.read())

    def raw(self, data, *, timeout=5, shut=False):
        """What comes back for those bytes, until the gateway hangs up or falls silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as plug:
            with contextlib.suppress(ConnectionError):
                plug.sendall(data)
                if shut:
                    plug.shutdown(socket.SHUT_WR)
            got = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                while piece := plug.recv(65536):
                    got += piece
            return got

    def add(self, name, source, *, publish=True, token="", **more):
        """A new agent, published without a trial if at all."""
        body = {"agent_name": name, "agent_config": source, **more}
        said = self.ask("POST", "/agents", body, token=token)
        assert said.status == 201, said.body
        if publish:
            path = f"/agents/{said.json['owner']}/{name}/versions?force=true"
            published = self.ask("POST", path, token=token)
            assert published.status == 201, published.body
        return said.json

    def wait(self, run_id, *, token=""):
        return self.ask("GET", f"/runs/{run_id}?wait=60", token=token, timeout=90).json

    def newcomer(self, user, role="author"):
        said = self.ask("POST", "/tokens", {"name": "theirs", "user": user, "role": role})
        assert said.status == 201, said.body
        return said.json["token"]

    def stop(self, number=signal.SIGTERM):
        """The exit code, and how long it took."""
        begun = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        return code, time.monotonic() - begun


@pytest.fixture
def start(tmp_path):
    """Starts gateways of one's own; stops those that are left."""
    started = []

    def begin(home="home", **more):
        gateway = Gateway(tmp_path / home, **more)
        started.append(gateway)
        return gateway

    yield begin
    for gateway in started:
        if gateway.process.returncode is None:
            gateway.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    """A gateway with a few agents, shared: leave no trace that others would trip over."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway") / "home")
    gateway.add("greeter", GREETER)
    gateway.add("sleeper", SLEEPER)
    gateway.add("breaker", BREAKER)
    yield gateway
    code, _ = gateway.stop()
    log = gateway.log.read_text(errors="replace")
    assert code == 0, log[-3000:]
    assert "Traceback" not in log, log[-3000:]


@pytest.fixture(scope="session")
def ada(gateway):
    """The token of an author."""
    return gateway.newcomer("ada")


@pytest.fixture(scope="session")
def bob(gateway):
    """The token of another author."""
    return gateway.newcomer("bob")


@pytest.fixture(scope="session")
def sources():
    """The agents the shared gateway has, as source."""
    return {"greeter": GREETER, "sleeper": SLEEPER, "breaker": BREAKER}
