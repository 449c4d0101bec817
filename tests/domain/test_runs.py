"""A run moves from pending to running to its one end; every other move is refused."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from workbench.domain.runs import Reason, Run, RunStatus
from workbench.errors import IllegalMove

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=2.5)
PENDING, RUNNING, COMPLETED, FAILED, CANCELLED = RunStatus


@pytest.fixture
def pending():
    return Run(
        id="1",
        agent_id="a",
        owner="ada",
        agent_name="weather",
        version="1.0.0",
        fingerprint="ab",
        user="bob",
        created_at=NOON,
    )


@pytest.fixture
def running(pending):
    return pending.begin(at=NOON, isolation="none")


def test_a_run_begins(pending):
    running = pending.begin(at=LATER, isolation="none")

    assert (running.status, running.started_at, running.isolation) == (RUNNING, LATER, "none")
    assert (running.attempt, pending.attempt) == (1, 0)
    assert (pending.status, running.seconds) == (PENDING, None)
    assert running.address == "ada/weather"


def test_a_completed_run_has_its_result(running):
    completed = running.settle(COMPLETED, at=LATER, result=[1], resource_usage={"cpu_ms": 3})

    assert (completed.status, completed.result, completed.reason) == (COMPLETED, [1], None)
    assert completed.resource_usage == {"cpu_ms": 3}
    assert (completed.completed_at, completed.seconds) == (LATER, 2.5)
    assert running.result is None


def test_a_failed_run_has_its_reason(pending):
    failed = pending.settle(
        FAILED, at=LATER, reason=Reason.KERNEL_START_FAILED, error={"message": "no kernel"}
    )

    assert (failed.status, failed.reason) == (FAILED, "kernel_start_failed")
    assert failed.error == {"message": "no kernel"}
    assert failed.seconds is None


def test_only_an_end_is_settled():
    assert [status.settled for status in RunStatus] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("start", "end"),
    sorted(set(itertools.product(RunStatus, RunStatus)) - {
        (PENDING, CANCELLED), (PENDING, FAILED),
        (RUNNING, COMPLETED), (RUNNING, FAILED), (RUNNING, CANCELLED),
    }),
)  # fmt: skip
def test_a_run_cannot_be_settled_otherwise(pending, running, start, end):
    run = {PENDING: pending, RUNNING: running}.get(start) or running.settle(start, at=NOON)

    with pytest.raises(IllegalMove):
        run.settle(end, at=LATER)


def test_a_run_begins_once(running):
    with pytest.raises(IllegalMove, match="is running, so it cannot become running") as caught:
        running.begin(at=LATER, isolation="none")

    assert caught.value.details == {"run_id": "1", "status": "running"}
    with pytest.raises(IllegalMove, match="is cancelled"):
        running.settle(CANCELLED, at=LATER).begin(at=LATER, isolation="none")
