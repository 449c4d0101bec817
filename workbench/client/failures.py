"""The errors of `workbench.errors`, read back from what a gateway answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.domain.runs import Reason, RunStatus
from workbench.errors import (
    ExecutionFailed,
    ExecutionTimeout,
    IllegalMove,
    Unavailable,
    WorkbenchError,
)


def failure(status: int, content: bytes) -> WorkbenchError:
    """The error that an answer with this status and body stands for."""
    return refused(_envelope(content), status=status)


def refused(error: Mapping[str, object], *, status: int = 500) -> WorkbenchError:
    """The error with the `code`, `message` and `details` that *error* has."""
    kind = _KINDS.get(str(error.get("code", "")))
    if kind is None:
        # Not our envelope: something else answers there, or something stands in between.
        kind = Unavailable if status >= 500 else WorkbenchError
    made = kind(str(error.get("message") or f"The gateway answered with status {status}."))
    details = error.get("details")
    made.details = dict(details) if isinstance(details, Mapping) else {"status": status}
    return made


def failed(run: Mapping[str, Any]) -> WorkbenchError:
    """What somebody who wants the result of *run*, which has none, is told."""
    error = run["error"] or {}
    details: dict[str, object] = {
        "run_id": run["id"],
        "status": run["status"],
        "reason": run["reason"],
        **{name: error[name] for name in ("cell", "ename", "evalue") if name in error},
    }
    if run["completed_at"] is None:
        return Unavailable(f"Run {run['id']} has not ended yet; it goes on.", **details)
    if run["status"] == RunStatus.CANCELLED:
        return IllegalMove("The run was called off before it had a result.", **details)
    kind = ExecutionTimeout if run["reason"] == Reason.TIMEOUT else ExecutionFailed
    return kind(str(error.get("message") or f"The run {run['status']}."), **details)


def _envelope(content: bytes) -> Mapping[str, object]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _all(kind: type[WorkbenchError]) -> Iterator[type[WorkbenchError]]:
    yield kind
    for leaf in kind.__subclasses__():
        yield from _all(leaf)


_KINDS = {kind.code: kind for kind in _all(WorkbenchError)}
