"""Sandboxed kernels and whole runs, against plain ipykernel, papermill and a stock Kernel Gateway.

Prints one JSON line. Whatever is compared is measured in turn, so that the ratios hold when the
machine's speed drifts.

- cold: a sandboxed kernel from nothing to ready for its first cell, and ipykernel started and waited
  for by jupyter_client;
- run: a three-cell agent over HTTP with ready kernels; papermill's API on the same notebook; the
  cells as one of `kernel_gateway.notebook_http`, whose kernel all callers share;
- throughput: the agent from four callers at a time, and papermill in four processes;
- walls: start and three cells of a forked kernel with all walls, and of one with none;
- memory: what one more idle kernel keeps for itself, its init included;
- cpu: processor time per run, of the gateway and of the kernel from the fork to the last cell.

    python benchmarks/engine.py [--rounds N] [--seconds S]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import runs as whole
from runs import HELLO, Client, our_gateway, stock_gateway, sustained, timed

from workbench.domain.isolation import Isolation
from workbench.kernels import Kernel, Wanted
from workbench.kernels.channel import receive
from workbench.kernels.environment import apart
from workbench.kernels.forked import ForkedKernels
from workbench.kernels.ground import choose
from workbench.kernels.ordinary import OrdinaryKernels
from workbench.kernels.places import Places
from workbench.kernels.walls import Wall

CELLS = ["".join(cell["source"]) for cell in HELLO["cells"]]  # type: ignore[attr-defined]
PAPERMILLS = 4
_PREPARED_SECONDS = 8.0
"""How long a gateway may take to have kernels with everything imported."""


def forked(folder: Path, wall: Wall) -> ForkedKernels:
    work, cache = folder / "work", folder / "cache"
    ordinary = OrdinaryKernels(housing=apart(work=work, cache=cache, inherited=os.environ))
    places = Places(wall=wall, work=work, cache=cache, inherited=os.environ)
    return ForkedKernels(places=places, others=ordinary)


async def perform(kernel: Kernel, source: str) -> None:
    request = await kernel.connection.execute(source)
    for socket, type in ((kernel.connection.iopub, "status"), (kernel.connection.shell, "")):
        while True:
            frames = await receive(socket, kernel.dead, seconds=60)
            assert frames is not None
            message = kernel.connection.read(frames)
            ends = not type or message.content.get("execution_state") == "idle"
            if message.parent == request and ends:
                break


async def clocked(work: Callable[[], Awaitable[Any]]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = await work()
    return (time.perf_counter() - begun) * 1000, result


async def let_go(kernel: Kernel) -> None:
    await kernel.end()
    kernel.clear()


def private_bytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in text if line.startswith("Private_")) * 1024


def cpu_ms(pid: int) -> float:
    return time.clock_gettime(~pid << 3 | 2) * 1000


async def plain_kernel() -> None:
    from jupyter_client.manager import AsyncKernelManager

    manager = AsyncKernelManager()
    await manager.start_kernel(stderr=-3, stdout=-3)
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    client.stop_channels()
    plain_kernel.last = manager  # type: ignore[attr-defined]


async def kernels(rounds: int, folder: Path) -> dict[str, Any]:
    walled = choose(Isolation.NAMESPACES).wall
    assert walled is not None
    sources = {
        "walls": forked(folder / "walls", walled),
        "none": forked(folder / "none", Wall(level=Isolation.NONE)),
    }
    times: dict[str, list[float]] = {"plain": [], "walls": [], "none": [], "cpu": [], "idle": []}
    cells: dict[str, list[float]] = {"walls": [], "none": []}
    for source in sources.values():
        await let_go(await source.start(Wanted(), seconds=120))
    for _ in range(rounds):
        times["plain"].append((await clocked(plain_kernel))[0])
        await plain_kernel.last.shutdown_kernel(now=True)  # type: ignore[attr-defined]
        for name, source in list(sources.items()) * 3:
            start, kernel = await clocked(lambda s=source: s.start(Wanted(), seconds=60))  # type: ignore[misc]
            times[name].append(start)
            if name == "walls":
                times["idle"].append(private_bytes(kernel.root) + private_bytes(kernel.pid))
            begun = time.perf_counter()
            for cell in CELLS:
                await perform(kernel, cell)
            cells[name].append((time.perf_counter() - begun) * 1000)
            if name == "walls":
                times["cpu"].append(cpu_ms(kernel.root) + cpu_ms(kernel.pid))
            await let_go(kernel)
            await asyncio.sleep(0.02)
    for source in sources.values():
        await source.close()
    found = {name: statistics.median(values) for name, values in times.items()}
    found |= {f"{name}_cells": statistics.median(values) for name, values in cells.items()}
    return found


def by_papermill(_: int = 0) -> None:
    import nbformat
    import papermill

    warnings.simplefilter("ignore")
    nb = nbformat.from_dict(HELLO)
    patience = {"iopub_timeout": 60}  # several at a time are slow enough for its own to run out
    papermill.execute_notebook(nb, None, {"name": "Ada"}, progress_bar=False, **patience)


def papermills(seconds: float) -> float:
    """Notebooks per second that papermill executes in several processes at a time."""
    with ProcessPoolExecutor(PAPERMILLS) as pool:
        list(pool.map(by_papermill, range(PAPERMILLS)))
        done, begun = 0, time.monotonic()
        while time.monotonic() - begun < seconds:
            done += len(list(pool.map(by_papermill, range(PAPERMILLS * 2))))
        return done / (time.monotonic() - begun)


def over_http(rounds: int, seconds: float, folder: Path) -> dict[str, Any]:
    times: dict[str, list[float]] = {"ours": [], "stock": [], "papermill": []}
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(our_gateway(folder / "home"))
        stock = stack.enter_context(stock_gateway(folder))
        a, b = Client(port), Client(stock)
        body = {"agent_name": "hello", "notebook": HELLO, "publish": True}
        assert a.call("POST", "/agents", body)[0] == 201
        path = "/agents/admin/hello?name=Ada"
        by_papermill()
        time.sleep(_PREPARED_SECONDS)
        for _ in range(10):
            a.call("GET", path)
        for _ in range(rounds):
            times["papermill"].append(timed(by_papermill))
            for _ in range(4):
                times["ours"].append(timed(lambda: a.call("GET", path)))
                time.sleep(0.1)  # so that single calls stay single: the pool is full again
                times["stock"].append(timed(lambda: b.call("GET", "/hello?name=Ada")))
        process = whole.gateways[-1]
        before, rate = cpu_ms(process), sustained(port, path, clients=4, seconds=seconds)
        gateway_cpu = (cpu_ms(process) - before) / (rate * seconds)
    found = {name: statistics.median(values) for name, values in times.items()}
    return found | {"rate": rate, "gateway_cpu": gateway_cpu, "papermills": papermills(seconds)}


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--rounds", type=int, default=10)
    reader.add_argument("--seconds", type=float, default=8.0)
    asked = reader.parse_args()
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"
    with tempfile.TemporaryDirectory() as name:
        alone = asyncio.run(kernels(asked.rounds, Path(name)))
        http = over_http(asked.rounds, asked.seconds, Path(name))
    walls = alone["walls"] + alone["walls_cells"]
    none = alone["none"] + alone["none_cells"]
    print(
        json.dumps(
            {
                "benchmark": "engine",
                "median_ms": {
                    "cold_sandboxed_kernel": round(alone["walls"], 1),
                    "plain_ipykernel": round(alone["plain"], 1),
                    "run_over_http": round(http["ours"], 1),
                    "papermill": round(http["papermill"], 1),
                    "stock_gateway": round(http["stock"], 1),
                    "cells": round(alone["walls_cells"], 1),
                },
                "plain_ipykernel_over_cold": round(alone["plain"] / alone["walls"], 1),
                "papermill_over_run": round(http["papermill"] / http["ours"], 1),
                "run_over_stock_gateway": round(http["ours"] / http["stock"], 2),
                "runs_per_second": round(http["rate"], 1),
                "papermill_processes_per_second": round(http["papermills"], 2),
                "throughput_over_papermill": round(http["rate"] / http["papermills"], 1),
                "cpu_ms_per_run": {
                    "gateway": round(http["gateway_cpu"], 1),
                    "kernel": round(alone["cpu"], 1),
                },
                "private_mb_per_idle_kernel": round(alone["idle"] / 2**20, 1),
                "walls_over_none": round(walls / none, 2),
                "rounds": asked.rounds,
            }
        )
    )


if __name__ == "__main__":
    main()
