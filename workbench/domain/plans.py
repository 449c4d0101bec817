"""A plan: what an agent shall take, do and hand back, before anybody writes a cell of it.

A model makes one of a description, a person may change it, and cells are written after it. Its
cases are what those cells are held to: nobody who writes cells can change them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from workbench.domain.definitions import Case
from workbench.domain.names import is_parameter_name
from workbench.domain.parameters import TEST
from workbench.errors import InvalidRequest

T = TypeVar("T")

TYPES = ("str", "int", "float", "bool", "list[str]", "list[int]", "list[float]", "list", "dict")
"""What a parameter of a plan can be."""

MOST_PARAMETERS = 30
MOST_STEPS = 30
MOST_TOOLS = 30
MOST_CASES = 10
LONGEST_TEXT = 2_000
_LONGEST_TITLE = 120

_ITEMS: Mapping[str, type | tuple[type, ...]] = {"str": str, "int": int, "float": (int, float)}
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    **_ITEMS,
    "bool": bool,
    "list": list,
    "dict": dict,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedParameter:
    """One name that callers may give.

    Attributes:
        type: One of `TYPES`.
        default: The default, unless it is required.
        required: Whether there is none.
        help: What it decides.
    """

    name: str
    type: str
    default: object = None
    required: bool = False
    help: str = ""

    def as_json(self) -> dict[str, object]:
        """As `plan_from_json` reads it."""
        told: dict[str, object] = {"name": self.name, "type": self.type, "help": self.help}
        return told if self.required else {**told, "default": self.default}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One thing it does, and why."""

    title: str
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTool:
    """A function that its language model may ask for, and why."""

    name: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an agent shall be.

    Attributes:
        title: In a few words.
        description: One paragraph for people.
        result: What it hands back.
        parameters: What it takes.
        steps: What it does, in order.
        tools: What a language model may use in it; none if it asks none.
        cases: What it is tried with.
    """

    title: str
    description: str
    result: str = ""
    parameters: Sequence[PlannedParameter] = ()
    steps: Sequence[PlannedStep] = ()
    tools: Sequence[PlannedTool] = ()
    cases: Sequence[Case] = ()

    def as_json(self) -> dict[str, Any]:
        """The plan as plain JSON values; `plan_from_json` reads it back."""
        return {
            "title": self.title,
            "description": self.description,
            "result": self.result,
            "parameters": [parameter.as_json() for parameter in self.parameters],
            "steps": [asdict(step) for step in self.steps],
            "tools": [asdict(tool) for tool in self.tools],
            "cases": [case_as_json(case) for case in self.cases],
        }


def case_as_json(case: Case) -> dict[str, object]:
    """A case as `metadata.workbench.cases` has it."""
    told: dict[str, object] = {"name": case.name, "parameters": dict(case.parameters)}
    return {**told, "expect": case.expected} if case.expects else told


def plan_from_json(value: object) -> Plan:
    """The plan that *value* is.

    Raises:
        InvalidRequest: It is none; the message names the place and says what should be there.
    """
    told = _object(value, "plan", Plan.__slots__)
    plan = Plan(
        title=_text(told, "plan", "title", most=_LONGEST_TITLE, needed=True),
        description=_text(told, "plan", "description", needed=True),
        result=_text(told, "plan", "result"),
        parameters=_each(told, "parameters", MOST_PARAMETERS, _parameter),
        steps=_each(told, "steps", MOST_STEPS, _step),
        tools=_each(told, "tools", MOST_TOOLS, _tool),
        cases=_each(told, "cases", MOST_CASES, _case),
    )
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    known = {parameter.name: parameter for parameter in plan.parameters}
    if len(known) < len(plan.parameters):
        raise _wrong("plan.parameters", "has two of one name")
    if len({case.name for case in plan.cases}) < len(plan.cases):
        raise _wrong("plan.cases", "has two of one name")
    needed = [parameter.name for parameter in plan.parameters if parameter.required]
    if needed and not plan.cases:
        raise _wrong("plan.cases", f"must hold one: without it nobody can try {', '.join(needed)}")
    for number, case in enumerate(plan.cases):
        where = f"plan.cases[{number}].parameters"
        for name, value in case.parameters.items():
            if name not in known:
                raise _wrong(where, f"has {name[:80]}, which is no parameter of the plan")
            if not is_of(known[name].type, value):
                raise _wrong(f"{where}.{name}", f"must be {known[name].type}")
        if missing := [name for name in needed if name not in case.parameters]:
            raise _wrong(where, f"must give {', '.join(missing)}")


def is_of(kind: str, value: object) -> bool:
    """Whether *value* is of the type *kind*, one of `TYPES`."""
    outer, _, inner = kind.partition("[")
    if isinstance(value, bool):
        return outer == "bool"
    if not isinstance(value, _KINDS[outer]):
        return False
    return not inner or all(is_of(inner.rstrip("]"), item) for item in value)  # type: ignore[attr-defined]


def _parameter(value: object, where: str) -> PlannedParameter:
    told = _object(value, where, ("name", "type", "default", "required", "help"))
    name = _text(told, where, "name", needed=True)
    if not is_parameter_name(name) or name.startswith("_") or name == TEST:
        raise _wrong(f"{where}.name", "must be a name of Python other than test, without a _ ahead")
    kind = told.get("type", "str")
    if kind not in TYPES:
        raise _wrong(f"{where}.type", f"must be one of {', '.join(TYPES)}")
    required = "default" not in told
    if told.get("required") is True and not required:
        raise _wrong(where, "is required and has a default: only one can be")
    if not required and not is_of(kind, told["default"]):
        raise _wrong(f"{where}.default", f"must be {kind}")
    # It becomes a comment behind the parameter.
    help = " ".join(_text(told, where, "help").split())
    default = None if required else told["default"]
    return PlannedParameter(name=name, type=kind, default=default, required=required, help=help)


def _step(value: object, where: str) -> PlannedStep:
    told = _object(value, where, ("title", "purpose"))
    title = _text(told, where, "title", needed=True)
    return PlannedStep(title=title, purpose=_text(told, where, "purpose"))


def _tool(value: object, where: str) -> PlannedTool:
    told = _object(value, where, ("name", "why"))
    return PlannedTool(name=_text(told, where, "name", needed=True), why=_text(told, where, "why"))


def _case(value: object, where: str) -> Case:
    told = _object(value, where, ("name", "parameters", "expect"))
    given = told.get("parameters", {})
    if not isinstance(given, Mapping):
        raise _wrong(f"{where}.parameters", "must be an object")
    return Case(
        name=_text(told, where, "name", most=100, needed=True),
        parameters=given,
        expects="expect" in told,
        expected=told.get("expect"),
    )


def _each(
    told: Mapping[str, Any], name: str, most: int, read: Callable[[object, str], T]
) -> tuple[T, ...]:
    values = told.get(name, [])
    if not isinstance(values, list) or len(values) > most:
        raise _wrong(f"plan.{name}", f"must be a list of at most {most}")
    return tuple(read(value, f"plan.{name}[{n}]") for n, value in enumerate(values))


def _object(value: object, where: str, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(where, "must be an object")
    if unknown := sorted(set(value) - set(known)):
        raise _wrong(where, f"speaks of {', '.join(unknown)[:200]}; it knows {', '.join(known)}")
    return value


def _text(
    told: Mapping[str, Any],
    where: str,
    name: str,
    *,
    most: int = LONGEST_TEXT,
    needed: bool = False,
) -> str:
    value = told.get(name, "")
    if not isinstance(value, str) or len(value) > most or (needed and not value.strip()):
        raise _wrong(f"{where}.{name}", f"must be a text of {int(needed)} to {most:,} letters")
    return value.strip()


def _wrong(where: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"{where} {what}.", field=where)
