"""What a gateway refuses is raised here as the very error that was raised there."""

import json

import pytest

from workbench import errors
from workbench.client.failures import failure


def every_kind(kind: type[errors.WorkbenchError]) -> list[type[errors.WorkbenchError]]:
    return [kind, *(leaf for sub in kind.__subclasses__() for leaf in every_kind(sub))]


@pytest.mark.parametrize("kind", every_kind(errors.WorkbenchError), ids=lambda k: k.__name__)
def test_every_error_comes_back_as_itself(kind):
    body = {"error": {"code": kind.code, "message": "why", "details": {"message": "m", "n": 1}}}

    made = failure(418, json.dumps(body).encode())

    assert type(made) is kind
    assert str(made) == "why"
    assert made.details == {"message": "m", "n": 1}


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b'{"error": "x"}', b'{"error": {"code": "Newer"}}', b"\xff"]
)
@pytest.mark.parametrize(
    ("status", "kind"), [(502, errors.Unavailable), (418, errors.WorkbenchError)]
)
def test_an_answer_that_is_no_envelope_is_judged_by_its_status(status, kind, content):
    made = failure(status, content)

    assert type(made) is kind
    assert str(status) in str(made)
