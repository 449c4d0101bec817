"""`workbench run`: a notebook on disk as papermill would, or an agent as anybody would call it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli import printing
from workbench.cli.desk import View
from workbench.cli.opening import desk
from workbench.cli.options import home_option, json_option, option, parameters_option
from workbench.cli.outcomes import COMPLETED, code_of_run
from workbench.cli.paper import check_writable, read_notebook, write_whole
from workbench.cli.progress import Heed, cell_bar
from workbench.cli.targets import Address, target
from workbench.cli.values import texts
from workbench.domain.isolation import Isolation, Protection
from workbench.domain.models import Mode
from workbench.errors import NotFound

if TYPE_CHECKING:
    from workbench.kernels import Executor, Outcome
    from workbench.services.trying import Trial

_UNCONTAINED = Protection(level=Isolation.NONE, cure="Say --sandbox.")

# What a terminal or a process manager says when it wants the command to end.
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.argument("wanted", metavar="TARGET")
@parameters_option
@option("--test", is_flag=True, help="Make it a test run.")
@option(
    "--sandbox",
    is_flag=True,
    help="Keep a notebook on disk from everything: no network, no files but its own.",
)
@option(
    "--model",
    type=click.Choice([str(mode) for mode in Mode]),
    help="Where the answers of an agent's language model come from.",
)
@option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the executed notebook, however the run ends.",
)
@home_option
@json_option
def run(
    wanted: str,
    parameters: tuple[tuple[str, str], ...],
    test: bool,
    sandbox: bool,
    model: str | None,
    output: Path | None,
    home: Path | None,
    as_json: bool,
) -> int:
    """Run TARGET and print its result.

    TARGET is a notebook on disk (.ipynb or .py), which runs here in the current folder and leaves
    nothing but OUTPUT, or an agent (owner/name or owner/name@version), whose runs are recorded and
    always kept apart.
    """
    meant = target(wanted)
    given = texts(parameters)
    if output is not None:
        check_writable(output)
    if isinstance(meant, Path):
        view = _run_notebook(meant, given, test=test, sandboxed=sandbox, output=output)
    else:
        view = _run_agent(meant, given, test=test, model=model, output=output, home=home)
    code = code_of_run(view)
    if as_json:
        printing.for_programs(view)
    elif code == COMPLETED:
        printing.value(view["result"])
    else:
        printing.remark(f"error: {printing.failure(view)}")
    return code


def _run_notebook(
    path: Path, given: Mapping[str, str], *, test: bool, sandboxed: bool, output: Path | None
) -> View:
    # Weight: whoever runs an agent, or asks for help, does without.
    from workbench.services.trying import held, judged, prepare, sandbox

    notebook = read_notebook(path)
    trial = prepare(notebook, texts=given, test=test)
    for name in trial.unknown:
        printing.undeclared(name, path)
    if not sandboxed:
        _UNCONTAINED.check(trial.definition.isolation)
    began = time.monotonic()
    with ExitStack() as stack:
        heed = stack.enter_context(cell_bar(lambda: notebook, test=test))
        executor = stack.enter_context(sandbox()) if sandboxed else None
        outcome = asyncio.run(_try(held(trial) if sandboxed else trial, heed, executor))
    took = round((time.monotonic() - began) * 1000, 1)
    if output is not None:
        write_whole(output, outcome.notebook)
    return {**judged(trial, outcome), "execution_time_ms": took}


async def _try(trial: Trial, heed: Heed, executor: Executor | None) -> Outcome:
    # Weight, again. Built here and not by the composition root, which brings the store along.
    from workbench.kernels.environment import at_home
    from workbench.kernels.executor import NotebookExecutor
    from workbench.kernels.ordinary import OrdinaryKernels

    housing = at_home(folder=Path.cwd(), inherited=os.environ)
    called_off = asyncio.Event()
    for number in _ENDINGS:
        asyncio.get_running_loop().add_signal_handler(number, called_off.set)
    # The kernel that papermill would start, never our own: its user may have chosen it.
    executor = executor or NotebookExecutor(kernels=OrdinaryKernels(housing=housing, own=()))
    try:
        return await executor.execute(
            trial.task, report=lambda kind, data: heed(str(kind), data), cancel=called_off
        )
    finally:
        await executor.close()


def _run_agent(
    address: Address,
    given: Mapping[str, str],
    *,
    test: bool,
    model: str | None,
    output: Path | None,
    home: Path | None,
) -> View:
    with _interruptible(), desk(home) as found:
        run_id = found.start(address, texts=given, test=test, model=model)["id"]
        try:
            with cell_bar(lambda: found.notebook(address), test=test) as heed:
                for event in found.follow(run_id):
                    heed(event["type"], event)
        except KeyboardInterrupt:
            found.cancel(run_id)
        view = found.settled(run_id)
        if output is not None:
            try:
                write_whole(output, found.run_notebook(run_id))
            except NotFound as error:
                printing.remark(str(error))
    return {"run_id": run_id, **view}


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let every polite request to end be what Ctrl-C is, so that the run is called off."""

    def interrupt(_number: int, _frame: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    before = {number: signal.signal(number, interrupt) for number in _ENDINGS[1:]}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
