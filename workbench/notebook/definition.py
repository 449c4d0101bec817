"""Reading a definition: everything a notebook says about the agent it is.

`metadata.workbench` is read key by key. A key that is known must be right; one that is not is
left to whoever put it there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from workbench.domain.definitions import AgentFile, Case, Definition
from workbench.domain.isolation import Isolation
from workbench.domain.limits import DECLARABLE
from workbench.domain.network import MAX_HOSTS, Network, read_hosts
from workbench.domain.parameters import Parameter, accept, object_schema
from workbench.domain.retries import LONGEST_PAUSE_SECONDS, LOST, NAMEABLE, Retry
from workbench.errors import InvalidAgentConfig, InvalidInput, InvalidRequest
from workbench.notebook.asking import budget, shell, uses
from workbench.notebook.asking import wrong as _wrong
from workbench.notebook.parameters import declared, parameters_cell
from workbench.notebook.python import is_python, language, read, reading_cost
from workbench.notebook.schemas import check_schema, violations
from workbench.notebook.tags import CHECK, LIVE, PARAMETERS, SETUP, SKIPPED, cell_tags, is_code

T = TypeVar("T")

MAX_CASES = 100
MAX_TAGS = 20
MAX_RETRY = 10
MAX_SECONDS = 86_400

_MAX_DESCRIPTION = 2_000
_MAX_NAME = 100
_MAX_TAG = 40
_MAX_READING = 1_000_000
"""How much code is looked at, in characters; a run tells of the rest."""

_KERNEL = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Tags that cannot be on one cell, and why.
_CONTRADICTIONS = (
    (PARAMETERS, SETUP, "setup cells do not know the parameters"),
    (PARAMETERS, CHECK, "every run needs its parameters"),
    (PARAMETERS, LIVE, "every run needs its parameters"),
    (PARAMETERS, SKIPPED, "every run needs its parameters"),
    (CHECK, LIVE, "no run would carry it out"),
)


def define(
    nb: Mapping[str, Any], *, fingerprint: str, files: Sequence[AgentFile] = ()
) -> Definition:
    """What *nb*, kept under *fingerprint* and travelling with *files*, declares.

    Raises:
        InvalidAgentConfig: It cannot be an agent; the message names the key or the cell, says
            what is wrong there and what it should be.
    """
    own = nb["metadata"].get("workbench", {})
    if not isinstance(own, Mapping):
        raise _wrong("", "must be an object")
    _check_tags(nb)
    for index, cell in readable(nb):
        read(cell["source"], cell=index, cell_id=cell["id"])
    parameters = declared(nb)
    input_schema = _input_schema(own, parameters)
    network, hosts = _network(own)
    return Definition(
        fingerprint=fingerprint,
        description=_description(own, nb["cells"]),
        parameters=parameters,
        input_schema=input_schema,
        output_schema=_output_schema(own),
        cases=_cases(own, parameters, input_schema),
        timeout_seconds=_timeout(own),
        limits=_limits(own),
        network=network,
        hosts=hosts,
        isolation=_isolation(own),
        retry=_retry(own),
        kernel=_kernel(nb),
        language=language(nb),
        tags=_tags(own),
        files=tuple(files),
        budget=budget(own),
        shell=shell(own),
        uses=uses(own),
    )


def faults(nb: Mapping[str, Any]) -> list[InvalidAgentConfig]:
    """Everything for which `define` would refuse *nb*, not only the first; empty if it would not."""
    found: dict[str, InvalidAgentConfig] = {}

    def tried(work: Callable[[], T]) -> T | None:
        try:
            return work()
        except InvalidAgentConfig as error:
            found.setdefault(str(error), error)
            return None

    own = nb["metadata"].get("workbench", {})
    if not isinstance(own, Mapping):
        found["own"] = _wrong("", "must be an object")
        own = {}
    place = tried(lambda: parameters_cell(nb))
    for index, cell in enumerate(nb["cells"]):
        tried(partial(_check_cell_tags, index, cell, place))
    for index, cell in readable(nb):
        tried(partial(read, cell["source"], cell=index, cell_id=cell["id"]))
    parameters = tried(lambda: declared(nb))
    input_schema = tried(lambda: _input_schema(own, parameters or ()))
    if parameters is not None and input_schema is not None:
        given = own.get("cases")
        for number, value in enumerate(given[:MAX_CASES] if isinstance(given, list) else ()):
            tried(partial(_case, f"cases[{number}]", value, parameters, input_schema))
        tried(lambda: _cases(own, parameters, input_schema))
    for check in _CHECKS:
        tried(partial(check, own))
    tried(lambda: _description(own, nb["cells"]))
    return list(found.values())


def _check_tags(nb: Mapping[str, Any]) -> None:
    place = parameters_cell(nb)
    for index, cell in enumerate(nb["cells"]):
        _check_cell_tags(index, cell, place)


def _check_cell_tags(index: int, cell: Mapping[str, Any], place: int | None) -> None:
    """Refuse the tags of a cell; the `parameters` cell, if there is one, stands at *place*."""
    tags = cell_tags(cell)
    where = {"cell": index, "cell_id": cell["id"]}
    for one, other, because in _CONTRADICTIONS:
        if one in tags and other in tags:
            raise InvalidAgentConfig(
                f"Cell {index} cannot be tagged both {one} and {other}: {because}.", **where
            )
    if SETUP in tags and place is not None and index > place:
        raise InvalidAgentConfig(
            f"Cell {index} is tagged setup, so it must stand before the parameters cell "
            f"(cell {place}).",
            **where,
        )


def readable(nb: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The cells whose code is looked at, with their places."""
    if not is_python(nb):
        return
    left = _MAX_READING
    for index, cell in enumerate(nb["cells"]):
        if not is_code(cell) or SKIPPED in cell_tags(cell):
            continue
        left -= reading_cost(cell["source"])
        if left < 0:
            return
        yield index, cell


def _description(own: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> str:
    given = own.get("description")
    if given is None:
        texts = (cell["source"] for cell in cells if cell["cell_type"] == "markdown")
        return next(filter(None, map(_first_paragraph, texts)), "")
    if not isinstance(given, str) or len(given) > _MAX_DESCRIPTION:
        raise _wrong("description", f"must be a text of at most {_MAX_DESCRIPTION:,} characters")
    return given.strip()


def _first_paragraph(markdown: str) -> str:
    """The first paragraph of prose in *markdown*, or its first heading if there is none."""
    heading = ""
    for block in re.split(r"\n[ \t]*\n", markdown[: 4 * _MAX_DESCRIPTION]):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        headings = [line for line in lines if line.startswith("#")]
        prose = [line for line in lines if not line.startswith(("#", "!", "<", "```", "---", "|"))]
        heading = heading or next((line.strip("# ") for line in headings), "")
        if prose:
            return " ".join(prose)[:_MAX_DESCRIPTION]
    return heading[:_MAX_DESCRIPTION]


def _input_schema(own: Mapping[str, Any], parameters: Sequence[Parameter]) -> Mapping[str, object]:
    given = own.get("input_schema")
    if given is None:
        made = object_schema(parameters)
        check_schema(made, where="The schema of the parameters")
        return made
    check_schema(given, where="metadata.workbench.input_schema")
    properties, required = given.get("properties", {}), given.get("required", [])
    if given.get("type") != "object" or not isinstance(properties, Mapping):
        raise _wrong("input_schema", 'must describe an object: {"type": "object", …}')
    known = {parameter.name for parameter in parameters}
    unknown = sorted({*properties, *required} - known)
    if unknown:
        raise _wrong(
            "input_schema",
            f"speaks of {', '.join(unknown)[:200]}, which the parameters cell does not declare",
        )
    return dict(given)


def _output_schema(own: Mapping[str, Any]) -> Mapping[str, object] | None:
    given = own.get("output_schema")
    if given is None:
        return None
    check_schema(given, where="metadata.workbench.output_schema")
    assert isinstance(given, Mapping)
    return dict(given)


def _cases(
    own: Mapping[str, Any], parameters: Sequence[Parameter], input_schema: Mapping[str, object]
) -> tuple[Case, ...]:
    given = own.get("cases")
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MAX_CASES:
        raise _wrong("cases", f"must be a list of at most {MAX_CASES} objects")
    cases: dict[str, Case] = {}
    for index, value in enumerate(given):
        case = _case(f"cases[{index}]", value, parameters, input_schema)
        if case.name in cases:
            raise _wrong(f"cases[{index}].name", f"is {case.name!r}, as another case's is")
        cases[case.name] = case
    return tuple(cases.values())


def _case(
    key: str,
    value: object,
    parameters: Sequence[Parameter],
    input_schema: Mapping[str, object],
) -> Case:
    if not isinstance(value, Mapping):
        raise _wrong(key, "must be an object with name, parameters and, if you like, expect")
    name, given = value.get("name"), value.get("parameters", {})
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= _MAX_NAME:
        raise _wrong(f"{key}.name", f"must be a text of 1 to {_MAX_NAME} characters")
    if not isinstance(given, Mapping):
        raise _wrong(f"{key}.parameters", "must be an object")
    try:
        accepted = accept(parameters, given)
    except InvalidInput as error:
        raise _wrong(f"{key}.parameters", f"cannot be used: {str(error).rstrip('.')}") from None
    wrong = violations(input_schema, accepted)
    if wrong:
        place = f"{key}.parameters.{wrong[0].path}".rstrip(".")
        raise _wrong(place, f"cannot be used: {wrong[0].message}")
    return Case(
        name=name.strip(),
        parameters=accepted,
        expects="expect" in value,
        expected=value.get("expect"),
    )


def _timeout(own: Mapping[str, Any]) -> float | None:
    given = own.get("timeout_seconds")
    if given is None:
        return None
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not 0 < given <= MAX_SECONDS:
        raise _wrong("timeout_seconds", f"must be a number above 0, at most {MAX_SECONDS:,}")
    return float(given)


def _limits(own: Mapping[str, Any]) -> Mapping[str, float]:
    given = own.get("limits", {})
    if not isinstance(given, Mapping):
        raise _wrong("limits", 'must be an object such as {"memory_bytes": 2000000000}')
    return {str(name): _limit(name, value) for name, value in given.items()}


def _limit(name: object, value: object) -> float:
    key = f"limits.{name!s:.40}"
    if name not in DECLARABLE:
        raise _wrong(key, f"is no limit; there are {', '.join(sorted(DECLARABLE))}")
    least = DECLARABLE[str(name)]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < 2**60:
        raise _wrong(key, f"must be a number of at least {least:,}")
    if isinstance(least, float):
        return float(value)
    if value != int(value):
        raise _wrong(key, "must be a whole number")
    return int(value)


def _network(own: Mapping[str, Any]) -> tuple[Network, tuple[str, ...]]:
    given = own.get("network", "none")
    if given in (Network.NONE, Network.OPEN):
        return Network(given), ()
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_HOSTS:
        raise _wrong(
            "network",
            f'must be "none", "open" or a list of 1 to {MAX_HOSTS} hosts such as "api.example.org"',
        )
    if not all(isinstance(host, str) for host in given):
        raise _wrong("network", "must list its hosts as texts")
    try:
        read_hosts(given)
    except InvalidRequest as error:
        raise _wrong("network", f"cannot be used: {str(error).rstrip('.')}") from None
    return Network.ALLOW_LIST, tuple(given)


def _isolation(own: Mapping[str, Any]) -> str:
    given = own.get("isolation", "")
    if given != "" and given not in tuple(Isolation):
        raise _wrong("isolation", f"must be one of {', '.join(Isolation)}")
    return str(given)


def _retry(own: Mapping[str, Any]) -> Retry:
    given = own.get("retry", 0)
    said = given if isinstance(given, Mapping) else {"max": given}
    most, on = said.get("max", 0), said.get("on", list(LOST))
    if type(most) is not int or not 0 <= most <= MAX_RETRY:
        raise _wrong("retry", f"must be a whole number from 0 to {MAX_RETRY}")
    if not isinstance(on, list) or not all(one in NAMEABLE for one in on):
        raise _wrong("retry.on", f"must be a list of {', '.join(NAMEABLE)}")
    pause = said.get("backoff_seconds", 1.0)
    number = isinstance(pause, int | float) and not isinstance(pause, bool)
    if not number or not 0 <= pause <= LONGEST_PAUSE_SECONDS:
        raise _wrong(
            "retry.backoff_seconds", f"must be a number from 0 to {LONGEST_PAUSE_SECONDS:g}"
        )
    test = said.get("test", False)
    if not isinstance(test, bool):
        raise _wrong("retry.test", "must be true or false")
    return Retry(max=most, on=tuple(dict.fromkeys(on)), backoff_seconds=float(pause), test=test)


def _tags(own: Mapping[str, Any]) -> tuple[str, ...]:
    given = own.get("tags", [])
    if not isinstance(given, list) or len(given) > MAX_TAGS or not all(map(_is_tag, given)):
        raise _wrong(
            "tags", f"must be a list of at most {MAX_TAGS} texts of 1 to {_MAX_TAG} characters"
        )
    return tuple(dict.fromkeys(tag.strip() for tag in given))


def _is_tag(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= _MAX_TAG


def _kernel(nb: Mapping[str, Any]) -> str:
    spec = nb["metadata"].get("kernelspec")
    name = spec.get("name") if isinstance(spec, Mapping) else None
    return name if isinstance(name, str) and _KERNEL.fullmatch(name) else ""


_CHECKS: Sequence[Callable[[Mapping[str, Any]], object]] = (
    _output_schema,
    _timeout,
    _limits,
    _network,
    _isolation,
    _retry,
    _tags,
    budget,
    shell,
    uses,
)
"""What is looked at by itself."""
