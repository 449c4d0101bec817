"""What outsiders see of the nouns: plain JSON, with the names of the contract.

The HTTP face and the command line show the same views, so a program meets one vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

from workbench.domain.access import Principal, Token
from workbench.domain.agents import Agent
from workbench.domain.caps import Caps
from workbench.domain.definitions import Definition
from workbench.domain.events import Event
from workbench.domain.generations import Generation
from workbench.domain.limits import DECLARABLE, Limits
from workbench.domain.network import MAX_HOSTS
from workbench.domain.paging import Page
from workbench.domain.parameters import Parameter
from workbench.domain.retries import LONGEST_PAUSE_SECONDS, NAMEABLE
from workbench.domain.revisions import Revision
from workbench.domain.runs import Attempt, Run, attempts_of
from workbench.domain.statistics import Statistics, Summary
from workbench.domain.versions import Stage, Version
from workbench.errors import WorkbenchError
from workbench.notebook.definition import MAX_RETRY
from workbench.services.authoring import entity_tag
from workbench.services.postponing import Publication
from workbench.services.validating import Examination

T = TypeVar("T")


def moment(at: datetime | None) -> str | None:
    """A time as ISO 8601 in UTC, to the millisecond."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def page_view(page: Page[T], view: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """A page of a list."""
    return {"items": [view(item) for item in page.items], "next_cursor": page.next_cursor}


def may_write(principal: Principal, agent: Agent) -> bool:
    """Whether *principal* may change the agent, and so meets its draft."""
    return principal.is_admin or principal.user == agent.owner


def agent_view(agent: Agent, principal: Principal) -> dict[str, Any]:
    """An agent as *principal* meets it: its owner sees the draft once it differs, others do not."""
    writable = may_write(principal, agent)
    face = agent.face
    return {
        "id": agent.id,
        "owner": agent.owner,
        "agent_name": agent.name,
        "description": agent.description,
        "stage": agent.stage,
        "current_version": agent.current_version,
        "visibility": str(agent.visibility),
        **definition_view(face),
        "tags": list(face.tags),
        "metadata": dict(agent.metadata),
        "etag": entity_tag(agent.draft if writable else face),
        "draft_differs": writable
        and agent.published is not None
        and agent.draft != agent.published,
        "writable": writable,
        "created_at": moment(agent.created_at),
        "updated_at": moment(agent.updated_at),
        "archived_at": moment(agent.archived_at),
    }


def definition_view(definition: Definition) -> dict[str, Any]:
    """What a notebook declares."""
    return {
        "parameters": [parameter_view(p) for p in definition.parameters],
        "input_schema": dict(definition.input_schema),
        "output_schema": (
            None if definition.output_schema is None else dict(definition.output_schema)
        ),
        "timeout_seconds": definition.timeout_seconds,
        "isolation": definition.isolation or None,
        "limits": dict(definition.limits),
        "network": list(definition.hosts) or str(definition.network),
        "retry": {**asdict(definition.retry), "on": list(definition.retry.on)},
        "cases": [case.name for case in definition.cases],
        "files": [{"path": f.path, "size": f.size} for f in definition.files],
        "uses": list(definition.uses),
    }


def parameter_view(parameter: Parameter) -> dict[str, Any]:
    """One declared parameter."""
    return {
        "name": parameter.name,
        "type": parameter.type,
        "default": parameter.default,
        "required": parameter.required,
        "help": parameter.help,
        "schema": dict(parameter.schema),
    }


def version_view(version: Version) -> dict[str, Any]:
    """One version of an agent."""
    return {
        "version": version.number,
        "stage": str(version.stage),
        "changelog": version.changelog,
        "published_by": version.published_by,
        "published_at": moment(version.published_at),
        "deprecated": version.stage is Stage.DEPRECATED,
        "deprecated_at": moment(version.deprecated_at),
        "deprecation_note": version.deprecation_note or None,
        "archived_at": moment(version.archived_at),
        "etag": entity_tag(version.definition),
        **definition_view(version.definition),
    }


def revision_view(revision: Revision) -> dict[str, Any]:
    """An earlier draft of an agent."""
    return {
        "id": revision.id,
        "saved_at": moment(revision.saved_at),
        "saved_by": revision.saved_by,
        "fingerprint": revision.definition.fingerprint,
        "size": revision.size,
        "etag": entity_tag(revision.definition),
        "files": [{"path": f.path, "size": f.size} for f in revision.definition.files],
    }


def examination_view(examination: Examination) -> dict[str, Any]:
    """What was found wrong, and what the notebook declares if it can be an agent."""
    definition = examination.definition
    return {
        "valid": examination.valid,
        "problems": [
            {
                "severity": str(problem.severity),
                "code": problem.code,
                "message": problem.message,
                "details": problem.details,
            }
            for problem in examination.problems
        ],
        **({} if definition is None else definition_view(definition)),
    }


def publication_view(publication: Publication) -> dict[str, Any]:
    """An attempt to publish, as it stands."""
    version, error = publication.version, publication.error
    return {
        "id": publication.id,
        "status": publication.status,
        "version": None if version is None else version_view(version),
        "error": None if error is None else _refusal(error),
    }


def generation_view(generation: Generation) -> dict[str, Any]:
    """How far a description has come on its way to become an agent."""
    error, plan = generation.error, generation.plan
    return {
        "id": generation.id,
        "agent_name": generation.agent_name,
        "description": generation.description,
        "status": str(generation.status),
        "step": None if generation.step is None else str(generation.step),
        "source": str(generation.source),
        "model": generation.model or None,
        "plan": None if plan is None else plan.as_json(),
        "rounds": [asdict(one) for one in generation.rounds],
        "agent": generation.agent or None,
        "verified": generation.verified,
        "calls": generation.calls,
        "cost_usd": generation.cost_usd,
        "error": None if error is None else _refusal(error),
        "created_at": moment(generation.created_at),
        "ended_at": moment(generation.ended_at),
    }


def _refusal(error: WorkbenchError) -> dict[str, Any]:
    return {"code": error.code, "message": str(error), "details": error.details}


def run_view(run: Run) -> dict[str, Any]:
    """A run as it stands."""
    return {
        "id": run.id,
        "agent": run.address,
        "agent_id": run.agent_id,
        "parent_run_id": run.parent_id or None,
        "version": run.version,
        "status": str(run.status),
        "reason": None if run.reason is None else str(run.reason),
        "test": run.test,
        "user": run.user,
        "parameters": dict(run.parameters),
        "result": run.result,
        "error": None if run.error is None else dict(run.error),
        "created_at": moment(run.created_at),
        "started_at": moment(run.started_at),
        "completed_at": moment(run.completed_at),
        "execution_time_ms": None if run.seconds is None else round(run.seconds * 1000, 1),
        "resource_usage": dict(run.resource_usage),
        "usage": dict(run.usage) or None,
        "effects": [dict(effect) for effect in run.effects],
        "cells": [dict(cell) for cell in run.cells],
        "isolation": run.isolation or None,
        "attempt": run.attempt,
        "attempts": [attempt_view(attempt) for attempt in attempts_of(run)],
    }


def attempt_view(attempt: Attempt) -> dict[str, Any]:
    """One attempt of a run; for a completed or unfinished one there is no reason."""
    return {
        "attempt": attempt.number,
        "reason": None if attempt.reason is None else str(attempt.reason),
        "error": None if attempt.error is None else dict(attempt.error),
        "started_at": moment(attempt.started_at),
        "ended_at": moment(attempt.ended_at),
        "isolation": attempt.isolation or None,
        "resource_usage": dict(attempt.resource_usage),
    }


def event_view(event: Event) -> dict[str, Any]:
    """One event; `type` and `seq` are there for those who keep only the data."""
    return {"seq": event.seq, "type": str(event.type), "at": moment(event.at), **event.data}


def limits_view(limits: Limits, caps: Caps) -> dict[str, Any]:
    """What agents get, and may ask for, by the names their notebooks use."""
    names = {"timeout_seconds": "seconds", **{name: name for name in DECLARABLE}}
    return {
        "limits": {
            said: {
                "given": getattr(limits, name),
                "least": DECLARABLE.get(name, 0),
                "most": getattr(caps.limits, name),
            }
            for said, name in names.items()
        },
        "network": {"most": str(caps.network), "hosts": MAX_HOSTS},
        "retry": {
            "most": MAX_RETRY,
            "reasons": list(NAMEABLE),
            "backoff_seconds": LONGEST_PAUSE_SECONDS,
        },
    }


def statistics_view(statistics: Statistics) -> dict[str, Any]:
    """What many runs come to."""
    return {
        "since": moment(statistics.since),
        **summary_view(statistics.whole),
        "days": [{"day": day.isoformat(), **summary_view(one)} for day, one in statistics.days],
        "agents": [{"agent": name, **summary_view(one)} for name, one in statistics.agents],
    }


def summary_view(summary: Summary) -> dict[str, Any]:
    """Some runs, summed up."""
    rate = summary.success_rate
    return {
        "runs": summary.runs,
        "completed": summary.completed,
        "failed": summary.failed,
        "cancelled": summary.cancelled,
        "success_rate": None if rate is None else round(rate, 4),
        "p50_ms": summary.p50_ms,
        "p95_ms": summary.p95_ms,
    }


def token_view(token: Token, text: str | None = None) -> dict[str, Any]:
    """A token; its text only where it has just been made."""
    view = {
        "id": token.id,
        "name": token.name,
        "user": token.user,
        "created_at": moment(token.created_at),
        "expires_at": moment(token.expires_at),
        "revoked_at": moment(token.revoked_at),
    }
    return view if text is None else {**view, "token": text}


def log_lines(events: Sequence[Event]) -> list[str]:
    """What a run printed and logged, as lines of text."""
    lines: list[str] = []
    for event in events:
        lines.extend(_LOG_TEXT.get(str(event.type), _nothing)(event))
    return lines


def _output_text(event: Event) -> list[str]:
    text = event.data.get("text")
    return str(text).splitlines() if text else []


def _log_text(event: Event) -> list[str]:
    level = str(event.data.get("level", "info")).upper()
    return [f"[{level}] {event.data.get('message', '')}"]


def _nothing(_: Event) -> list[str]:
    return []


_LOG_TEXT: dict[str, Callable[[Event], list[str]]] = {"output": _output_text, "log": _log_text}
