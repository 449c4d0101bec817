"""Whatever a notebook does ends as a run with its reason, and nothing of it is left anywhere."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import as_notebook
from tests.kernels.conftest import alive, executor_at
from tests.kernels.poison import POISON, SMALL, Poison
from workbench.domain.limits import Limits
from workbench.domain.runs import RunStatus
from workbench.kernels import Outcome, Task
from workbench.kernels.executor import NotebookExecutor
from workbench.notebook.document import dump, load

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(900)]

AT_ONCE = 8
BUDGET = 250_000_000
"""How many bytes this process may grow by, with that many floods at a time."""


QUICK = {name: poison for name, poison in POISON.items() if not poison.heavy}


@dataclass(slots=True)
class Aftermath:
    """What became of every poisoned run, and of us."""

    outcomes: dict[str, Outcome]
    grown: int = 0
    children: int = 0
    descriptors: int = 0
    folders: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def task(name: str, poison: Poison, left: Path) -> Task:
    cells = ("print('before')", poison.cell, "print('after')")
    return Task(
        run_id=name,
        notebook=dump(load(as_notebook(*cells))),
        limits=Limits(**{**SMALL, **poison.limits}),
        leave=left / name.replace("/", "-"),
    )


async def survive(folder: Path, executor: NotebookExecutor, poisons: dict[str, Poison]):
    """What becomes of all *poisons*, some at a time."""
    room = asyncio.Semaphore(AT_ONCE)
    seen: dict[str, Outcome] = {}

    async def one(name: str, poison: Poison) -> None:
        async with room:
            seen[name] = await executor.execute(
                task(name, poison, folder / "left"),
                report=lambda type, data: None,
                cancel=asyncio.Event(),
            )

    await asyncio.gather(*(one(name, poison) for name, poison in poisons.items()))
    return seen


def aftermath(folder: Path, level: str, poisons: dict[str, Poison], *, ordinary: bool):
    """What became of *poisons* at *level*."""
    grown = descriptors = 0

    async def main() -> dict[str, Outcome]:
        nonlocal grown, descriptors
        executor = executor_at(folder, level, ordinary=ordinary)
        try:
            await survive(folder, executor, {"warm": Poison(cell="1", ends=(None,))})
            gc.collect()
            before, open_before = resident(), len(os.listdir("/proc/self/fd"))
            seen = await survive(folder, executor, poisons)
            gc.collect()
            grown, descriptors = (
                resident() - before,
                len(os.listdir("/proc/self/fd")) - open_before,
            )
            return seen
        finally:
            await executor.close()

    children, sockets = len(alive()), socket_folders()
    outcomes = asyncio.run(main())
    return Aftermath(
        outcomes=outcomes,
        grown=grown,
        children=len(alive()) - children,
        descriptors=descriptors,
        folders=tuple(os.listdir(folder / "work")),
        sockets=tuple(socket_folders() - sockets),
    )


def socket_folders() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob(f"wb-{os.getpid()}-*")}


@pytest.fixture(scope="module")
def survived(tmp_path_factory) -> Aftermath:
    """All of it, on forked kernels behind the wall that agents have here."""
    return aftermath(tmp_path_factory.mktemp("p"), "auto", QUICK, ordinary=False)


def judge(name: str, outcome: Outcome) -> None:
    assert outcome.reason in POISON[name].ends, outcome.error
    assert (outcome.status is RunStatus.COMPLETED) == (outcome.reason is None)
    cells = {cell["id"]: cell for cell in load(outcome.notebook)["cells"]}
    assert "".join(o["text"] for o in cells["cell-0"]["outputs"]) == "before\n"
    assert len(outcome.notebook) < 2_500_000
    if outcome.reason is not None and not POISON[name].late:
        assert outcome.error["cell"]["index"] == 1
        assert cells["cell-2"]["outputs"] == []


@pytest.mark.parametrize("name", QUICK)
def test_a_poisoned_run_ends_with_its_reason(survived, name):
    judge(name, survived.outcomes[name])


def test_nothing_of_it_is_left(survived):
    assert survived.children == 0
    assert survived.descriptors <= 0
    assert survived.folders == ()
    assert survived.sockets == ()


def test_it_does_not_fill_this_process(survived):
    assert survived.grown < BUDGET


@pytest.mark.soak
@pytest.mark.parametrize(
    ("level", "ordinary"),
    [("namespaces", False), ("namespaces", True), ("landlock", False), ("none", True)],
)
def test_it_is_the_same_elsewhere(tmp_path, level, ordinary):
    poisons = {n: p for n, p in POISON.items() if level == "namespaces" or not p.walled}

    after = aftermath(tmp_path, level, poisons, ordinary=ordinary)

    for name, outcome in after.outcomes.items():
        judge(name, outcome)
    test_nothing_of_it_is_left(after)
    test_it_does_not_fill_this_process(after)
