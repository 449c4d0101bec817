"""The cases of an agent while they are edited: what each is given, expects and came to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from workbench.domain.definitions import matches
from workbench.errors import InvalidInput
from workbench.panels import wording
from workbench.panels.forms import Form, form_of

View: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a case came to when it was last tried.

    Attributes:
        word: `running`, `passed`, `differs`, `failed` or `cancelled`.
        said: Why it did not pass, in words.
        result: What the agent handed back.
    """

    word: str = "running"
    said: str = ""
    result: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case, as far as it has been written.

    Attributes:
        id: What it is known by while it is edited, whatever it is called.
        form: What it gives to the agent.
        expect: What its result must match, as JSON; empty if any will do.
        outcome: What it came to, since it was last changed.
    """

    id: str
    name: str = ""
    form: Form = field(default_factory=Form)
    expect: str = ""
    outcome: Outcome | None = None

    def problems(self) -> dict[str, str]:
        """What is wrong, by field."""
        found = self.form.problems()
        if not self.name.strip():
            found[_NAME] = wording.NAME_IT
        try:
            _expected(self.expect)
        except ValueError as error:
            found[_EXPECT] = wording.no_json(error)
        return found

    def parameters(self) -> dict[str, object]:
        """What it gives that is not given anyway.

        Raises:
            InvalidInput: A field cannot be read.
        """
        defaults = {one.name: one.default for one in self.form.fields if not one.required}
        values = self.form.values().items()
        return {n: value for n, value in values if n not in defaults or defaults[n] != value}

    def as_json(self) -> dict[str, object]:
        """The case as the notebook carries it; only one without problems can be written."""
        written: dict[str, object] = {"name": self.name.strip(), "parameters": self.parameters()}
        return {**written, "expect": _expected(self.expect)} if self.expect.strip() else written

    def fill(self, name: str, text: str | bool) -> Case:
        """The case with *text* in the field *name*; what it came to before counts no more."""
        fresh = replace(self, outcome=None)
        if name == _NAME:
            return replace(fresh, name=str(text))
        if name == _EXPECT:
            return replace(fresh, expect=str(text))
        return replace(fresh, form=self.form.fill(name, text))

    def judged(self, run: View) -> Case:
        """The case once *run*, which was given what it gives, has ended."""
        if run["status"] != "completed":
            said = wording.raised(run) or wording.failed(run)
            return replace(self, outcome=Outcome(word=run["status"], said=said))
        result = run["result"]
        passed = not self.expect.strip() or matches(_expected(self.expect), result)
        word, said = ("passed", "") if passed else ("differs", wording.NOT_EXPECTED)
        return replace(self, outcome=Outcome(word=word, said=said, result=result))

    def shown(self) -> dict[str, Any]:
        """What the component for forms shows."""
        wrong = self.problems()
        touched = self.form.touched | {_EXPECT} | ({_NAME} if self.name else frozenset())
        inner = self.form.shown()
        name = {"name": _NAME, "label": wording.CASE_NAME, "kind": "text", "text": self.name}
        expect = {"name": _EXPECT, "label": wording.CASE_EXPECT, "kind": "json", "rows": 4}
        expect |= {"help": wording.CASE_EXPECT_HELP, "text": self.expect}
        return {
            "fields": [name, *inner["fields"], expect],
            "problems": {one: said for one, said in wrong.items() if one in touched},
        }


# No parameter can be called like these.
_NAME, _EXPECT = "case name", "case expect"


def cases_of(agent: View, written: object) -> tuple[Case, ...]:
    """The cases that a notebook carries, to be edited."""
    found = written if isinstance(written, Sequence) and not isinstance(written, str) else ()
    return tuple(
        Case(
            id=str(number),
            name=str(one.get("name", "")),
            form=form_of(agent, one.get("parameters") or {}),
            expect=json.dumps(one["expect"], indent=2) if "expect" in one else "",
        )
        for number, one in enumerate(found)
        if isinstance(one, Mapping)
    )


def another(agent: View, cases: Sequence[Case]) -> Case:
    """A new case, given what the agent is given by itself."""
    number = max((int(case.id) for case in cases), default=-1) + 1
    taken = {case.name for case in cases}
    count = next(n for n in range(1, len(cases) + 2) if f"case {n}" not in taken)
    return Case(id=str(number), name=f"case {count}", form=form_of(agent))


def expecting(case: Case) -> Case:
    """The case, which has been tried, expecting what it came to."""
    assert case.outcome is not None
    expect = json.dumps(case.outcome.result, indent=2, ensure_ascii=False)
    return replace(case, expect=expect, outcome=replace(case.outcome, word="passed", said=""))


def written(cases: Sequence[Case]) -> list[dict[str, object]]:
    """The cases as the notebook carries them.

    Raises:
        InvalidInput: One of them cannot be written.
    """
    for case in cases:
        if case.problems():
            raise InvalidInput(wording.fix_case(case.name), case=case.name)
    return [case.as_json() for case in cases]


def _expected(text: str) -> object:
    return json.loads(text) if text.strip() else None
