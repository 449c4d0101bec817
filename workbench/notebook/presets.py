"""A preset: another agent's notebook that begins with other defaults.

It is a copy of one version. What the other agent becomes later changes nothing in it; the notebook
says in `metadata.workbench.preset` what it was made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.errors import InvalidAgentConfig
from workbench.notebook.document import NotebookNode, thaw
from workbench.notebook.parameters import parameters_cell
from workbench.notebook.python import is_python


def preset(
    notebook: bytes, defaults: Mapping[str, object], *, of: str, version: str
) -> NotebookNode:
    """*notebook*, of that version of the agent *of*, with *defaults* that it accepts.

    A case that leaned on an old default is kept without what it expected.

    Raises:
        InvalidAgentConfig: It is not in Python, so that nobody knows how it writes a default.
    """
    nb = thaw(notebook)
    if not is_python(nb):
        raise InvalidAgentConfig(
            f"{of} is not written in Python, so it can have no preset.", field="agent_config.agent"
        )
    if defaults:
        place = parameters_cell(nb)
        assert place is not None
        cell = nb["cells"][place]
        lines = [f"# As {of} {version}, but with:"]
        lines += [f"{name} = {value!r}" for name, value in defaults.items()]
        cell["source"] = "\n".join([cell["source"].rstrip("\n"), "", *lines])
    own = dict(nb["metadata"].get("workbench", {}))
    if "input_schema" in own:
        own["input_schema"] = _optional(own["input_schema"], defaults)
    if "cases" in own:
        own["cases"] = list(_cases(own["cases"], defaults))
    own["preset"] = {"agent": of, "version": version, "parameters": dict(defaults)}
    nb["metadata"]["workbench"] = own
    return nb


def _optional(schema: Mapping[str, Any], defaults: Mapping[str, object]) -> dict[str, Any]:
    """*schema* of all parameters, where those with *defaults* need not be given any more."""
    properties = {
        name: {**each, "default": defaults[name]}
        if name in defaults and isinstance(each, Mapping)
        else each
        for name, each in schema.get("properties", {}).items()
    }
    required = [name for name in schema.get("required", ()) if name not in defaults]
    return {**schema, "properties": properties, "required": required}


def _cases(
    cases: list[Mapping[str, Any]], defaults: Mapping[str, object]
) -> Iterator[Mapping[str, Any]]:
    for case in cases:
        given = case.get("parameters", {})
        if all(name in given for name in defaults):
            yield case
        else:
            yield {name: value for name, value in case.items() if name != "expect"}
