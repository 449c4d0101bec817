"""Agents as typed endpoints: what each takes and gives, ready to stand in a larger document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.domain.agents import Agent
from workbench.notebook.embedding import embedded


def parameters_schema(agent: Agent, *, at: str) -> dict[str, Any]:
    """The schema of the agent's parameters, to stand at the JSON pointer *at*."""
    return _embedded(agent.face.input_schema, at, {"type": "object"})


def result_schema(agent: Agent, *, at: str) -> dict[str, Any]:
    """The schema of the agent's result, to stand at the JSON pointer *at*."""
    return _embedded(agent.face.output_schema or {}, at, {})


def _embedded(schema: Mapping[str, object], at: str, otherwise: dict[str, Any]) -> dict[str, Any]:
    found = embedded(schema, at=at)
    return otherwise if found is None else found
