"""A run reaches the hosts it names, at addresses of the internet, and nothing else."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from contextlib import asynccontextmanager, suppress

import pytest

from tests.kernels.conftest import executor_at
from workbench.domain.limits import Limits
from workbench.domain.network import Network, Reach, read_hosts
from workbench.domain.runs import Reason, RunStatus
from workbench.kernels import Task
from workbench.kernels.egress import Egress
from workbench.notebook.document import dump, load

pytestmark = pytest.mark.kernel

ADDRESSES = {
    "api.test": ["127.0.0.1"],
    "metadata.test": ["169.254.169.254"],
    "inner.test": ["10.0.0.7"],
    "mixed.test": ["93.184.216.34", "127.0.0.1"],
    "six.test": ["::1"],
}


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = {"path": self.path, "headers": dict(self.headers), "body": body.decode()}
        answer = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, *said):
        """Say nothing."""


@pytest.fixture(scope="module")
def server():
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield serving.server_port
    serving.shutdown()
    thread.join()
    serving.server_close()


async def found(host, port):
    if host not in ADDRESSES:
        raise OSError("no such host")
    return ADDRESSES[host]


@asynccontextmanager
async def door(*hosts, private=()):
    egress = Egress(private=read_hosts(private), resolve=found)
    async with egress.door(read_hosts(hosts)) as opened:
        yield opened
    assert not opened.path.parent.exists()
    egress.close()


async def said(opened, request, more=b""):
    reader, writer = await asyncio.open_unix_connection(opened.path)
    writer.write(request)
    if more:
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(more)
    else:
        first = b""
    answer = first + await asyncio.wait_for(reader.read(), 20)
    await closed(writer)
    return answer


async def closed(writer):
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def asked(hosts, request, *, private=(), more=b""):
    async def main():
        async with door(*hosts, private=private) as opened:
            return await said(opened, request, more)

    return asyncio.run(main())


def test_a_tunnel_leads_to_a_named_host(server):
    name = f"api.test:{server}"
    answer = asked(
        [name],
        f"CONNECT {name} HTTP/1.1\r\n\r\n".encode(),
        private=[name],
        more=b"GET /x HTTP/1.0\r\n\r\n",
    )

    established, _, rest = answer.partition(b"\r\n\r\n")
    assert established.startswith(b"HTTP/1.1 200")
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["path"] == "/x"


def test_a_plain_request_is_passed_on_to_the_host_that_it_names(server):
    name = f"api.test:{server}"
    request = (
        f"POST http://{name}/x?y=1 HTTP/1.1\r\nHost: elsewhere.test\r\n"
        "Proxy-Authorization: secret\r\nContent-Length: 4\r\nX-Kept: yes\r\n\r\nbody"
    )

    answer = asked([name], request.encode(), private=[name])

    echoed = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (echoed["path"], echoed["body"]) == ("/x?y=1", "body")
    assert echoed["headers"] == {
        "Host": name,
        "Content-Length": "4",
        "X-Kept": "yes",
        "Connection": "close",
    }


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("evil.test:443", "403 evil.test:443 is not among the hosts"),
        ("api.test:22", "403 api.test:22 is not among the hosts"),
        ("127.0.0.1:443", "403 127.0.0.1:443 is not among the hosts"),
        ("api.test:443", "403 api.test has an address that is not the internet's"),
        ("metadata.test:80", "403 metadata.test has an address"),
        ("inner.test:80", "403 inner.test has an address"),
        ("mixed.test:80", "403 mixed.test has an address"),
        ("six.test:80", "403 six.test has an address"),
        ("gone.test:80", "502 There is no host gone.test"),
        ("api.test", "400 CONNECT names a host and a port"),
        ("api.test:99999", "403 api.test:99999 is not among the hosts"),
        ("[::1]:443", "400 CONNECT names"),
    ],
)
def test_what_may_not_be_reached_is_refused_in_words(target, line):
    names = ["api.test", "metadata.test", "inner.test", "mixed.test", "six.test", "gone.test"]

    answer = asked(names, f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())

    assert answer.decode().startswith(f"HTTP/1.1 {line}")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"rubbish\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET ftp://api.test/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http://user:pass@api.test/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http://evil.test/ HTTP/1.1\r\n\r\n", 403),
        (b"GET http://api.test@evil.test/ HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT api.test:443 HTTP/2\r\n\r\n", 400),
        (b"\xff\xfe\x00 \x00 HTTP/1.1\r\n\r\n", 400),
        (b"GET http://api.test/ HTTP/1.1\r\nX: " + b"x" * 40_000, 431),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(request_, status):
    answer = asked(["api.test"], request_)

    assert answer.startswith(b"HTTP/1.1 %d " % status)


def test_a_run_that_calls_too_often_at_once_is_refused_and_nobody_is_left(server):
    async def main():
        async with door("api.test") as opened:
            held = [await asyncio.open_unix_connection(opened.path) for _ in range(64)]
            answer = await said(opened, b"CONNECT api.test:443 HTTP/1.1\r\n\r\n")
            for _, writer in held:
                await closed(writer)
            return answer

    assert b"503 More than 64 connections" in asyncio.run(main())


def test_a_client_that_vanishes_and_one_that_says_nothing_do_no_harm():
    async def main():
        async with door("api.test") as opened:
            _, writer = await asyncio.open_unix_connection(opened.path)
            writer.write(b"CONN")
            await closed(writer)
            _, silent = await asyncio.open_unix_connection(opened.path)
        await closed(silent)

    asyncio.run(main())


ASKING = """
import json, urllib.error, urllib.request
from workbench import agent
found = []
for url in {urls!r}:
    try:
        found.append(json.load(urllib.request.urlopen(url, timeout=10))["path"])
    except urllib.error.URLError as error:
        found.append(str(error.reason))
agent.result(found)
"""


def carried(
    folder, notebook, cell, *hosts, level="namespaces", network=Network.ALLOW_LIST, private=()
):
    task = Task(
        run_id="r",
        notebook=dump(load(notebook(cell))),
        limits=Limits(seconds=40.0),
        reach=Reach(network=network, hosts=read_hosts(hosts)),
    )

    async def main():
        egress = Egress(private=read_hosts(private), resolve=found)
        executor = executor_at(folder, level, egress=egress)
        try:
            return await executor.execute(
                task, report=lambda type, data: None, cancel=asyncio.Event()
            )
        finally:
            await executor.close()

    return asyncio.run(main())


def test_a_run_reaches_its_hosts_and_is_told_of_the_others(tmp_path, notebook, server):
    name = f"api.test:{server}"
    urls = [f"http://{name}/x", "http://evil.test/", "https://evil.test/", "http://inner.test/"]

    outcome = carried(
        tmp_path, notebook, ASKING.format(urls=urls), name, "inner.test", private=[name]
    )

    assert outcome.error is None
    assert outcome.result[0] == "/x"
    assert "evil.test:80 is not among the hosts" in outcome.result[1]
    assert "evil.test:443 is not among the hosts" in outcome.result[2]
    assert "inner.test has an address that is not the internet's" in outcome.result[3]


DIRECTLY = """
import socket
from workbench import agent
found = []
for address in [("127.0.0.1", {port}), ("1.1.1.1", 443), ("127.0.0.1", 3128)]:
    try:
        socket.create_connection(address, timeout=3).close()
        found.append("reached")
    except OSError as error:
        found.append(type(error).__name__)
agent.result(found)
"""


@pytest.mark.parametrize(
    ("network", "reached"),
    [(Network.NONE, [False, False, False]), (Network.ALLOW_LIST, [False, False, True])],
)
def test_without_its_way_out_a_run_reaches_nothing(tmp_path, notebook, server, network, reached):
    hosts = ["api.test"] if network is Network.ALLOW_LIST else []

    outcome = carried(tmp_path, notebook, DIRECTLY.format(port=server), *hosts, network=network)

    assert [found == "reached" for found in outcome.result] == reached


def test_an_open_run_has_the_network_of_its_machine(tmp_path, notebook, server):
    cell = DIRECTLY.format(port=server).replace(', ("1.1.1.1", 443)', "")

    outcome = carried(tmp_path, notebook, cell, network=Network.OPEN)

    assert outcome.result[0] == "reached"


def test_where_hosts_cannot_be_told_apart_no_run_begins(tmp_path, notebook):
    outcome = carried(tmp_path, notebook, "1", "api.test", level="landlock")

    assert (outcome.status, outcome.reason) == (RunStatus.FAILED, Reason.KERNEL_START_FAILED)
    assert "workbench doctor" in outcome.error["message"]
