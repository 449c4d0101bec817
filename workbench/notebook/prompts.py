"""A prompt as a notebook: its `{{names}}` become parameters, what a model says to it the result.

In the braces stands what would stand in a `parameters` cell: `{{text}}`, `{{sentences: int = 3}}`.
A name without a type is a text that must be given.
"""

from __future__ import annotations

import ast
import pprint
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.domain.names import is_parameter_name
from workbench.domain.parameters import TEST
from workbench.errors import InvalidAgentConfig
from workbench.notebook.document import NotebookNode, code_cell, markdown_cell
from workbench.notebook.schemas import check_schema
from workbench.notebook.starters import agent_notebook
from workbench.notebook.tags import PARAMETERS

LONGEST_PROMPT = 100_000
MOST_PLACES = 500

_PLACE = re.compile(r"\{\{([^{}]*)\}\}")
_EXAMPLES: Mapping[str, object] = {
    "str": "example",
    "int": 1,
    "float": 1.0,
    "bool": True,
    "list": [],
    "dict": {},
}
_FILL = """\
given = {{{given}}}

import json
import re

PROMPT = {prompt}


def filled(found: re.Match[str]) -> str:
    value = given[found[1]]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


prompt = re.sub(r"\\{{\\{{(\\w+)\\}}\\}}", filled, PROMPT)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a language model shall be told and asked.

    Attributes:
        text: What it is asked, with `{{names}}` for what callers give.
        system: What it shall know of itself.
        model: Which model is asked; empty is the workbench's default.
        schema: JSON Schema of what it shall answer; None is text.
    """

    text: str
    system: str = ""
    model: str = ""
    schema: Mapping[str, object] | None = None


def prompted(name: str, description: str, prompt: Prompt) -> NotebookNode:
    """The notebook that asks *prompt* and hands back what is answered.

    Raises:
        InvalidAgentConfig: A place in it cannot be a parameter, or its schema is none.
    """
    if not prompt.text.strip() or len(prompt.text) > LONGEST_PROMPT:
        raise _wrong("prompt", f"must be a text of 1 to {LONGEST_PROMPT:,} characters")
    if prompt.schema is not None:
        check_schema(prompt.schema, where="agent_config.schema")
    places = _Places()
    text = _PLACE.sub(places.take, prompt.text)
    lines = [*places.lines.values(), "test: bool = False"]
    given = ", ".join(f'"{name}": {name}' for name in places.lines)
    cells = [
        markdown_cell(f"# {name}\n\n{description or 'Asks a language model.'}", id="title"),
        code_cell("\n".join(lines), id="parameters", tags=[PARAMETERS]),
        code_cell(_FILL.format(given=given, prompt=quoted(text)), id="prompt"),
        code_cell(_asking(prompt), id="answer"),
    ]
    said: dict[str, object] = {"output_schema": dict(prompt.schema)} if prompt.schema else {}
    if places.examples is not None:
        said["cases"] = [{"name": "example", "parameters": places.examples}]
    return agent_notebook(cells, said)


def quoted(text: str) -> str:
    """*text* as a literal of Python: in three quotes where it has lines and that is safe."""
    plain = "\\" not in text and '"""' not in text and not text.endswith('"')
    printable = all(letter.isprintable() or letter == "\n" for letter in text)
    if "\n" in text and plain and printable:
        return f'"""\\\n{text}"""'
    return repr(text)


@dataclass(slots=True)
class _Places:
    """The places of a prompt, as they are met.

    Attributes:
        lines: What declares each parameter, by name.
        examples: A value for each that must be given; None where nobody can make one up.
    """

    lines: dict[str, str] = field(default_factory=dict)
    examples: dict[str, object] | None = field(default_factory=dict)

    def take(self, found: re.Match[str]) -> str:
        """The place as it stands in the notebook, its parameter taken note of."""
        said = found[1].strip()
        name, line = said, f"{said}: str"
        if not is_parameter_name(said):
            name, line = _declared(said)
        if name.startswith("_") or name == TEST:
            raise _wrong("prompt", f"cannot have {{{{{name}}}}}: choose another name")
        before = self.lines.setdefault(name, line)
        if said != name and before != line:
            raise _wrong("prompt", f"declares {{{{{name}}}}} twice, and not in the same way")
        if len(self.lines) > MOST_PLACES:
            raise _wrong("prompt", f"has more than {MOST_PLACES} names")
        if "=" not in before and self.examples is not None:
            kind = before.partition(":")[2].strip().partition("[")[0]
            if kind in _EXAMPLES:
                self.examples[name] = _EXAMPLES[kind]
            else:
                self.examples = None
        return f"{{{{{name}}}}}"


def _declared(said: str) -> tuple[str, str]:
    """The name that *said* declares as a line of a `parameters` cell does, and that line."""
    try:
        [statement] = ast.parse(said).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        statement = ast.Pass()
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)) if is_parameter_name(name):
            return name, ast.unparse(statement)
        case ast.Assign(targets=[ast.Name(id=name)]) if is_parameter_name(name):
            return name, ast.unparse(statement)
    raise _wrong(
        "prompt",
        f"has {{{{{said[:80]}}}}}, which is no parameter:"
        " write {{name}}, {{name: int}} or {{name: int = 3}}",
    )


def _asking(prompt: Prompt) -> str:
    wishes: list[tuple[str, Any]] = [("system", prompt.system), ("model", prompt.model)]
    said = "".join(f",\n    {name}={quoted(value)}" for name, value in wishes if value)
    if prompt.schema is None:
        return f"from workbench import agent\n\nagent.result(agent.chat(prompt{said}).text)"
    schema = pprint.pformat(dict(prompt.schema), width=96, sort_dicts=False)
    return (
        f"from workbench import agent\n\nSCHEMA = {schema}\n\n"
        f"agent.result(agent.chat(prompt, schema=SCHEMA{said}).parsed)"
    )


def _wrong(field: str, what: str) -> InvalidAgentConfig:
    return InvalidAgentConfig(f"agent_config.{field} {what}.", field=f"agent_config.{field}")
