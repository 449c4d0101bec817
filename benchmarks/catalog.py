"""How long the store takes, with a thousand, a hundred thousand and a million runs in the index.

    python benchmarks/catalog.py [SIZE…]

Prints one line of JSON: medians in milliseconds for each size, how long the index took to be made
from the journal, and how much longer each thing takes with the most runs than with the fewest.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from workbench.domain.access import Principal, Role
from workbench.domain.agents import Agent, Visibility
from workbench.domain.definitions import Definition
from workbench.domain.paging import write_cursor
from workbench.domain.queries import AgentQuery, RunQuery
from workbench.domain.runs import Run, RunStatus
from workbench.store.home import Home
from workbench.store.runs import Runs
from workbench.store.segments import changes_text, create_segment, record_line
from workbench.store.store import Store
from workbench.store.tables import RUNS, put

SIZES = (1_000, 100_000, 1_000_000)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=20)
ROOT = Principal(user="root", role=Role.ADMIN)
AGENTS = 50
USERS = 20
ROUNDS = 60


def run_id(at: datetime) -> str:
    return f"{int(at.timestamp() * 1000):012x}7{random.getrandbits(12):03x}8{random.getrandbits(60):015x}"


def a_run(at: datetime, n: int) -> Run:
    return Run(
        id=run_id(at),
        agent_id=f"agent{n % AGENTS}",
        owner=f"user{n % AGENTS % USERS}",
        agent_name=f"agent{n % AGENTS}",
        version="1.0.0",
        fingerprint="f" * 64,
        user=f"user{n * 7 % USERS}",
        parameters={"city": "Seattle", "days": n % 7},
        created_at=at,
    )


def settled(run: Run, at: datetime) -> Run:
    return run.begin(at=at, isolation="process").settle(
        RunStatus.COMPLETED, at=at, result={"mean": 11.5, "n": 365}, resource_usage={"cpu_ms": 40}
    )


async def fill(home: Path, size: int) -> list[str]:
    """Write a journal of *size* settled runs as fast as the disk takes it; their ids."""
    owned = Home(home)
    owned.claim()
    ids: list[str] = []
    # The rows are those that the store itself would write.
    as_row = Runs.__new__(Runs)._row

    async def lines() -> Iterator[bytes]:
        written = []
        for n in range(0, size, 100):
            rows = []
            for k in range(n, min(n + 100, size)):
                at = BEGAN + APART * k
                run = settled(a_run(at, k), at)
                ids.append(run.id)
                rows.append(put(RUNS, await as_row(run)))
            written.append(record_line(n // 100 + 1, BEGAN.isoformat(), changes_text(rows)))
        return iter(written)

    create_segment(
        owned.journal, number=1, journal="benchmark", after=0, snapshot=True, lines=await lines()
    )
    owned.release()
    return ids


async def timed(what: Callable[[], Awaitable[object]], *, rest: float = 0.003) -> float:
    """The median of how long *what* takes, in milliseconds, once it has been done before."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await what()
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(rest)
    return round(median(took[5:]), 3)


async def measure(store: Store, ids: list[str]) -> dict[str, float]:
    """Medians of everything people wait for."""
    late = BEGAN + APART * (len(ids) + 1)
    waiting: list[Run] = []
    user = Principal(user="user3", role=Role.AUTHOR)
    deep = write_cursor(ids[len(ids) // 2])

    async def accept() -> None:
        nonlocal late
        late += APART
        run, _ = await store.runs.accept(a_run(late, len(waiting)))
        waiting.append(run)

    async def settle() -> None:
        await store.runs.record(settled(waiting.pop(), late))

    async def fresh_page() -> None:
        await accept()
        await store.runs.list(ROOT, RunQuery())

    return {
        "accept": await timed(accept),
        "settle": await timed(settle),
        "look_up": await timed(lambda: store.runs.get(ROOT, random.choice(ids))),
        "page_1": await timed(lambda: store.runs.list(ROOT, RunQuery())),
        "page_1_of_user": await timed(lambda: store.runs.list(user, RunQuery())),
        "page_1_of_agent": await timed(lambda: store.runs.list(ROOT, RunQuery(agent_id="agent3"))),
        "page_1_right_after_accept": await timed(fresh_page),
        "deep_page": await timed(lambda: store.runs.list(ROOT, RunQuery(cursor=deep))),
        "deep_page_of_user": await timed(lambda: store.runs.list(user, RunQuery(cursor=deep))),
        "agents": await timed(lambda: store.agents.list(user, AgentQuery())),
        "agent": await timed(lambda: store.agents.get(user, "user3", "agent3")),
    }


async def agents(store: Store) -> None:
    draft = Definition(fingerprint="f" * 64, input_schema={"type": "object"})
    for n in range(AGENTS):
        agent = Agent(
            id=f"agent{n}",
            owner=f"user{n % USERS}",
            name=f"agent{n}",
            description="An agent of the benchmark.",
            draft=draft,
            visibility=Visibility.PUBLIC,
            created_at=BEGAN,
            updated_at=BEGAN,
        )
        await store.agents.create(ROOT, agent)
        shown = replace(agent, current_version="1.0.0", published=draft)
        await store.agents.replace(ROOT, agent, shown)


async def one_size(size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        ids = await fill(home, size)
        began = time.perf_counter()
        store = await Store.open(home, clock=lambda: BEGAN, snapshot_bytes=1 << 40)
        made = time.perf_counter() - began
        async with store:
            await agents(store)
            measured = await measure(store, ids)
        began = time.perf_counter()
        async with await Store.open(home, clock=lambda: BEGAN, snapshot_bytes=1 << 40):
            opened = time.perf_counter() - began
    return {**measured, "made_anew_s": round(made, 2), "opened_s": round(opened, 2)}


def main(*sizes: str) -> None:
    wanted = sorted(map(int, sizes)) or list(SIZES)
    told = {str(size): asyncio.run(one_size(size)) for size in wanted}
    least, most = told[str(wanted[0])], told[str(wanted[-1])]
    ratio = {name: round(most[name] / least[name], 2) for name in least}
    print(json.dumps({"unit": "ms", "runs": told, "most_to_fewest": ratio}))


if __name__ == "__main__":
    main(*sys.argv[1:])
