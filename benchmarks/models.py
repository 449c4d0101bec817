"""What the way through the gateway adds to a question to a language model.

Prints one JSON line. The same upstream, which answers at once, is asked directly and through the
gateway, turn by turn in one process over kept connections, so that the ratios hold when the
machine's speed drifts. Whole answers: the median time of each and what is added. Streams: the time
to the first piece of text, and what is added to that.

    python benchmarks/models.py [--rounds N]
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
from pathlib import Path
from urllib.parse import urlsplit

TOKEN = "benchmark-" + "0" * 22
QUESTION = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": "2 + 2 " * 50}]}
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
BASE = {"id": "c", "created": 1, "model": "gpt-5.4-mini"}
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


def frames() -> bytes:
    said = [{**BASE, "choices": [delta]} for delta in DELTAS]
    said += [{**BASE, "choices": LAST}, {**BASE, "choices": [], "usage": USAGE}]
    text = "".join(f"data: {json.dumps(each)}\n\n" for each in said) + "data: [DONE]\n\n"
    return text.encode()


def upstream(port: multiprocessing.Queue[int]) -> None:
    """Answers at once, for ever."""
    whole, stream = json.dumps(WHOLE).encode(), frames()

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                streamed = b'"stream": true' in await reader.readexactly(length)
                body = stream if streamed else whole
                media = b"text/event-stream" if streamed else b"application/json"
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
                    % (media, len(body))
                    + body
                )
                await writer.drain()

    async def serve() -> None:
        server = await asyncio.start_server(exchange, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(serve())


@contextlib.contextmanager
def gateway(home: Path, port: int) -> Iterator[int]:
    models = {"upstreams": {"one": {"kind": "openai", "url": f"http://127.0.0.1:{port}/v1"}}}
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", "--port", "0", "--home", str(home)],
        env={
            **os.environ,
            "WORKBENCH_TOKEN": TOKEN,
            "WORKBENCH_READY_KERNELS": "0",
            "WORKBENCH_MODELS": json.dumps(models),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = next(line.split()[1] for line in process.stdout if line.startswith("gateway: "))
        yield urlsplit(url).port or 0
    finally:
        process.terminate()
        process.wait(30)


def ask(connection: http.client.HTTPConnection, *, stream: bool) -> float:
    """Seconds to the end of the whole answer, or to the first piece of one in pieces."""
    body = json.dumps({**QUESTION, "stream": True} if stream else QUESTION)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    began = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    if stream:
        while b'"content"' not in answer.readline():
            pass
        took = time.perf_counter() - began
        answer.read()
        return took
    answer.read()
    return time.perf_counter() - began


def compare(ports: dict[str, int], *, rounds: int, stream: bool) -> dict[str, float]:
    plugs = {name: http.client.HTTPConnection("127.0.0.1", port) for name, port in ports.items()}
    times: dict[str, list[float]] = {name: [] for name in ports}
    for number in range(rounds + 10):
        for name, plug in plugs.items():
            took = ask(plug, stream=stream)
            if number >= 10:
                times[name].append(1000 * took)
    for plug in plugs.values():
        plug.close()
    ours, direct = (statistics.median(times[name]) for name in ("gateway", "direct"))
    added = statistics.median(
        [one - other for one, other in zip(times["gateway"], times["direct"], strict=True)]
    )
    return {
        "gateway_ms": round(ours, 2),
        "direct_ms": round(direct, 2),
        "added_ms": round(added, 2),
        "ratio": round(ours / direct, 2),
    }


def main() -> None:
    reader = argparse.ArgumentParser()
    reader.add_argument("--rounds", type=int, default=300)
    rounds = reader.parse_args().rounds
    found: multiprocessing.Queue[int] = multiprocessing.Queue()
    process = multiprocessing.Process(target=upstream, args=(found,), daemon=True)
    process.start()
    port = found.get(timeout=30)
    with tempfile.TemporaryDirectory() as folder, gateway(Path(folder) / "home", port) as ours:
        ports = {"direct": port, "gateway": ours}
        whole = compare(ports, rounds=rounds, stream=False)
        first = compare(ports, rounds=rounds, stream=True)
    process.terminate()
    process.join()
    print(json.dumps({"rounds": rounds, "whole": whole, "first_piece": first}))


if __name__ == "__main__":
    main()
