"""The row image of a run: what journal and index hold of it, and where its long values lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.domain.models import Mode
from workbench.domain.runs import Attempt, Reason, Run, RunStatus
from workbench.store.cells import (
    from_json,
    from_moment,
    moment,
    text,
    text_or_none,
    to_json,
    to_moment,
)
from workbench.store.objects import Objects
from workbench.store.tables import Cell, Row

INLINE_BYTES = 16 * 1024
"""How long a value may be, as JSON, to lie in the row itself; a longer one is an object."""

BY_REFERENCE = "@"
"""Begins a cell that names an object instead of holding a value; no JSON text begins so."""
VALUES = ("parameters", "result", "error", "attempts", "effects")
"""The cells that may do so."""


class RunImages:
    """Runs as row images, and back."""

    def __init__(self, objects: Objects) -> None:
        """Values too long for a row lie among *objects*."""
        self._objects = objects

    async def of(self, run: Run) -> Row:
        """The row image of *run*, once its long values are kept.

        Raises:
            Unavailable: The disk does not take them.
        """
        return {
            "id": run.id,
            "agent_id": run.agent_id,
            "owner": run.owner,
            "agent_name": run.agent_name,
            "version": run.version,
            "fingerprint": run.fingerprint,
            "user_name": run.user,
            "parameters": await self._cell(dict(run.parameters)),
            "test": run.test,
            "status": str(run.status),
            "reason": str(run.reason) if run.reason else None,
            "result": await self._cell(run.result),
            "error": await self._cell(None if run.error is None else dict(run.error)),
            "attempt": run.attempt,
            "attempts": await self._cell(list(map(_attempt_image, run.attempts))),
            "due_at": from_moment(run.due_at),
            "boot": run.boot,
            "isolation": run.isolation,
            "resource_usage": from_json(dict(run.resource_usage)),
            "cells": from_json([dict(cell) for cell in run.cells]),
            "created_at": from_moment(run.created_at),
            "started_at": from_moment(run.started_at),
            "completed_at": from_moment(run.completed_at),
            "model": str(run.model) if run.model else None,
            "usage": from_json(dict(run.usage)) if run.usage else None,
            "effects": await self._cell(list(run.effects)) if run.effects else None,
            "parent_id": run.parent_id or None,
        }

    def run(self, row: Row) -> Run:
        """The run whose image *row* is; reads its long values, so not on the event loop."""
        reason, error = text_or_none(row["reason"]), self._value(row["error"])
        return Run(
            id=text(row["id"]),
            agent_id=text(row["agent_id"]),
            owner=text(row["owner"]),
            agent_name=text(row["agent_name"]),
            version=text(row["version"]),
            fingerprint=text(row["fingerprint"]),
            user=text(row["user_name"]),
            parameters=_mapping(self._value(row["parameters"])),
            test=bool(row["test"]),
            status=RunStatus(text(row["status"])),
            reason=Reason(reason) if reason is not None else None,
            result=self._value(row["result"]),
            error=None if error is None else _mapping(error),
            attempt=int(row["attempt"] or 0),
            attempts=tuple(map(_attempt, _items(self._value(row["attempts"])))),
            due_at=to_moment(row["due_at"]),
            boot=text_or_none(row["boot"]) or "",
            isolation=text(row["isolation"]),
            resource_usage=to_json(row["resource_usage"]),
            cells=tuple(_items(self._value(row["cells"]))),
            created_at=moment(row["created_at"]),
            started_at=to_moment(row["started_at"]),
            completed_at=to_moment(row["completed_at"]),
            # Rows journaled by an earlier workbench do not have these.
            model=Mode(model) if (model := text_or_none(row.get("model"))) else None,
            usage=to_json(usage) if (usage := row.get("usage")) else {},
            effects=_list(self._value(effects)) if (effects := row.get("effects")) else (),
            parent_id=text_or_none(row.get("parent_id")) or "",
        )

    async def _cell(self, value: object) -> str:
        written = from_json(value)
        if len(written) <= INLINE_BYTES:
            return written
        return BY_REFERENCE + await self._objects.put(written.encode())

    def _value(self, cell: Cell) -> object:
        if cell is None:
            return None  # the row is older than its column
        written = text(cell)
        if written.startswith(BY_REFERENCE):
            return to_json(self._objects.load(written[1:]).decode())
        return to_json(written)


def is_elsewhere(row: Row) -> bool:
    """Whether a part of the run lies in an object, so that a file has to be read for it."""
    return any(str(row.get(column)).startswith(BY_REFERENCE) for column in VALUES)


def _attempt_image(attempt: Attempt) -> dict[str, object]:
    return {
        "number": attempt.number,
        "reason": attempt.reason,
        "error": attempt.error,
        "isolation": attempt.isolation,
        "resource_usage": attempt.resource_usage,
        "started_at": from_moment(attempt.started_at),
        "ended_at": from_moment(attempt.ended_at),
    }


def _attempt(image: Mapping[str, Any]) -> Attempt:
    return Attempt(
        number=image["number"],
        reason=None if image["reason"] is None else Reason(image["reason"]),
        error=image["error"],
        isolation=image["isolation"],
        resource_usage=image["resource_usage"],
        started_at=to_moment(image["started_at"]),
        ended_at=to_moment(image["ended_at"]),
    )


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, dict)
    return value


def _list(value: object) -> Sequence[Mapping[str, object]]:
    assert isinstance(value, list)
    return value
