"""Every list, search and document of a full workbench, asked for by sixteen callers at once.

    python benchmarks/serving.py [--agents N] [--runs N] [--clients N] [--seconds S] [--home DIR]
                                 [--only TEXT]

Makes a home with that many agents and runs (or takes the one in DIR, which it fills if it is not
there and keeps), starts the gateway on it, and asks. Every route is asked for by an author who is
no administrator, and by the administrator where the answer is another. Prints one line of JSON:

- `routes`: median and 95th percentile in milliseconds, the kilobytes of an answer, and how many
  milliseconds of CPU the gateway spent on one;
- `missed`: those whose median is above the limit;
- `trivial`: answers per second of an empty list of ours, of a run's record and of a stock Kernel
  Gateway's `/api/kernels`, measured in turn in the same run, and the ratio.

Callers and gateway share the machine: on two cores the callers' own work is in every number.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from filled import ABSENT, AUTHOR, COMMON, RARE, TOKENS_OF, Filled, fill, filled, note_of
from runs import Client, free_port, process

LIMIT_MS = 50.0
CALLERS = Path(__file__).with_name("callers.py")
ROUNDS = 3


def cursors(port: int, token: str, path: str, *, pages: int) -> list[str]:
    """The addresses of the first pages of the list at *path*."""
    client = Client(port, token)
    found, cursor = [path], None
    for _ in range(pages):
        joint = "&" if "?" in path else "?"
        asked = path if cursor is None else f"{path}{joint}cursor={quote(cursor)}"
        status, body, _ = client.call("GET", asked)
        assert status == 200, (status, body)
        cursor = json.loads(body)["next_cursor"]
        if cursor is None:
            break
        found.append(f"{path}{joint}cursor={quote(cursor)}")
    return found


def deep(runs: Filled) -> list[str]:
    """Cursors all over the list of runs, as the gateway itself would write them."""
    from workbench.domain.paging import write_cursor

    return [f"/runs?cursor={write_cursor(run)}" for run in runs.runs[:: len(runs.runs) // 50]]


def routes(port: int, there: Filled) -> dict[str, tuple[str, list[str]]]:
    """What is asked for: who asks, and the addresses in turn."""
    mine = [a for a in there.agents if a.startswith(f"{AUTHOR}/")]
    public = [a for n, a in enumerate(there.agents) if n % 2]
    many = [f"/agents/{a}" for a in public[:: max(1, len(public) // 500)]]
    busy = there.busy_agent
    words = ["weather", "station", "sales", "import csv", "days", "team7", "statistics"]
    token = TOKENS_OF["admin"]
    listed = cursors(port, token, "/agents?limit=200", pages=50)
    spread = deep(there)
    author: dict[str, list[str]] = {
        "agents": ["/agents"],
        "agents?limit=200": ["/agents?limit=200"],
        "agents, 50 deep pages of 200": listed,
        "agents?owner=": [f"/agents?owner=user{n}" for n in range(20)],
        "agents?owner=me": [f"/agents?owner={AUTHOR}"],
        "agents?name=": [f"/agents?name={a.split('/')[1]}" for a in mine[:200]],
        "agents?tag=": [f"/agents?tag=team{n}" for n in range(50)],
        "agents?tag=&owner=&q=": [f"/agents?tag=team3&owner={AUTHOR}&q=forecast"],
        "agents?q=common": [f"/agents?q={COMMON}"],
        "agents?q=rare": [f"/agents?q={RARE}"],
        "agents?q=absent": [f"/agents?q={ABSENT}"],
        "agents?q=several words": ["/agents?q=forecast+station+csv"],
        "agents?q=part of a word": ["/agents?q=oreca"],
        "agents?q=one letter": [f"/agents?q={letter}" for letter in "aeiost"],
        "agents?q=always another": [
            f"/agents?q={quote(word)}+{n}" for n in range(3000) for word in words
        ],
        "agents?q=common, all pages": cursors(port, token, f"/agents?q={COMMON}", pages=100),
        "about": [f"{path}/about" for path in many],
        "versions": [f"{path}/versions" for path in many],
        "versions/1.0.0": [f"{path}/versions/1.0.0" for path in many],
        "compare": [f"{path}/compare?from=1.0.0&to=1.0.0" for path in many],
        "notebook": [f"{path}/notebook?version=1.0.0" for path in many],
        "runs": ["/runs"],
        "runs?limit=200": ["/runs?limit=200"],
        "runs, deep pages": spread,
        "runs?status=failed": ["/runs?status=failed"],
        "runs?status=cancelled (none)": ["/runs?status=cancelled"],
        "runs?test=true": ["/runs?test=true"],
        "runs?since=": ["/runs?since=2026-03-01"],
        "runs?until=": ["/runs?until=2026-03-01"],
        "runs?agent=busy": [f"/runs?agent={busy}"],
        "runs?agent=any": [f"/runs?agent={a}" for a in public[::97]],
        "runs?agent=&status=failed": [f"/runs?agent={a}&status=failed" for a in mine[:50]],
        "runs?agent=&status=cancelled (none)": [
            f"/runs?agent={a}&status=cancelled" for a in mine[:50]
        ],
        "runs of an agent": [f"/agents/{a}/runs" for a in public[::97]],
        "tokens": ["/tokens"],
        "openapi.json": ["/openapi.json"],
        "openapi.json?agent=": [f"/openapi.json?agent={a}" for a in public[::97]],
        "docs": ["/docs"],
        "healthz": ["/healthz"],
        "readyz": ["/readyz"],
    }
    for_admin = (
        "agents?limit=200",
        "agents, 50 deep pages of 200",
        "agents?q=common",
        "agents?q=rare",
        "agents?q=always another",
        "runs",
        "runs, deep pages",
        "runs?status=failed",
        "runs?status=cancelled (none)",
        "runs?agent=any",
        "runs?agent=&status=cancelled (none)",
        "openapi.json",
    )
    wanted = {name: (AUTHOR, paths) for name, paths in author.items()}
    wanted |= {f"{name} [admin]": ("admin", author[name]) for name in for_admin}
    wanted["metrics [admin]"] = "admin", ["/metrics"]
    wanted["versions of 100 [admin]"] = ("admin", [f"/agents/{busy}/versions?limit=100"])
    wanted["revisions of 200 [admin]"] = ("admin", [f"/agents/{busy}/revisions?limit=200"])
    wanted["runs/{id} [admin]"] = ("admin", [f"/runs/{run}" for run in there.runs[::4]])
    return wanted


def seconds_of(pid: int) -> float:
    """The CPU that a process has taken so far."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def ask(port: int, token: str, paths: list[str], *, clients: int, seconds: float) -> dict:
    wish = {"port": port, "token": token, "paths": paths, "clients": clients, "seconds": seconds}
    done = subprocess.run(
        [sys.executable, str(CALLERS)],
        input=json.dumps(wish),
        text=True,
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


@contextlib.contextmanager
def our_gateway(home: Path) -> Iterator[tuple[int, int]]:
    command = [sys.executable, "-m", "workbench", "serve", "--home", str(home), "--port", "0"]
    with process(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        line = next(line for line in child.stdout if line.startswith("gateway:"))
        yield int(line.rsplit(":", 1)[1]), child.pid


@contextlib.contextmanager
def stock_gateway() -> Iterator[int]:
    port = free_port()
    token = TOKENS_OF["admin"]
    command = [sys.executable, "-m", "kernel_gateway", f"--port={port}", "--port_retries=0"]
    command.append(f"--KernelGatewayApp.auth_token={token}")
    with process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if Client(port, token).call("GET", "/api/kernels")[0] == 200:
                    break
            time.sleep(0.2)
        yield port


def trivial(ours: int, stock: int, there: Filled, *, clients: int, seconds: float) -> dict:
    """Answers per second, each measured in turn, several times."""
    asked = {
        "ours, an empty list": (ours, "/agents?name=none"),
        "ours, a record": (ours, f"/agents/{there.agents[1]}/about"),
        "stock, /api/kernels": (stock, "/api/kernels"),
    }
    rates: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, (port, path) in asked.items():
            told = ask(port, TOKENS_OF["admin"], [path], clients=clients, seconds=seconds)
            rates[name].append(told["per_second"])
    medians = {name: statistics.median(found) for name, found in rates.items()}
    ratio = medians["ours, an empty list"] / medians["stock, /api/kernels"]
    return {**medians, "ours_over_stock": round(ratio, 2)}


def measured(
    port: int, pid: int, wanted: Mapping[str, tuple[str, list[str]]], clients: int, seconds: float
) -> dict[str, dict]:
    found = {}
    for name, (user, paths) in wanted.items():
        before = seconds_of(pid)
        told = ask(port, TOKENS_OF[user], paths, clients=clients, seconds=seconds)
        spent = seconds_of(pid) - before
        if set(told["statuses"]) != {"200"}:
            raise SystemExit(f"{name} was answered with {told['statuses']}")
        found[name] = {
            "median_ms": told["median_ms"],
            "p95_ms": told["p95_ms"],
            "kilobytes": told["kilobytes"],
            "gateway_cpu_ms": round(spent / told["answers"] * 1000, 2),
        }
        sys.stderr.write(f"{name}: {found[name]}\n")
    return found


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--agents", type=int, default=10_000)
    reader.add_argument("--runs", type=int, default=1_000_000)
    reader.add_argument("--clients", type=int, default=16)
    reader.add_argument("--seconds", type=float, default=2.0)
    reader.add_argument("--home", type=Path)
    reader.add_argument("--only", default="", help="measure the routes whose name holds this")
    asked = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        home = asked.home or Path(folder) / "home"
        if not note_of(home).exists():
            fill(home, agents_wanted=asked.agents, runs_wanted=asked.runs)
        there = filled(home)
        began = time.perf_counter()
        ours, pid = stack.enter_context(our_gateway(home))
        started = time.perf_counter() - began
        wanted = {n: w for n, w in routes(ours, there).items() if asked.only in n}
        found = measured(ours, pid, wanted, asked.clients, asked.seconds)
        rates = {}
        if not asked.only:
            stock = stack.enter_context(stock_gateway())
            rates = {
                f"{clients} callers": trivial(
                    ours, stock, there, clients=clients, seconds=asked.seconds
                )
                for clients in (1, asked.clients)
            }
        status = Path(f"/proc/{pid}/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0]) // 1024
        print(
            json.dumps(
                {
                    "benchmark": "serving",
                    "agents": len(there.agents),
                    "clients": asked.clients,
                    "limit_ms": LIMIT_MS,
                    "missed": [n for n, told in found.items() if told["median_ms"] > LIMIT_MS],
                    "trivial": rates,
                    "routes": found,
                    "started_s": round(started, 2),
                    "resident_mb": resident,
                }
            )
        )


if __name__ == "__main__":
    main()
