"""Starters filled in from a description, for a workbench without a language model.

Nothing here understands what it is given: the first starter of which the description has a word is
taken, and the description is put where it belongs. The same words always give the same draft.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.domain.definitions import Case
from workbench.domain.plans import LONGEST_TEXT, Plan, PlannedParameter, PlannedStep

_WORD = re.compile(r"[a-z]+")
_LONGEST_TITLE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class _Starter:
    """One thing to begin with: when it is taken, what it takes and does."""

    words: frozenset[str]
    result: str
    parameters: Sequence[PlannedParameter]
    steps: Sequence[PlannedStep]
    cases: Sequence[Case]
    cells: Sequence[tuple[str, str]]


def _parameter(name: str, type: str, default: object, help: str) -> PlannedParameter:
    return PlannedParameter(name=name, type=type, default=default, help=help)


_NUMBERS = _Starter(
    words=frozenset(
        [
            "average",
            "chart",
            "column",
            "csv",
            "data",
            "mean",
            "median",
            "number",
            "numbers",
            "report",
            "row",
            "rows",
            "statistics",
            "sum",
            "table",
            "total",
        ]
    ),
    result="How many there are, what they come to, and their mean.",
    parameters=(
        _parameter("rows", "list[float]", [1.0, 2.5, 4.0], "the numbers"),
        _parameter("digits", "int", 2, "how many decimals"),
    ),
    steps=(PlannedStep(title="Summarise the numbers"), PlannedStep(title="Hand them back")),
    cases=(
        Case(
            name="three numbers",
            parameters={"rows": [1.0, 2.0, 3.0]},
            expects=True,
            expected={"count": 3, "sum": 6.0, "mean": 2.0},
        ),
        Case(
            name="none at all",
            parameters={"rows": []},
            expects=True,
            expected={"count": 0, "mean": None},
        ),
    ),
    cells=(
        (
            "code",
            """\
from statistics import mean

summary = {
    "count": len(rows),
    "sum": round(sum(rows), digits),
    "mean": round(mean(rows), digits) if rows else None,
}""",
        ),
        ("check", 'assert summary["count"] == len(rows)'),
        ("code", "from workbench import agent\n\nagent.result(summary)"),
    ),
)
_WORDS = _Starter(
    words=frozenset(
        [
            "answer",
            "answers",
            "chat",
            "classify",
            "describe",
            "draft",
            "explain",
            "language",
            "llm",
            "mail",
            "model",
            "prompt",
            "question",
            "questions",
            "reply",
            "rewrite",
            "sentiment",
            "summaries",
            "summarise",
            "summarize",
            "summary",
            "text",
            "translate",
            "write",
            "writes",
        ]
    ),
    result="What the language model says.",
    parameters=(_parameter("text", "str", "Say hello.", "what it is about"),),
    steps=(PlannedStep(title="Ask a language model"), PlannedStep(title="Hand its answer back")),
    cases=(Case(name="a short text", parameters={"text": "Hello."}),),
    cells=(
        ("code", "task = {description}"),
        (
            "code",
            """\
from workbench import agent

said = agent.chat(text, system=task)
agent.result({{"answer": said.text}})""",
        ),
    ),
)
_PLAIN = _Starter(
    words=frozenset(),
    result="What was given, and what it is for.",
    parameters=(_parameter("subject", "str", "world", "what it is about"),),
    steps=(PlannedStep(title="Do the work: write it here"), PlannedStep(title="Hand it back")),
    cases=(
        Case(
            name="one subject",
            parameters={"subject": "Ada"},
            expects=True,
            expected={"subject": "Ada"},
        ),
    ),
    cells=(
        (
            "code",
            "# What the agent shall do, as it was described; write it here.\ntask = {description}",
        ),
        (
            "code",
            'from workbench import agent\n\nagent.result({{"subject": subject, "task": task}})',
        ),
    ),
)
_STARTERS = (_NUMBERS, _WORDS)


def filled(description: str) -> tuple[Plan, Sequence[tuple[str, str]]]:
    """A plan for *description*, and the kinds and sources of its cells."""
    starter = _for(description)
    plan = Plan(
        title=_title(description),
        description=" ".join(description.split())[:LONGEST_TEXT],
        result=starter.result,
        parameters=starter.parameters,
        steps=starter.steps,
        cases=starter.cases,
    )
    return plan, cells_for(description)


def cells_for(description: str) -> Sequence[tuple[str, str]]:
    """The kinds and sources of the cells alone, for a plan that is there already."""
    starter = _for(description)
    if starter is _NUMBERS:
        return starter.cells
    about = repr(description.strip())
    return [(kind, source.format(description=about)) for kind, source in starter.cells]


def _for(description: str) -> _Starter:
    words = set(_WORD.findall(description.lower()))
    return next((one for one in _STARTERS if one.words & words), _PLAIN)


def _title(description: str) -> str:
    """The first sentence of *description*, or as much of it as makes a title."""
    first = re.split(r"(?<=[.!?])\s|\n", description.strip(), maxsplit=1)[0].strip(" .#")
    if len(first) > _LONGEST_TITLE:
        first = first[:_LONGEST_TITLE].rpartition(" ")[0] or first[:_LONGEST_TITLE]
    return first or "An agent"
