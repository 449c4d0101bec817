"""What the way through the gateway adds to a question to a language model, and what it holds.

Prints one JSON line.

- `whole`, `first_piece`, `stream`: the same upstream, which answers at once, is asked directly and
  through the gateway, turn by turn over kept connections, so that the ratios hold when the machine's
  speed drifts: the median time of each and what is added, to the whole answer, to the first piece of
  one in pieces, and to the end of that.
- `counted`: what the ledger says of those questions, and what the upstream said.
- `replay`: a run asks one question after the other of its cassette, and as many of the upstream.
- `waiting`: so many runs at once wait for a model that answers none of them yet: when the last of
  them has asked, the memory that they take together, and the time until all have ended after it
  has answered.

    python benchmarks/models.py [--rounds N] [--played N] [--waiting N]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runs import TOKEN, Client, cell, notebook

MODEL, HELD = "gpt-5.4-mini", "held"
QUESTION = {"model": MODEL, "messages": [{"role": "user", "content": "2 + 2 " * 50}]}
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 30},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
PRICES = {"input": 0.75, "cached_input": 0.075, "output": 4.5}
"""Dollars for a million tokens."""
PICODOLLARS = 70 * 750_000 + 30 * 75_000 + 50 * 4_500_000
"""What one question costs."""
BASE = {"id": "c", "created": 1, "model": MODEL}
WHOLE = {
    **BASE,
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "four " * 50},
            "finish_reason": "stop",
        }
    ],
    "usage": USAGE,
}
DELTAS = [{"index": 0, "delta": {"content": "four "}, "finish_reason": None}] * 50
LAST = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
ASKING = """
import http.client, json, os, time
from urllib.parse import urlsplit
from workbench import agent

where = urlsplit(os.environ["OPENAI_BASE_URL"])
plug = http.client.HTTPConnection(where.hostname, where.port, timeout=600)
headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
took = []
for number in range(questions):
    question = {"model": model, "messages": [{"role": "user", "content": f"number {number}"}]}
    began = time.perf_counter()
    plug.request("POST", "/v1/chat/completions", json.dumps(question), headers)
    answer = plug.getresponse()
    said = answer.read()
    took.append(1000 * (time.perf_counter() - began))
    assert answer.status == 200, said
agent.result(took)
"""
AGENT = notebook(
    cell(f'questions: int = 1\nmodel: str = "{MODEL}"', "parameters", "parameters"),
    cell(ASKING, "ask"),
)


@dataclass
class Gate:
    """What the upstream and the benchmark share.

    Attributes:
        port: Where the upstream answers.
        waiting: How many questions to the model that is held back have come.
        opened: Set when they are answered.
    """

    port: multiprocessing.Queue[int]
    waiting: Any
    opened: Any


def frames() -> bytes:
    said = [{**BASE, "choices": [delta]} for delta in DELTAS]
    said += [{**BASE, "choices": LAST}, {**BASE, "choices": [], "usage": USAGE}]
    text = "".join(f"data: {json.dumps(each)}\n\n" for each in said) + "data: [DONE]\n\n"
    return text.encode()


def upstream(gate: Gate) -> None:
    """Answers at once, for ever; the model that is held back only once the gate is open."""
    whole, stream = json.dumps(WHOLE).encode(), frames()

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                asked = await reader.readexactly(length)
                if f'"model": "{HELD}"'.encode() in asked:
                    gate.waiting.value += 1
                    while not gate.opened.is_set():
                        await asyncio.sleep(0.05)
                streamed = b'"stream": true' in asked
                body = stream if streamed else whole
                media = b"text/event-stream" if streamed else b"application/json"
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
                    % (media, len(body))
                    + body
                )
                await writer.drain()

    async def serve() -> None:
        server = await asyncio.start_server(exchange, "127.0.0.1", 0, backlog=1_000)
        gate.port.put(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(serve())


@contextlib.contextmanager
def gateway(home: Path, port: int, **settings: object) -> Iterator[tuple[int, int]]:
    """The number of its process, and its port."""
    there = {"kind": "openai", "url": f"http://127.0.0.1:{port}/v1"}
    models = {"upstreams": {"one": there}, "prices": [{"model": "*", **PRICES}]}
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", "--port", "0", "--home", str(home)],
        env={
            **os.environ,
            "WORKBENCH_TOKEN": TOKEN,
            "WORKBENCH_MODELS": json.dumps(models),
            **{f"WORKBENCH_{name.upper()}": str(value) for name, value in settings.items()},
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = next(line.split()[1] for line in process.stdout if line.startswith("gateway: "))
        yield process.pid, urlsplit(url).port or 0
    finally:
        process.terminate()
        process.wait(60)


def ask(connection: http.client.HTTPConnection, *, stream: bool) -> tuple[float, float]:
    """Seconds to the first piece of the answer, and to its end."""
    body = json.dumps({**QUESTION, "stream": True} if stream else QUESTION)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    began = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    while stream and b'"content"' not in answer.readline():
        pass
    first = time.perf_counter() - began
    answer.read()
    return first, time.perf_counter() - began


def compare(ports: dict[str, int], *, rounds: int) -> Iterator[tuple[str, dict[str, float]]]:
    """What is added to a whole answer, to the first piece of a stream and to its end."""
    plugs = {name: http.client.HTTPConnection("127.0.0.1", port) for name, port in ports.items()}
    for stream in (False, True):
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in ports}
        for number in range(rounds + 10):
            for name, plug in plugs.items():
                took = ask(plug, stream=stream)
                if number >= 10:
                    times[name].append(took)
        for at, name in ((0, "first_piece"), (1, "stream")) if stream else ((1, "whole"),):
            found = {who: [1000 * took[at] for took in times[who]] for who in times}
            yield name, added(found["gateway"], found["direct"])
    for plug in plugs.values():
        plug.close()


def added(gateway: list[float], direct: list[float]) -> dict[str, float]:
    more = [one - other for one, other in zip(gateway, direct, strict=True)]
    ours, theirs = statistics.median(gateway), statistics.median(direct)
    return {
        "gateway_ms": round(ours, 2),
        "direct_ms": round(theirs, 2),
        "added_ms": round(statistics.median(more), 2),
        "ratio": round(ours / theirs, 2),
    }


def counted(client: Client, *, asked: int) -> dict[str, object]:
    """The ledger's sums over *asked* questions, with whether they are the upstream's."""
    until = time.monotonic() + 30
    while True:
        (found,) = json.loads(client.call("GET", "/usage?by=model")[1])["items"]
        if found["calls"] == asked or time.monotonic() > until:
            break
    ours = [
        found["calls"],
        found["input_tokens"],
        found["cached_input_tokens"],
        found["output_tokens"],
        found["reasoning_tokens"],
        round(found["cost_usd"] * 10**12),
    ]
    theirs = [asked * each for each in (1, 100, 30, 50, 20, PICODOLLARS)]
    return {"calls": asked, "cost_usd": found["cost_usd"], "equal_to_the_unit": ours == theirs}


def add_agent(client: Client, *, questions: int) -> None:
    """The agent that asks, with a cassette of the questions it asks."""
    entries = [
        {
            "key": "",
            "api": "chat/completions",
            "request": {
                "model": MODEL,
                "messages": [{"role": "user", "content": f"number {number}"}],
            },
            "response": WHOLE,
        }
        for number in range(questions)
    ]
    client.call("POST", "/agents", {"agent_name": "asking", "notebook": AGENT, "publish": False})
    tape = {"version": 1, "entries": entries}
    status, said, _ = client.call("PUT", "/agents/admin/asking/files/model.cassette.json", tape)
    assert status < 300, said


def replayed(client: Client, *, questions: int) -> dict[str, float]:
    """How long one answer of a cassette takes within a run, and one of the upstream."""
    add_agent(client, questions=questions)
    times: dict[str, list[float]] = {"replay": [], "live": []}
    for _ in range(3):
        for mode, found in times.items():
            wish = {"parameters": {"questions": questions}, "test": True, "model": mode}
            run = settled(client, start(client, wish))
            assert run["status"] == "completed", run["error"]
            found += run["result"]
    replay, live = (statistics.median(times[mode]) for mode in ("replay", "live"))
    return {
        "questions": questions,
        "replay_ms": round(replay, 2),
        "replays_per_second": round(1000 * len(times["replay"]) / sum(times["replay"])),
        "live_ms": round(live, 2),
        "live_over_replay": round(live / replay, 2),
    }


def start(client: Client, wish: dict[str, object]) -> str:
    status, said, _ = client.call("POST", "/agents/admin/asking/runs", wish)
    assert status == 202, said
    return str(json.loads(said)["id"])


def settled(client: Client, run_id: str) -> dict[str, Any]:
    while True:
        run = json.loads(client.call("GET", f"/runs/{run_id}?wait=25")[1])
        if run["completed_at"]:
            return run


def waited(client: Client, pid: int, gate: Gate, *, runs: int) -> dict[str, object]:
    """What *runs* runs take that wait for the same slow model."""
    wish = {"parameters": {"model": HELD}, "test": True, "model": "live"}
    add_agent(client, questions=1)
    settled(client, start(client, {"parameters": {}, "test": True, "model": "live"}))
    idle, alone = memory(pid)
    began = time.monotonic()
    ids = [start(client, wish) for _ in range(runs)]
    while gate.waiting.value < runs:
        time.sleep(0.05)
    reached = time.monotonic() - began
    full, gateway_full = memory(pid)
    began = time.perf_counter()
    client.call("GET", "/me")
    answered = 1000 * (time.perf_counter() - began)
    gate.opened.set()
    began = time.monotonic()
    ended = [settled(client, run_id)["status"] for run_id in ids]
    return {
        "runs": runs,
        "completed": ended.count("completed"),
        "all_waiting_after_seconds": round(reached, 1),
        "all_ended_after_seconds": round(time.monotonic() - began, 1),
        "idle_mb": round(idle / 2**20),
        "waiting_mb": round(full / 2**20),
        "mb_per_run": round((full - idle) / runs / 2**20, 1),
        "gateway_mb_per_run": round((gateway_full - alone) / runs / 2**20, 2),
        "me_ms_meanwhile": round(answered, 1),
    }


def memory(pid: int) -> tuple[int, int]:
    """Bytes that a process and all that it begot take together, shared ones once; and it alone."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdecimal():
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(folder.name))
    family = [pid]
    for one in family:
        family += children.get(one, [])
    return sum(map(share, family)), share(pid)


def share(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it has gone since
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def main() -> None:
    reader = argparse.ArgumentParser()
    reader.add_argument("--rounds", type=int, default=300)
    reader.add_argument("--played", type=int, default=200)
    reader.add_argument("--waiting", type=int, default=200)
    wish = reader.parse_args()
    gate = Gate(multiprocessing.Queue(), multiprocessing.Value("i"), multiprocessing.Event())
    process = multiprocessing.Process(target=upstream, args=(gate,), daemon=True)
    process.start()
    port = gate.port.get(timeout=30)
    said: dict[str, object] = {"benchmark": "models", "rounds": wish.rounds}
    with tempfile.TemporaryDirectory() as folder:
        with gateway(Path(folder) / "one", port) as (_, ours):
            said |= compare({"direct": port, "gateway": ours}, rounds=wish.rounds)
            client = Client(ours)
            said["counted"] = counted(client, asked=2 * (wish.rounds + 10))
            said["replay"] = replayed(client, questions=wish.played)
        room = {"runs_at_once": wish.waiting, "run_seconds": 600}
        with gateway(Path(folder) / "two", port, **room) as (pid, ours):
            said["waiting"] = waited(Client(ours), pid, gate, runs=wish.waiting)
    process.terminate()
    process.join()
    print(json.dumps(said))


if __name__ == "__main__":
    main()
