"""Errors as OpenAI says them, for those who ask models here with a client made for it.

What such a client may try again it does by itself; `x-should-retry` keeps it from trying what
would fail again.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from workbench import errors
from workbench.errors import WorkbenchError
from workbench.gateway.responses import Answer, encode, failure_headers, status_of

PREFIX = "/v1/"
"""What the paths begin with on which models are asked."""

# Kind and code, looked up along the error's own ancestry.
_SAID: Mapping[type[WorkbenchError], tuple[str, str]] = {
    errors.BudgetExceeded: ("insufficient_quota", "insufficient_quota"),
    errors.ResourceExhausted: ("rate_limit_error", "rate_limit_exceeded"),
    errors.ModelNotFound: ("invalid_request_error", "model_not_found"),
    errors.NotRecorded: ("invalid_request_error", "not_recorded"),
    errors.NotFound: ("invalid_request_error", "not_found"),
    errors.Unauthenticated: ("invalid_request_error", "invalid_api_key"),
    errors.Denied: ("invalid_request_error", "permission_denied"),
    errors.ModelSilent: ("server_error", "upstream_failed"),
    errors.Unavailable: ("server_error", "unavailable"),
    errors.MethodNotAllowed: ("invalid_request_error", "method_not_allowed"),
    errors.Invalid: ("invalid_request_error", "invalid_request"),
    WorkbenchError: ("server_error", "internal_error"),
}
_STATUS: Mapping[type[WorkbenchError], HTTPStatus] = {
    errors.PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.Invalid: HTTPStatus.BAD_REQUEST,
    errors.ModelSilent: HTTPStatus.BAD_GATEWAY,
}
# What was tried here as often as it may be, or would end the same way.
_FINAL = (errors.BudgetExceeded, errors.ModelSilent, errors.NotRecorded)


def openai_status(kind: type[WorkbenchError]) -> int:
    """The status that reports errors of *kind* to a client made for OpenAI."""
    found = (_STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in _STATUS)
    return next(found, None) or status_of(kind)


def openai_failure(error: WorkbenchError, *, request_id: str) -> Answer:
    """What reports *error* to a client made for OpenAI."""
    kinds = type(error).__mro__
    said, code = next(_SAID[kind] for kind in kinds if kind in _SAID)
    body = {
        "error": {
            "message": str(error),
            "type": said,
            "param": error.details.get("field"),
            "code": code,
        }
    }
    headers = failure_headers(error)
    if isinstance(error, _FINAL):
        headers.pop("Retry-After", None)
        headers["x-should-retry"] = "false"
    return Answer(
        status=openai_status(type(error)),
        body=encode(body),
        headers={**headers, "x-request-id": request_id},
    )
