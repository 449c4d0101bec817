"""Calls of one agent that can be pasted: for a shell, for Python, for JavaScript."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pprint import pformat
from typing import Any

from workbench.domain.agents import Agent
from workbench.domain.parameters import Parameter

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?")


def origin(scheme: str, host: str, otherwise: str) -> str:
    """The address that a caller reached us by, or *otherwise* if that is none to repeat."""
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else otherwise


def examples(agent: Agent, base: str) -> dict[str, str]:
    """How to call *agent* at the address *base*."""
    given = values(agent)
    test = "" if agent.current_version else "?test=true"
    url = f"{base}/agents/{agent.address}{test}"
    return {
        "curl": _CURL.format(url=shlex.quote(url), body=shlex.quote(_json(given))),
        "python": _PYTHON.format(url=url, body=pformat(given, width=76, sort_dicts=False)),
        "javascript": _JAVASCRIPT.format(url=url, body=_json(given)),
    }


def values(agent: Agent) -> dict[str, object]:
    """Parameters that could be given: defaults where there are some, else something of the type."""
    properties = agent.face.input_schema.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    return {
        parameter.name: _value(parameter, known.get(parameter.name))
        for parameter in agent.face.parameters
        if parameter.required or parameter.default is not None
    }


def _value(parameter: Parameter, declared: object) -> object:
    if not parameter.required:
        return parameter.default
    return sample(declared if isinstance(declared, Mapping) else parameter.schema)


def sample(schema: Mapping[str, Any]) -> object:
    """A value that a simple schema allows."""
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    for name in ("examples", "enum"):
        if isinstance(schema.get(name), list) and schema[name]:
            return schema[name][0]
    branches = schema.get("anyOf")
    if isinstance(branches, list) and branches and isinstance(branches[0], Mapping):
        return sample(branches[0])
    kind = schema.get("type")
    first = kind[0] if isinstance(kind, list) and kind else kind
    if first in ("integer", "number"):
        return schema.get("minimum", 1)
    return _SAMPLES.get(str(first), "text")


_SAMPLES: Mapping[str, object] = {
    "boolean": True,
    "string": "text",
    "array": [],
    "object": {},
    "null": None,
}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


_CURL = """\
curl -sS {url} \\
  -H "Authorization: Bearer $WORKBENCH_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d {body}
"""

_PYTHON = """\
import json
import os
from urllib.request import Request, urlopen

request = Request(
    "{url}",
    data=json.dumps({body}).encode(),
    headers={{
        "Authorization": "Bearer " + os.environ["WORKBENCH_TOKEN"],
        "Content-Type": "application/json",
    }},
)
with urlopen(request) as answer:
    print(json.load(answer))
"""

_JAVASCRIPT = """\
const answer = await fetch("{url}", {{
  method: "POST",
  headers: {{
    "Authorization": `Bearer ${{process.env.WORKBENCH_TOKEN}}`,
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({body}),
}});
console.log(await answer.json());
"""
