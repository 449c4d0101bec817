"""An executor on real kernels, and what has become of everything afterwards."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from workbench.domain.events import EventType
from workbench.domain.isolation import Isolation
from workbench.domain.limits import Limits
from workbench.kernels import KernelSource, Outcome, Task, Wanted
from workbench.kernels.channel import receive
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


@dataclass(slots=True)
class Shared:
    """Forked kernels that many tests use, and the loop they live on."""

    folder: Path
    runner: asyncio.Runner
    source: ForkedKernels


class Lent:
    """A source that is not closed by whoever uses it."""

    ready = 0

    def __init__(self, source: KernelSource) -> None:
        self._source = source
        self.isolation = source.isolation
        self.kind, self.start = source.kind, source.start

    async def close(self) -> None:
        """Leave that to its owner."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Shared]:
    if WALL is None:
        pytest.skip("no namespaces can be had here")
    folder = tmp_path_factory.mktemp("shared")

    async def begin() -> ForkedKernels:
        source = forked_in(folder)
        kernel = await source.start(Wanted(), seconds=120)
        await kernel.end()
        kernel.clear()
        return source

    with asyncio.Runner() as runner:
        source = runner.run(begin())
        yield Shared(folder, runner, source)
        runner.run(source.close())


@pytest.fixture(autouse=True)
def nothing_left(request, tmp_path):
    """After every test here no child is left, and no folder of a kernel."""
    folders = [tmp_path]
    if {"carried", "kernels", "shared"} & {*request.fixturenames} and "forked" in request.node.name:
        folders.append(request.getfixturevalue("shared").folder)
    before = alive()
    yield
    assert [pid for pid in alive() if pid not in before] == []
    for work in (folder / "work" for folder in folders):
        assert not work.exists() or list(work.iterdir()) == []


async def said(kernel, source: str) -> str:
    """What *kernel* prints when it executes *source*."""
    request = await kernel.connection.execute(source)
    text = ""
    async with asyncio.timeout(60):
        while True:
            frames = await receive(kernel.connection.iopub, kernel.dead)
            assert frames is not None, "the kernel died"
            message = kernel.connection.read(frames)
            assert message.type != "error", "\n".join(message.content["traceback"])
            if message.type == "stream":
                text += message.content["text"]
            idle = message.content.get("execution_state") == "idle"
            if message.parent == request and idle:
                return text


@pytest.fixture
def ask():
    """Gives what a kernel prints: `await ask(kernel, source)`."""
    return said


@pytest.fixture
def forked(tmp_path) -> Callable[..., ForkedKernels]:
    """Makes sources of forked kernels, in the present loop."""
    return lambda **options: forked_in(tmp_path, **options)


class Making:
    """Makes sources of one sort in one folder."""

    def __init__(self, sort: str, folder: Path) -> None:
        self.sort = sort
        self._folder = folder

    def __call__(self, **options) -> KernelSource:
        return SOURCES[self.sort](self._folder, **options)


@pytest.fixture(params=SOURCES)
def kernels(request, tmp_path) -> Making:
    if request.param == "forked" and WALL is None:
        pytest.skip("no namespaces can be had here")
    return Making(request.param, tmp_path)


@pytest.fixture
def carried(request, tmp_path, kernels, notebook) -> Callable[..., Carried]:
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

            used = source or (Lent(shared.source) if shared else kernels())
            executor = NotebookExecutor(kernels=used, patience_seconds=patience_seconds)
            try:
                carried.outcome = await executor.execute(task, report=report, cancel=cancel)
            finally:
                await executor.close()

        shared = None
        if source is None and kernels.sort == "forked":
            shared = request.getfixturevalue("shared")
        (shared.runner.run if shared else asyncio.run)(main())
        # Whatever happened, what is kept is a notebook.
        load(carried.outcome.notebook)
        return carried

    return carry
