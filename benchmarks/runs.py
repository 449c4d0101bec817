"""A three-cell agent over HTTP, against papermill and against a stock Kernel Gateway.

Prints one JSON line. Everything is measured in turn, in one process, so that the ratios hold when
the machine's speed drifts; a lone time does not mean much. What is compared:

- ours: `GET /agents/admin/hello?name=…` of a published agent: parameters checked, journal fsynced,
  a kernel nobody has used, executed notebook and events kept;
- papermill: `papermill.execute_notebook` of the same notebook, a kernel started and stopped;
- stock gateway: the same three cells as one `# GET /hello` cell of `kernel_gateway.notebook_http`,
  whose kernels are shared by all callers and keep no record. It does far less; it is the floor.

    python benchmarks/runs.py [--rounds N] [--seconds S]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

sys.modules.setdefault("rfc3987_syntax", None)  # its grammars take seconds to compile, unused

TOKEN = "benchmark-" + "0" * 22
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


def cell(source: str, name: str, *tags: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def notebook(*cells: dict[str, object]) -> dict[str, object]:
    return {
        "cells": list(cells),
        "metadata": {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


HELLO = notebook(
    cell('name: str = "world"  # whom to greet', "parameters", "parameters"),
    cell('greeting = f"Hello, {name}!"', "compose"),
    cell('from workbench import agent\nagent.result({"greeting": greeting})', "result"),
)
STOCK = notebook(
    cell(
        '# GET /hello\nimport json\nname = json.loads(REQUEST)["args"]["name"][0]\n'
        'greeting = f"Hello, {name}!"\nprint(json.dumps({"greeting": greeting}))',
        "hello",
    )
)


def environment() -> dict[str, str]:
    return {**os.environ, "WORKBENCH_TOKEN": TOKEN, "PYTHONWARNINGS": "ignore"}


@contextlib.contextmanager
def process(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        command, text=True, start_new_session=True, env=environment(), **options
    )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


gateways: list[int] = []
"""The process numbers of the gateways that were started."""


@contextlib.contextmanager
def our_gateway(home: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "workbench", "serve", "--home", str(home), "--port", "0"]
    with process(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        gateways.append(child.pid)
        line = next(line for line in child.stdout if line.startswith("gateway:"))
        yield int(line.rsplit(":", 1)[1])


@contextlib.contextmanager
def stock_gateway(folder: Path) -> Iterator[int]:
    seed, port = folder / "stock.ipynb", free_port()
    seed.write_text(json.dumps(STOCK))
    command = [
        sys.executable,
        "-m",
        "kernel_gateway",
        "--api=kernel_gateway.notebook_http",
        f"--seed_uri={seed}",
        f"--port={port}",
        "--port_retries=0",
        "--prespawn_count=2",
        "--KernelGatewayApp.auth_token=" + TOKEN,
    ]
    with process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                client = Client(port)
                if client.call("GET", "/hello?name=x")[0] == 200:
                    break
            if time.monotonic() > deadline:
                raise SystemExit("the stock gateway did not come up")
            time.sleep(0.2)
        yield port


class Client:
    """One keep-alive connection."""

    def __init__(self, port: int, token: str = TOKEN) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._token = token

    def call(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, bytes, dict[str, str]]:
        self._connection.request(
            method,
            path,
            body=None if body is None else json.dumps(body),
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
        )
        answer = self._connection.getresponse()
        return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def sustained(port: int, path: str, *, clients: int, seconds: float) -> float:
    """Answers per second that *clients* callers get together."""
    done = [0] * clients
    until = time.monotonic() + seconds

    def caller(number: int) -> None:
        client = Client(port)
        while time.monotonic() < until:
            status, body, _ = client.call("GET", path)
            assert status == 200, (status, body)
            done[number] += 1

    threads = [threading.Thread(target=caller, args=(n,)) for n in range(clients)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - begun)


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--rounds", type=int, default=15)
    reader.add_argument("--seconds", type=float, default=8.0)
    asked = reader.parse_args()
    warnings.simplefilter("ignore")
    import nbformat
    import papermill

    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        source = Path(folder) / "hello.ipynb"
        source.write_text(json.dumps(HELLO))
        os.environ["PYTHONWARNINGS"] = "ignore"
        ours = stack.enter_context(our_gateway(Path(folder) / "home"))
        stock = stack.enter_context(stock_gateway(Path(folder)))
        a, b = Client(ours), Client(stock)
        status, body, _ = a.call(
            "POST", "/agents", {"agent_name": "hello", "notebook": HELLO, "publish": True}
        )
        assert status == 201, body
        path = "/agents/admin/hello?name=Ada"

        def by_us() -> None:
            status, body, headers = a.call("GET", path)
            assert (status, json.loads(body)) == (200, {"greeting": "Hello, Ada!"}), body
            last.append(headers["x-run-id"])

        def by_stock() -> None:
            status, body, _ = b.call("GET", "/hello?name=Ada")
            assert status == 200, body

        def by_papermill() -> None:
            nb = nbformat.read(source, as_version=4)
            papermill.execute_notebook(nb, None, {"name": "Ada"}, progress_bar=False)

        def accept() -> None:
            status, body, _ = a.call("POST", "/agents/admin/hello/runs", {"parameters": {}})
            assert status == 202, body
            accepted.append(json.loads(body)["id"])

        last: list[str] = []
        accepted: list[str] = []
        times: dict[str, list[float]] = {"ours": [], "stock": [], "papermill": [], "accept": []}
        shares: dict[str, list[float]] = {"kernel": [], "rest": []}
        by_papermill(), by_us(), by_stock()
        for _ in range(asked.rounds):
            times["papermill"].append(timed(by_papermill))
            for _ in range(3):
                total = timed(by_us)
                times["ours"].append(total)
                record = json.loads(a.call("GET", f"/runs/{last[-1]}")[1])
                ran = record["execution_time_ms"]
                shares["kernel"].append(ran)
                shares["rest"].append(total - ran)
                time.sleep(0.05)  # so that single calls stay single: the pool is full again
                times["stock"].append(timed(by_stock))
            times["accept"].append(timed(accept))
            a.call("GET", f"/runs/{accepted[-1]}?wait=20")
        medians = {name: round(statistics.median(found), 2) for name, found in times.items()}
        rates = {
            f"ours_{n}": round(sustained(ours, path, clients=n, seconds=asked.seconds), 1)
            for n in (1, 4)
        }
        rates["stock_4"] = round(
            sustained(stock, "/hello?name=Ada", clients=4, seconds=asked.seconds), 1
        )
        rates["papermill_1"] = round(1000 / medians["papermill"], 2)
        print(
            json.dumps(
                {
                    "benchmark": "runs",
                    "cells": 3,
                    "median_ms": medians,
                    "papermill_over_ours": round(medians["papermill"] / medians["ours"], 1),
                    "ours_over_stock": round(medians["ours"] / medians["stock"], 1),
                    "median_ms_of_ours": {
                        name: round(statistics.median(found), 2) for name, found in shares.items()
                    },
                    "runs_per_second": rates,
                    "sustained_ours_over_papermill": round(
                        rates["ours_4"] / rates["papermill_1"], 1
                    ),
                    "rounds": asked.rounds,
                }
            )
        )


if __name__ == "__main__":
    main()
