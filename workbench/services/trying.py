"""Trying a notebook where it lies: no agent, no version, no home, and no record but the notebook.

It is carried out as papermill would carry it out: a parameter that it does not declare is
mentioned and injected all the same. What it does declare, it is held to.
"""

from __future__ import annotations

import math
import os
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.domain.definitions import Definition
from workbench.domain.limits import BOUNDLESS, Limits
from workbench.domain.parameters import TEST, Parameter, accept, from_text, object_schema
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import InvalidAgentConfig, Unavailable
from workbench.kernels import Executor, Outcome, Task
from workbench.kernels.environment import apart, at_home
from workbench.kernels.executor import NotebookExecutor
from workbench.kernels.ground import AUTO, choose
from workbench.kernels.ordinary import OrdinaryKernels
from workbench.notebook.definition import define
from workbench.notebook.document import fingerprint, thaw
from workbench.notebook.parameters import declared
from workbench.services.judging import breach, check_values

# A file that somebody keeps and runs themselves: the budgets only save the machine.
_ROOMY = replace(
    BOUNDLESS,
    kept_output_bytes=512 * 1024 * 1024,
    output_bytes=1024 * 1024 * 1024,
    result_bytes=64 * 1024 * 1024,
)

_PYTHON = "python3"
"""What Jupyter calls its own kernel; notebooks that name none mean it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A notebook that is about to be tried.

    Attributes:
        task: What the executor gets.
        definition: What the notebook declares.
        unknown: Parameters it is given though it declares none of that name.
    """

    task: Task
    definition: Definition
    unknown: Sequence[str] = ()


def executor_here(folder: Path) -> Executor:
    """What carries out a notebook as papermill would: in *folder*, in the caller's environment."""
    housing = at_home(folder=folder, inherited=os.environ)
    return NotebookExecutor(kernels=OrdinaryKernels(housing=housing))


@contextmanager
def sandbox() -> Iterator[Executor]:
    """What carries out a notebook behind the best wall there is, in a folder that goes with it.

    Raises:
        Unavailable: There is none to be had on this machine.
    """
    ground = choose(AUTO)
    if ground.wall is None:
        raise Unavailable(f"There is no sandbox to be had on this machine. {ground.cure}".rstrip())
    with tempfile.TemporaryDirectory(prefix="wb-run-") as folder:
        housing = apart(
            work=Path(folder) / "runs", cache=Path(folder) / "cache", inherited=os.environ
        )
        yield NotebookExecutor(kernels=OrdinaryKernels(housing=housing, wall=ground.wall))


def held(trial: Trial) -> Trial:
    """*trial* within the limits of any agent's run, but for the time it says it needs."""
    limits = replace(Limits(), seconds=trial.task.limits.seconds)
    return replace(trial, task=replace(trial.task, limits=limits))


def prepare(notebook: bytes, *, texts: Mapping[str, str], test: bool) -> Trial:
    """What trying *notebook* with *texts* as parameters comes to; nothing is run.

    Raises:
        InvalidInput: A text cannot be read as its declared type, or a required one is missing.
        InvalidAgentConfig: What the notebook says of itself cannot be.
    """
    definition = _definition(notebook)
    known = {parameter.name for parameter in definition.parameters}
    unknown = sorted(set(texts) - known - {TEST})
    given = {name: text for name, text in texts.items() if name not in unknown}
    values = accept(definition.parameters, _typed(definition.parameters, given))
    check_values(definition, values)
    task = Task(
        run_id=uuid.uuid4().hex,
        notebook=notebook,
        parameters={**values, **{name: guessed(texts[name]) for name in unknown}},
        test=test,
        kernel=definition.kernel or _PYTHON,
        limits=_limits(definition),
    )
    return Trial(task=task, definition=definition, unknown=unknown)


def judged(trial: Trial, outcome: Outcome) -> dict[str, Any]:
    """What has become of the trial, with the names that runs of agents use."""
    status, reason, error = outcome.status, outcome.reason, outcome.error
    if status is RunStatus.COMPLETED and (broken := breach(trial.definition, outcome.result)):
        status, reason, error = RunStatus.FAILED, Reason.INVALID_OUTPUT, broken
    return {
        "run_id": trial.task.run_id,
        "status": str(status),
        "reason": None if reason is None else str(reason),
        "test": trial.task.test,
        "parameters": dict(trial.task.parameters),
        "result": outcome.result if status is RunStatus.COMPLETED else None,
        "error": None if error is None else dict(error),
        "resource_usage": dict(outcome.resource_usage),
        "isolation": outcome.isolation or None,
    }


def guessed(text: str) -> object:
    """The value papermill's command line takes *text* for."""
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        # JSON has no NaN and no infinity, so a notebook cannot hold them.
        return value if math.isfinite(value) else text
    return text


_WORDS = {"True": True, "False": False, "None": None}


def _definition(notebook: bytes) -> Definition:
    nb = thaw(notebook)
    kept = fingerprint(notebook)
    if "workbench" in nb["metadata"]:
        return define(nb, fingerprint=kept)
    # It never meant to be an agent: what cannot be read is left to the kernel, as by papermill.
    try:
        parameters = declared(nb)
    except InvalidAgentConfig:
        parameters = ()
    spec = nb["metadata"].get("kernelspec")
    kernel = spec.get("name") if isinstance(spec, Mapping) else None
    return Definition(
        fingerprint=kept,
        parameters=parameters,
        input_schema=object_schema(parameters),
        kernel=kernel if isinstance(kernel, str) else "",
    )


def _typed(parameters: Sequence[Parameter], texts: Mapping[str, str]) -> dict[str, object]:
    untyped = {p.name for p in parameters if not p.schema}
    typed = from_text(parameters, {n: t for n, t in texts.items() if n not in untyped})
    return typed | {n: guessed(t) for n, t in texts.items() if n in untyped}


def _limits(definition: Definition) -> Limits:
    if definition.timeout_seconds is None:
        return _ROOMY
    return replace(_ROOMY, seconds=definition.timeout_seconds)
