"""Many callers at once, each on a connection of its own; one process, little else than sockets.

Reads one JSON object from standard input (`port`, `token`, `paths`, `clients`, `seconds`, `accept`),
asks for the paths in turn as fast as they are answered, and prints one JSON object: how many
answers, median and 95th percentile in milliseconds, bytes, and the seconds of CPU it took itself.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Told:
    """What the callers saw together."""

    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    received: int = 0


async def caller(wish: dict, first: int, until: float, told: Told) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", wish["port"], limit=1 << 24)
    head = (
        f" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {wish['token']}\r\n"
        f"{wish.get('headers', '')}\r\n"
    )
    paths = itertools.islice(itertools.cycle(wish["paths"]), first, None)
    for path in paths:
        began = time.perf_counter()
        if began > until:
            break
        writer.write(f"GET {path}{head}".encode())
        status, size = await answer(reader)
        told.took.append(time.perf_counter() - began)
        told.statuses[status] += 1
        told.received += size
    writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Status and length of one answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    if b"transfer-encoding: chunked" in head:
        return status, await chunks(reader)
    if status == 304:
        return status, 0
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return status, length


async def chunks(reader: asyncio.StreamReader) -> int:
    whole = 0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        whole += size
    await reader.readline()
    return whole


async def ask(wish: dict) -> dict:
    told = Told()
    began = time.perf_counter()
    cpu = time.process_time()
    # Each begins elsewhere in the list, so that they do not all ask for the same at once.
    stride = max(1, len(wish["paths"]) // wish["clients"])
    await asyncio.gather(
        *(caller(wish, n * stride, began + wish["seconds"], told) for n in range(wish["clients"]))
    )
    lasted = time.perf_counter() - began
    took = sorted(told.took)
    return {
        "answers": len(took),
        "statuses": dict(told.statuses),
        "per_second": round(len(took) / lasted, 1),
        "median_ms": round(statistics.median(took) * 1000, 2),
        "p95_ms": round(took[int(len(took) * 0.95)] * 1000, 2),
        "kilobytes": round(told.received / len(took) / 1024, 1),
        "client_cpu_s": round(time.process_time() - cpu, 2),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(json.load(sys.stdin)))))
