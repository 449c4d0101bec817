"""Who can reach the gateway: by TLS that is new enough, and from pages that are meant to."""

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
import sys

import pytest

from workbench import AsyncWorkbench, Workbench
from workbench.errors import InvalidRequest, Unavailable
from workbench.gateway.tls import shown, tls_of
from workbench.settings import read

pytestmark = pytest.mark.gateway

HERE = ("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A folder with an authority and two certificates of it, and one of nobody's."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl here to make certificates")
    folder = tmp_path_factory.mktemp("papers")
    signed = "-CA ca.pem -CAkey ca.key -CAcreateserial"
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    steps = [f"req -x509 {key} -subj /CN=authority -keyout ca.key -out ca.pem",
             f"req -x509 {key} -subj /CN=stranger -keyout stranger.key -out stranger.pem"]  # fmt: skip
    for name in ("server", "caller"):
        steps += [
            f"req {key} -subj /CN=localhost -keyout {name}.key -out {name}.csr",
            f"x509 -req -in {name}.csr {signed} -days 2 -extfile names -out {name}.pem",
        ]
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    for step in steps:
        subprocess.run(["openssl", *step.split()], cwd=folder, check=True, capture_output=True)
    return folder


def env_of(papers, **more):
    files = {"certfile": papers / "server.pem", "keyfile": papers / "server.key", **more}
    return {f"WORKBENCH_{name.upper()}": str(path) for name, path in files.items()}


def shake(gateway, papers, *, version=None, own=None):
    """The version that is spoken, and what `/healthz` answers."""
    context = ssl.create_default_context(cafile=papers / "ca.pem")
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if own:
        context.load_cert_chain(papers / f"{own}.pem", papers / f"{own}.key")
    plain = socket.create_connection((HERE[0], gateway.port), timeout=10)
    with context.wrap_socket(plain, server_hostname=HERE[1]) as plug:
        plug.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        spoken, said = plug.version(), b""
        while piece := plug.recv(65536):
            said += piece
        return spoken, int(said.split()[1])


def test_tls_is_new_enough(start, papers):
    gateway = start(env=env_of(papers))

    assert gateway.url.startswith("https://")
    assert shake(gateway, papers) == ("TLSv1.3", 200)
    assert shake(gateway, papers, version=ssl.TLSVersion.TLSv1_2) == ("TLSv1.2", 200)
    assert not gateway.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_what_is_older_is_refused(start, papers):
    context = tls_of(read(env_of(papers), home=papers))

    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_callers_show_a_certificate_where_that_is_asked_for(start, papers):
    gateway = start(env=env_of(papers, client_ca=papers / "ca.pem"))

    assert shake(gateway, papers, own="caller") == ("TLSv1.3", 200)
    for own in (None, "stranger"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake(gateway, papers, own=own)


def test_programs_and_commands_show_a_certificate_of_their_own(start, papers, monkeypatch):
    gateway = start(env=env_of(papers, client_ca=papers / "ca.pem"))
    own = papers / "caller-and-key.pem"
    own.write_text((papers / "caller.pem").read_text() + (papers / "caller.key").read_text())
    command = [sys.executable, "-m", "workbench", "agents", "list", "--home", str(gateway.home)]
    monkeypatch.setenv("WORKBENCH_CA", str(papers / "ca.pem"))

    def agents():
        with Workbench(gateway.url, gateway.token) as wb:
            return [agent.name for agent in wb.agents.list()]

    with pytest.raises(Unavailable):
        agents()
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0
    monkeypatch.setenv("WORKBENCH_CERT", str(own))
    assert agents() == []
    subprocess.run(command, capture_output=True, check=True)
    monkeypatch.setenv("WORKBENCH_CERT", str(papers / "caller.pem"))
    with pytest.raises(InvalidRequest, match="WORKBENCH_CERT"):
        agents()
    refused = subprocess.run(command, check=False, capture_output=True, text=True)
    assert refused.returncode == 2 and "WORKBENCH_CERT" in refused.stderr


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        ({"certfile": "nothing.pem"}, "certfile"),
        ({"keyfile": "nothing.key"}, "certfile"),
        ({"keyfile": "stranger.key"}, "certfile"),
        ({"certfile": "names"}, "certfile"),
        ({"client_ca": "names"}, "client_ca"),
        ({"certfile": ""}, "keyfile"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_named(papers, wrong, setting):
    files = {name: papers / file if file else "" for name, file in wrong.items()}

    with pytest.raises(InvalidRequest) as refused:
        tls_of(read(env_of(papers, **files), home=papers))

    assert refused.value.details == {"setting": setting}
    assert "Traceback" not in str(refused.value)


def test_without_a_certificate_there_is_no_tls(tmp_path):
    assert tls_of(read({}, home=tmp_path)) is None


def test_another_origin_is_told_even_why_not(start):
    gateway = start(env={"WORKBENCH_ALLOW_ORIGIN": "https://pages.example,http://localhost:8866"})
    origin = {"Origin": "https://pages.example"}

    preflight = gateway.ask("OPTIONS", "/agents", token=None, headers=origin)
    said = [
        gateway.ask("GET", path, token=token, headers=origin)
        for path in ("/agents", "/nowhere", "/api/kernels")
        for token in ("", None)
    ]

    assert preflight.status == 204
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    for one in said:
        assert one.headers.get_all("Access-Control-Allow-Origin") == ["https://pages.example"]
        assert one.headers["Vary"] == "Origin"
    for other in ("https://elsewhere.example", "https://pages.example.elsewhere", "null"):
        refused = gateway.ask("GET", "/agents", headers={"Origin": other})
        assert refused.status == 200 and "Access-Control-Allow-Origin" not in refused.headers
        assert gateway.ask("OPTIONS", "/agents", headers={"Origin": other}).status == 405


def test_every_origin_may_ask_where_that_is_said(start):
    gateway = start(env={"WORKBENCH_ALLOW_ORIGIN": "*"})
    said = gateway.ask("GET", "/agents", headers={"Origin": "https://anywhere.example"})

    assert said.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in said.headers


@pytest.mark.parametrize(
    "origins",
    ["pages.example", "https://pages.example/", "https://*.example", "https://a,b", "ftp://a"],
)
def test_what_is_no_origin_is_refused(tmp_path, origins):
    with pytest.raises(InvalidRequest, match="allow_origin"):
        read({"WORKBENCH_ALLOW_ORIGIN": origins}, home=tmp_path)


@pytest.mark.parametrize(
    "origins", ["*", "https://pages.example", "http://localhost:8866, http://[::1]:8866"]
)
def test_what_is_an_origin_is_taken(tmp_path, origins):
    settings = read({"WORKBENCH_ALLOW_ORIGIN": origins}, home=tmp_path)

    assert settings.allow_origin == tuple(part.strip() for part in origins.split(","))


def test_programs_and_commands_speak_tls_with_those_they_believe(start, papers, monkeypatch):
    gateway = start(env=env_of(papers))
    home = str(gateway.home)
    monkeypatch.delenv("WORKBENCH_CA", raising=False)

    def agents(**more):
        with Workbench(gateway.url, gateway.token, **more) as wb:
            return [agent.name for agent in wb.agents.list()]

    async def awaited(**more):
        async with AsyncWorkbench(gateway.url, gateway.token, **more) as wb:
            return [agent.name async for agent in wb.agents.list()]

    ca = str(papers / "ca.pem")
    assert agents(ca=ca) == asyncio.run(awaited(ca=ca)) == []
    for stranger in ({}, {"ca": str(papers / "stranger.pem")}):
        with pytest.raises(Unavailable):
            agents(**stranger)
        with pytest.raises(Unavailable):
            asyncio.run(awaited(**stranger))
    with pytest.raises(InvalidRequest):
        agents(ca=str(papers / "names"))
    monkeypatch.setenv("WORKBENCH_CA", ca)
    assert agents() == []
    monkeypatch.delenv("WORKBENCH_CA")

    # On the same machine the home itself says whose certificate it is.
    command = [sys.executable, "-m", "workbench", "token", "list", "--home", home, "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout)["items"]
    lock = (gateway.home / "owner.lock").read_text()
    assert "BEGIN CERTIFICATE" in lock and "PRIVATE KEY" not in lock


def test_a_key_in_the_same_file_is_told_to_nobody(papers, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text((papers / "server.key").read_text() + (papers / "server.pem").read_text())
    settings = read(env_of(papers, certfile=both), home=tmp_path)

    assert shown(settings).strip() == (papers / "server.pem").read_text().strip()
