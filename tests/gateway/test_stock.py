"""Kernel Gateway's own routes are the administrator's, and what is wrong with them upstream is
right here."""

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.gateway.kernel_gateway import STOCK_ROUTES

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

KERNEL = "00000000-0000-0000-0000-000000000000"
STOCK = [
    ("GET", "/api"),
    ("GET", "/api/kernels"),
    ("POST", "/api/kernels"),
    ("GET", f"/api/kernels/{KERNEL}"),
    ("DELETE", f"/api/kernels/{KERNEL}"),
    ("POST", f"/api/kernels/{KERNEL}/interrupt"),
    ("POST", f"/api/kernels/{KERNEL}/restart"),
    ("GET", f"/api/kernels/{KERNEL}/channels"),
    ("GET", "/api/kernelspecs"),
    ("GET", "/api/kernelspecs/python3"),
    ("GET", "/kernelspecs/python3/logo-64x64.png"),
]


def kernel_environment(kernel_id):
    """What the process of that kernel was started with."""
    for process in Path("/proc").iterdir():
        try:
            if kernel_id.encode() in (process / "cmdline").read_bytes():
                pairs = (process / "environ").read_bytes().decode().split("\0")
                return dict(pair.split("=", 1) for pair in pairs if pair)
        except (OSError, ValueError):
            continue
    raise LookupError(kernel_id)


@pytest.fixture
def roomy(start):
    """A gateway whose own environment is full of secrets."""
    return start(
        env={
            "OPENAI_API_KEY": "sk-server-secret",
            "WORKBENCH_DRAIN_SECONDS": "5",
            "KG_MAX_KERNELS": "4",
            "KG_ENV_PROCESS_WHITELIST": "OPENAI_API_KEY,HARMLESS",
            "HARMLESS": "yes",
        }
    )


def test_every_stock_route_is_tried_here():
    assert len({pattern for pattern, _ in STOCK_ROUTES}) == 8


@pytest.mark.parametrize(("method", "path"), STOCK)
def test_stock_routes_are_the_administrators(gateway, ada, method, path):
    body = b"{}" if method == "POST" else None
    nobody = gateway.ask(method, path, body, token=None)
    stranger = gateway.ask(method, path, body, token="x" * 30)
    in_the_address = gateway.ask(method, f"{path}?token={gateway.token}", body, token=None)
    author = gateway.ask(method, path, body, token=ada)

    for said in (nobody, stranger, in_the_address):
        assert (said.status, said.code) == (401, "Unauthenticated")
        assert said.headers["WWW-Authenticate"] == "Bearer"
    assert (author.status, author.code) == (403, "InsufficientPermissions")
    assert gateway.ask("GET", "/api/kernels").json == []


def test_bearer_is_understood(gateway):
    assert gateway.ask("GET", "/api/kernelspecs").status == 200


def test_a_kernels_channels_open_for_the_administrator_only(gateway, ada):
    def reach(header):
        asking = (
            f"GET /api/kernels/{kernel['id']}/channels HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n"
        )
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as plug:
            plug.sendall(asking.encode())
            return int(plug.recv(4096).split(b" ", 2)[1])

    kernel = gateway.ask("POST", "/api/kernels", {"name": "python3"}).json
    try:
        opened = reach(f"Authorization: Bearer {gateway.token}\r\n")
        refused = reach(f"Authorization: Bearer {ada}\r\n")
        unknown = reach("")
    finally:
        gateway.ask("DELETE", f"/api/kernels/{kernel['id']}")

    assert (opened, refused, unknown) == (101, 403, 401)
    assert "jinja2_env" not in gateway.log.read_text(errors="replace")


def test_a_kernel_finds_neither_our_secrets_nor_another_kernels(roomy):
    wishes = [{"KERNEL_SECRET": letter} for letter in "ABC"]
    with ThreadPoolExecutor(3) as crowd:
        made = list(crowd.map(lambda env: roomy.ask("POST", "/api/kernels", {"env": env}), wishes))
    last = roomy.ask("POST", "/api/kernels")

    for said, wish in zip([*made, last], [*wishes, {}], strict=True):
        assert said.status == 201, said.body
        found = kernel_environment(said.json["id"])
        assert {k: v for k, v in found.items() if k.startswith("KERNEL_S")} == wish
        assert found["HOME"] == os.environ["HOME"]
        assert found["HARMLESS"] == "yes"
        assert not {name for name in found if name.endswith("_KEY")}
        assert not {name for name in found if name.startswith("WORKBENCH_")}
        assert roomy.token not in found.values()


def test_an_agent_finds_none_of_our_secrets(roomy):
    roomy.add("nosy", "import os\nfrom workbench import agent\nagent.result(dict(os.environ))")

    found = roomy.ask("GET", "/agents/admin/nosy").json

    assert "PATH" in found
    assert "WORKBENCH_TOKEN" not in found
    # A token of the run's own, good for nothing but models and dead by now.
    assert found["OPENAI_API_KEY"].startswith("wbr_")
    assert not {roomy.token, "sk-server-secret"} & set(found.values())
    assert roomy.ask("GET", "/v1/models", token=found["OPENAI_API_KEY"]).status == 401


def test_of_six_kernels_at_once_no_more_start_than_may(roomy):
    with ThreadPoolExecutor(6) as crowd:
        said = list(crowd.map(lambda _: roomy.ask("POST", "/api/kernels"), range(6)))

    assert sorted(one.status for one in said) == [201] * 4 + [429] * 2
    assert {one.code for one in said if one.status == 429} == {"ResourceExhausted"}
    assert len(roomy.ask("GET", "/api/kernels").json) == 4
    assert roomy.ask("POST", "/api/sessions", {}).status == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "no-such-kernel"}, 404, "NotFound"),
        ({"name": 7}, 400, "InvalidRequest"),
        ({"env": []}, 400, "InvalidRequest"),
        ({"env": {"KERNEL_X": 1}}, 400, "InvalidRequest"),
        (b"{", 400, "InvalidRequest"),
        (b"[]", 400, "InvalidRequest"),
    ],
)
def test_a_kernel_that_makes_no_sense_is_not_started(gateway, body, status, code):
    said = gateway.ask("POST", "/api/kernels", body)

    assert (said.status, said.code) == (status, code)
    assert gateway.ask("GET", "/api/kernels").json == []


@pytest.mark.parametrize(
    ("method", "tail"), [("GET", ""), ("DELETE", ""), ("POST", "/interrupt"), ("POST", "/restart")]
)
def test_a_kernel_that_is_not_there_is_404(gateway, method, tail):
    said = gateway.ask(method, f"/api/kernels/{KERNEL}{tail}")

    assert (said.status, said.code) == (404, "NotFound")


def test_prespawning_is_refused_and_so_cannot_hang_the_end(start):
    gateway = start(env={"KG_PRESPAWN_COUNT": "2", "KG_DEFAULT_KERNEL_NAME": "no-such-kernel"})

    assert gateway.ask("GET", "/api/kernels").json == []
    code, seconds = gateway.stop()

    assert code == 0
    assert seconds < 10


def test_a_gateway_with_kernels_ends_them_when_it_ends(start):
    gateway = start()
    kernel = gateway.ask("POST", "/api/kernels").json["id"]

    code, _ = gateway.stop()

    assert code == 0
    with pytest.raises(LookupError):
        kernel_environment(kernel)


def test_jupyters_own_settings_do_not_outrank_ours(start):
    gateway = start(
        env={"KG_PORT": "1", "KG_IP": "0.0.0.0", "KG_AUTH_TOKEN": "x", "KG_BASE_URL": "/x"}
    )

    assert gateway.url.startswith("http://127.0.0.1:")
    assert gateway.ask("GET", "/api/kernels").json == []


def test_the_gateway_is_imported_quickly():
    line = subprocess.run(
        [
            sys.executable,
            "-c",
            "import workbench.gateway.server, sys; print('lark' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert line.stdout.strip() == "False"
