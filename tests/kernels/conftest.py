"""An executor on real kernels, and what has become of everything afterwards."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from workbench.domain.events import EventType
from workbench.domain.isolation import Isolation
from workbench.domain.limits import Limits
from workbench.kernels import KernelSource, Outcome, Task
from workbench.kernels.environment import apart
from workbench.kernels.executor import NotebookExecutor
from workbench.kernels.forked import ForkedKernels
from workbench.kernels.ground import choose
from workbench.kernels.ordinary import OrdinaryKernels
from workbench.kernels.places import Places
from workbench.kernels.walls import Wall
from workbench.notebook.document import dump, load


@dataclass(slots=True)
class Carried:
    """A run that was carried out, and what was heard of it."""

    outcome: Outcome
    events: list[tuple[EventType, dict]] = field(default_factory=list)
    left: Path = Path()

    @property
    def cells(self):
        """The cells of the executed notebook by their id."""
        return {cell["id"]: cell for cell in json.loads(self.outcome.notebook)["cells"]}

    def said(self, type):
        """What was reported of one type."""
        return [data for kind, data in self.events if kind == type]

    def text(self, number):
        """What the cell `cell-number` printed."""
        outputs = self.cells[f"cell-{number}"]["outputs"]
        return "".join(o["text"] for o in outputs if o["output_type"] == "stream")


WALL = choose(Isolation.NAMESPACES).wall


def ordinary_in(folder: Path, **options) -> KernelSource:
    housing = apart(work=folder / "work", cache=folder / "cache", inherited=os.environ)
    return OrdinaryKernels(housing=housing, **options)


def forked_in(folder: Path, *, wall: Wall | None = WALL, **options) -> ForkedKernels:
    places = Places(wall=wall, work=folder / "work", cache=folder / "cache", inherited=os.environ)
    return ForkedKernels(places=places, others=ordinary_in(folder), **options)


SOURCES = {"forked": forked_in, "ordinary": ordinary_in}


def executor_at(folder: Path, level: str, *, ordinary: bool = False, **options) -> NotebookExecutor:
    """An executor behind the wall of *level*, on forked kernels unless *ordinary* ones are wanted."""
    wall = choose(level).wall
    if wall is None:
        pytest.skip(f"this machine gives no isolation of level {level}")
    source = (ordinary_in if ordinary else forked_in)(folder, wall=wall)
    return NotebookExecutor(kernels=source, **options)


def alive() -> list[str]:
    """The children of this process."""
    found = []
    for task in os.listdir("/proc/self/task"):
        try:
            found += Path(f"/proc/self/task/{task}/children").read_text().split()
        except FileNotFoundError:
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_left(tmp_path):
    """After every test here no child is left, and no folder of a kernel."""
    before = alive()
    yield
    assert [pid for pid in alive() if pid not in before] == []
    work = tmp_path / "work"
    assert not work.exists() or list(work.iterdir()) == []


@pytest.fixture(params=SOURCES)
def kernels(request, tmp_path) -> Callable[..., KernelSource]:
    if request.param == "forked" and WALL is None:
        pytest.skip("no namespaces can be had here")
    return lambda **options: SOURCES[request.param](tmp_path, **options)


@pytest.fixture
def carried(tmp_path, kernels, notebook) -> Callable[..., Carried]:
    """Carries out a notebook of some cells, on a kernel of its own.

    `cancel_at` cancels when a cell prints that word; further options are the task's.
    """

    def carry(*cells, cancel_at=None, limits=None, source=None, patience_seconds=10.0, **options):
        document = notebook(*cells)
        task = Task(
            run_id="run-1",
            notebook=dump(load(document)),
            limits=Limits(**({"seconds": 60.0} | (limits or {}))),
            leave=tmp_path / "left",
            **options,
        )
        carried = Carried(outcome=None, left=tmp_path / "left")

        async def main():
            cancel = asyncio.Event()

            def report(type, data):
                json.dumps(data, allow_nan=False)
                carried.events.append((type, dict(data)))
                if cancel_at and cancel_at in str(data.get("text", "")):
                    cancel.set()

            executor = NotebookExecutor(
                kernels=source or kernels(), patience_seconds=patience_seconds
            )
            try:
                carried.outcome = await executor.execute(task, report=report, cancel=cancel)
            finally:
                await executor.close()

        asyncio.run(main())
        # Whatever happened, what is kept is a notebook.
        load(carried.outcome.notebook)
        return carried

    return carry
