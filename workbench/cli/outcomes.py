"""Exit codes: 0 completed, 1 the run failed, 2 the request was wrong, 3 the workbench could not."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.domain.runs import Reason, RunStatus
from workbench.errors import (
    ChecksFailed,
    Conflict,
    Denied,
    ExecutionFailed,
    Invalid,
    MethodNotAllowed,
    NotFound,
    WorkbenchError,
)

COMPLETED = 0
RUN_FAILED = 1
WRONG_REQUEST = 2
COULD_NOT = 3
CALLED_OFF = RUN_FAILED

# Looked up along the error's own ancestry, so a new leaf is right until someone says otherwise.
_CODES: dict[type[WorkbenchError], int] = {
    ChecksFailed: RUN_FAILED,
    ExecutionFailed: RUN_FAILED,
    Invalid: WRONG_REQUEST,
    Denied: WRONG_REQUEST,
    NotFound: WRONG_REQUEST,
    MethodNotAllowed: WRONG_REQUEST,
    Conflict: WRONG_REQUEST,
    WorkbenchError: COULD_NOT,
}

# Failed runs that are nobody's fault but the workbench's.
_OURS = frozenset(
    {
        Reason.KERNEL_START_FAILED,
        Reason.ISOLATION_UNAVAILABLE,
        Reason.GATEWAY_RESTARTED,
        Reason.INTERNAL_ERROR,
    }
)


def code_of(error: WorkbenchError) -> int:
    """How a command ends that was ended by *error*."""
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)


def code_of_run(run: Mapping[str, object]) -> int:
    """How a command ends whose run ended like this."""
    if run["status"] == RunStatus.COMPLETED:
        return COMPLETED
    return COULD_NOT if run["reason"] in _OURS else RUN_FAILED
