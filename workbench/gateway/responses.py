"""Results and errors, as HTTP says them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

from workbench import errors
from workbench.errors import WorkbenchError
from workbench.services.views import moment

T = TypeVar("T")

# Looked up along the error's own ancestry, so a new leaf is right until someone says otherwise.
STATUS: dict[type[WorkbenchError], HTTPStatus] = {
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidRequest: HTTPStatus.BAD_REQUEST,
    errors.PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.RangeNotSatisfiable: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    errors.Denied: HTTPStatus.FORBIDDEN,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.ResourceExhausted: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ExecutionFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ExecutionTimeout: HTTPStatus.GATEWAY_TIMEOUT,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    WorkbenchError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

RETRY_AFTER_SECONDS = 5

_HEADERS: dict[type[WorkbenchError], Mapping[str, str]] = {
    errors.Unauthenticated: {"WWW-Authenticate": "Bearer"},
    errors.ResourceExhausted: {"Retry-After": str(RETRY_AFTER_SECONDS)},
    errors.Unavailable: {"Retry-After": str(RETRY_AFTER_SECONDS)},
    WorkbenchError: {},
}

# Who waited for a result is told of the run in the same places, whatever became of it.
_ABOUT_THE_RUN = {"run_id": "X-Run-Id", "status": "X-Run-Status"}

# What Tornado and Jupyter raise with a bare number.
_MEANT: dict[int, type[WorkbenchError]] = {
    400: errors.InvalidRequest,
    401: errors.Unauthenticated,
    403: errors.InsufficientPermissions,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.PayloadTooLarge,
    503: errors.Unavailable,
}

JSON = "application/json"
NOTEBOOK = "application/x-ipynb+json"
BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is answered with.

    Attributes:
        status: The HTTP status.
        body: The whole body.
        stream: The body piece by piece instead.
        media: What the body is.
        headers: Further headers.
    """

    status: int = HTTPStatus.OK
    body: bytes = b""
    stream: AsyncGenerator[bytes, None] | None = None
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(
    value: object, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Answer:
    """*value* as JSON."""
    return Answer(status=status, body=encode(value), headers=headers or {})


def page_answer(items: Sequence[bytes], next_cursor: str | None) -> Answer:
    """A page of a list whose *items* are written already."""
    body = b'{"items": [%s], "next_cursor": %s}' % (b", ".join(items), encode(next_cursor))
    return Answer(body=body)


def encode(value: object) -> bytes:
    """*value* as JSON text in UTF-8."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        # Half a surrogate pair is legal in JSON but has no UTF-8.
        return json.dumps(value, allow_nan=False).encode()


def failure(error: WorkbenchError, *, request_id: str, at: datetime) -> Answer:
    """What reports *error*: its status, the headers that go with it and the body all errors have."""
    body = {
        "error": {
            "code": error.code,
            "message": str(error),
            "details": error.details,
            "timestamp": moment(at),
            "request_id": request_id,
        }
    }
    headers = failure_headers(error)
    return Answer(status=_first(STATUS, error), body=encode(body), headers=headers)


def failure_headers(error: WorkbenchError) -> dict[str, str]:
    """The headers that go with *error*."""
    headers = dict(_first(_HEADERS, error))
    allowed = error.details.get("allowed")
    if isinstance(error, errors.MethodNotAllowed) and isinstance(allowed, list):
        headers["Allow"] = ", ".join(map(str, allowed))
    if isinstance(error, errors.RangeNotSatisfiable) and "size" in error.details:
        headers["Content-Range"] = f"bytes */{error.details['size']}"
    headers |= {
        header: str(error.details[name])
        for name, header in _ABOUT_THE_RUN.items()
        if error.details.keys() >= _ABOUT_THE_RUN.keys()
    }
    if "deprecation" in error.details:
        headers["Deprecation"] = str(error.details["deprecation"])
    return headers


def status_of(kind: type[WorkbenchError]) -> int:
    """The HTTP status of errors of that *kind*."""
    return next(int(STATUS[parent]) for parent in kind.__mro__ if parent in STATUS)


def meant(status: int, reason: str) -> WorkbenchError:
    """The error that a bare HTTP status stands for."""
    kind = _MEANT.get(status)
    if kind is None:
        kind = errors.InvalidRequest if 400 <= status < 500 else WorkbenchError
    return kind(reason)


def broken(request_id: str) -> WorkbenchError:
    """The error that is told when something went wrong that nobody foresaw."""
    return WorkbenchError(
        f"The workbench failed at this request; its log says why, under {request_id}."
    )


def _first(table: Mapping[type[WorkbenchError], T], error: WorkbenchError) -> T:
    return next(table[kind] for kind in type(error).__mro__ if kind in table)
