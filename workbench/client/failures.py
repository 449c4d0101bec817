"""The errors of `workbench.errors`, read back from what a gateway answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from workbench.errors import Unavailable, WorkbenchError


def failure(status: int, content: bytes) -> WorkbenchError:
    """The error that an answer with this status and body stands for."""
    error = _envelope(content)
    kind = _KINDS.get(str(error.get("code", "")))
    if kind is None:
        # Not our envelope: something else answers there, or something stands in between.
        kind = Unavailable if status >= 500 else WorkbenchError
    made = kind(str(error.get("message") or f"The gateway answered with status {status}."))
    details = error.get("details")
    made.details = dict(details) if isinstance(details, Mapping) else {"status": status}
    return made


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
