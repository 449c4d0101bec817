"""Every error there is has a status, a code and one body; nothing else gets out."""

import json
from datetime import UTC, datetime

import pytest

from workbench import errors
from workbench.gateway.responses import broken, encode, failure, meant

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

CONTRACT = {
    "AgentNotFound": 404,
    "InvalidAgentConfig": 422,
    "AgentCreationFailed": 503,
    "VersionConflict": 409,
    "DuplicateAgentName": 409,
    "ExecutionFailed": 500,
    "ExecutionTimeout": 504,
    "InvalidInput": 422,
    "ResourceExhausted": 429,
    "InsufficientPermissions": 403,
    "AgentAccessDenied": 403,
    "Unauthenticated": 401,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "InvalidRequest": 400,
    "PayloadTooLarge": 413,
    "IllegalMove": 409,
    "ChecksFailed": 409,
    "PreconditionFailed": 412,
    "PreconditionRequired": 428,
    "IdempotencyMismatch": 422,
    "Unavailable": 503,
    "KernelLost": 503,
    "HomeInUse": 503,
    "HomeUnreadable": 503,
}


def leaves(kind):
    children = kind.__subclasses__()
    return [kind, *(leaf for child in children for leaf in leaves(child))]


@pytest.mark.parametrize("kind", leaves(errors.WorkbenchError), ids=lambda kind: kind.__name__)
def test_every_error_has_the_one_body(kind):
    said = failure(kind("It is so.", agent="ada/x"), request_id="r1", at=NOON)

    assert json.loads(said.body) == {
        "error": {
            "code": kind.code,
            "message": "It is so.",
            "details": {"agent": "ada/x"},
            "timestamp": "2026-11-20T12:00:00.000Z",
            "request_id": "r1",
        }
    }
    assert said.status == CONTRACT.get(kind.__name__, said.status)
    assert 400 <= said.status < 600


def test_every_code_of_the_contract_is_an_error_of_ours():
    assert set(CONTRACT) <= {kind.code for kind in leaves(errors.WorkbenchError)}


def test_who_is_unknown_is_told_how_to_become_known():
    said = failure(errors.Unauthenticated("Who?"), request_id="r", at=NOON)

    assert said.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("kind", [errors.Unavailable, errors.HomeInUse, errors.ResourceExhausted])
def test_who_may_come_again_is_told_when(kind):
    assert int(failure(kind("Later."), request_id="r", at=NOON).headers["Retry-After"]) > 0


def test_a_run_that_failed_is_not_worth_asking_again():
    said = failure(errors.ExecutionFailed("It raised."), request_id="r", at=NOON)

    assert "Retry-After" not in said.headers


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidRequest"),
        (404, "NotFound"),
        (405, "MethodNotAllowed"),
        (418, "InvalidRequest"),
    ],
)
def test_a_bare_number_gets_a_code(status, code):
    assert meant(status, "So.").code == code


def test_what_nobody_foresaw_says_only_where_to_look():
    said = failure(broken("r7"), request_id="r7", at=NOON)

    assert said.status == 500
    assert json.loads(said.body)["error"]["code"] == "Internal"
    assert b"r7" in said.body


def test_letters_of_all_scripts_are_sent_as_they_are():
    assert encode({"city": "Zürich"}) == '{"city": "Zürich"}'.encode()


def test_half_a_surrogate_pair_is_sent_escaped():
    assert json.loads(encode("\ud800")) == "\ud800"
