"""Looking at a proposal for everything that is wrong with it; nothing is run and nothing is kept."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workbench.domain.caps import Caps
from workbench.domain.definitions import Definition
from workbench.domain.names import check_name
from workbench.errors import InvalidAgentConfig, InvalidRequest
from workbench.notebook.definition import define, faults
from workbench.notebook.document import dump, fingerprint, load, without_outputs
from workbench.notebook.imports import imports
from workbench.notebook.secrets import secrets
from workbench.services.authoring import (
    LONGEST_DESCRIPTION,
    Proposal,
    as_file,
    check_kernel,
    document_of,
)
from workbench.services.publishing import SECRET, cases_of

MISSING = "ModuleNotFound"


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        severity: Whether it must be put right.
        code: What kind of thing it is, for programs.
        message: What is wrong, for people.
        details: Where: `cell`, `cell_id`, `line` or `field`, as far as they are known.
    """

    severity: Severity = Severity.ERROR
    code: str = InvalidAgentConfig.code
    message: str
    details: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found.

    Attributes:
        problems: Everything that is wrong, errors first.
        definition: What the notebook declares, if it can be an agent.
    """

    problems: Sequence[Problem]
    definition: Definition | None

    @property
    def valid(self) -> bool:
        """Whether nothing must be put right."""
        return not any(problem.severity is Severity.ERROR for problem in self.problems)


def validated(
    proposal: Proposal,
    *,
    kernels: Collection[str] = (),
    caps: Caps | None = None,
    publish: bool = False,
    refused: Sequence[InvalidAgentConfig] = (),
) -> Examination:
    """Everything that is wrong with *proposal*, where agents may name *kernels* too.

    What it asks for must be within *caps*, if there are any. With *publish*, what would only keep it from being published counts as well; *refused* is what
    was found wrong before there was a proposal.
    """
    problems = [*map(_problem, refused), *_about_it(proposal)]
    definition = None
    try:
        nb = without_outputs(load(document_of(proposal)))
    except InvalidAgentConfig as error:
        problems.append(_problem(error))
    else:
        problems += map(_problem, faults(nb))
        problems += _secrets(nb)
        if not problems:
            definition, refusals = _defined(nb, proposal, kernels, caps, publish=publish)
            problems += refusals
        if _own_kernel(nb, kernels):
            problems += _missing(nb, beside=proposal.files)
    problems.sort(key=lambda problem: problem.severity is not Severity.ERROR)
    return Examination(problems=problems, definition=definition)


def _about_it(proposal: Proposal) -> Iterator[Problem]:
    """What is wrong with a proposal besides its notebook."""
    try:
        check_name(proposal.name)
    except (InvalidAgentConfig, InvalidRequest) as error:
        yield _problem(error)
    if len(proposal.description) > LONGEST_DESCRIPTION:
        yield Problem(
            message=f"description may have {LONGEST_DESCRIPTION} letters.",
            details={"field": "description"},
        )
    for item in sorted(proposal.files.items()):
        try:
            as_file(item)
        except InvalidRequest as error:
            yield _problem(error)


def _defined(
    nb: dict[str, Any],
    proposal: Proposal,
    kernels: Collection[str],
    caps: Caps | None,
    *,
    publish: bool,
) -> tuple[Definition | None, list[Problem]]:
    files = tuple(map(as_file, sorted(proposal.files.items())))
    definition = define(nb, fingerprint=fingerprint(dump(nb)), files=files)
    checks: list[Callable[[], object]] = [lambda: check_kernel(definition, kernels)]
    if publish:
        checks.append(lambda: cases_of(definition))
    found = [] if caps is None else [_problem(refusal) for refusal in caps.refusals(definition)]
    for check in checks:
        try:
            check()
        except InvalidAgentConfig as error:
            found.append(_problem(error))
    return definition, found


def _secrets(nb: dict[str, Any]) -> Iterator[Problem]:
    for secret in secrets(nb):
        yield Problem(code=SECRET, message=secret.message, details=secret.place)


def _own_kernel(nb: dict[str, Any], kernels: Collection[str]) -> bool:
    """Whether runs would find the modules that are found here."""
    spec = nb["metadata"].get("kernelspec")
    name = spec.get("name") if isinstance(spec, dict) else None
    return name not in kernels


def _missing(nb: dict[str, Any], *, beside: Collection[str]) -> Iterator[Problem]:
    travelling = {path.partition("/")[0].removesuffix(".py") for path in beside}
    for imported in imports(nb):
        if imported.name not in travelling and not _is_here(imported.name):
            yield Problem(
                severity=Severity.WARNING,
                code=MISSING,
                message=f"Cell {imported.cell} imports {imported.name}, which is not installed here"
                f" (line {imported.line}).",
                details={
                    "cell": imported.cell,
                    "cell_id": imported.cell_id,
                    "line": imported.line,
                    "module": imported.name,
                },
            )


def _is_here(name: str) -> bool:
    """Whether a module of that outermost name can be found; it is not imported."""
    if name in sys.builtin_module_names or name in sys.stdlib_module_names:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _problem(error: InvalidAgentConfig | InvalidRequest) -> Problem:
    return Problem(code=error.code, message=str(error), details=error.details)
