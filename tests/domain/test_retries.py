"""A lost run begins again only if its agent says so, for the reasons it names, and not at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from workbench.domain.retries import AT_MOST_ONCE, Retry, retry_from_json
from workbench.domain.runs import Reason, Run, RunStatus, attempts_of
from workbench.errors import IllegalMove

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RUN = Run(
    id="1",
    agent_id="a",
    owner="ada",
    agent_name="weather",
    version="1.0.0",
    fingerprint="ab",
    user="bob",
    created_at=NOON,
)


def lost(run, reason=Reason.KERNEL_DIED):
    return run.begin(at=NOON, isolation="none", boot="b").again(
        at=NOON + timedelta(seconds=3),
        due_at=NOON + timedelta(seconds=4),
        reason=reason,
        error={"message": "gone"},
        resource_usage={"cpu_ms": 1},
    )


@pytest.mark.parametrize("reason", [None, *Reason])
def test_nobody_begins_again_who_did_not_ask_for_it(reason):
    assert not AT_MOST_ONCE.allows(RUN, reason)


def test_only_named_reasons_count_and_only_so_often():
    twice = Retry(max=2, on=("timeout",))
    once_lost, twice_lost = lost(RUN), lost(lost(RUN))

    assert twice.allows(RUN, Reason.TIMEOUT) and twice.allows(once_lost, Reason.TIMEOUT)
    assert not twice.allows(twice_lost, Reason.TIMEOUT)
    assert not twice.allows(RUN, Reason.KERNEL_DIED)
    assert not twice.allows(RUN, None)


def test_what_the_agent_did_itself_is_retried_only_if_it_is_named():
    usual = Retry(max=1)
    allowed = {reason for reason in Reason if usual.allows(RUN, reason)}

    assert allowed == {Reason.GATEWAY_RESTARTED, Reason.KERNEL_DIED, Reason.KERNEL_START_FAILED}


def test_test_runs_begin_again_only_if_that_is_asked_for():
    test = replace(RUN, test=True)

    assert not Retry(max=1).allows(test, Reason.KERNEL_DIED)
    assert Retry(max=1, test=True).allows(test, Reason.KERNEL_DIED)


def test_pauses_double_up_to_a_bound_and_are_half_chance():
    retry = Retry(max=10, backoff_seconds=2.0)

    assert [retry.pause(n, jitter=1.0) for n in (1, 2, 3)] == [2.0, 4.0, 8.0]
    assert [retry.pause(n, jitter=0.0) for n in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert retry.pause(60, jitter=1.0) == 600.0


def test_each_attempt_has_a_number_of_its_own_and_the_lost_ones_are_kept():
    waiting = lost(RUN)
    second = waiting.begin(at=NOON, isolation="none")
    ended = second.settle(RunStatus.COMPLETED, at=NOON, result=1)

    assert (waiting.status, waiting.attempt, waiting.boot) == (RunStatus.PENDING, 2, "")
    assert (waiting.started_at, waiting.due_at) == (None, NOON + timedelta(seconds=4))
    assert (second.attempt, second.due_at) == (2, None)
    assert [(a.number, a.reason) for a in attempts_of(waiting)] == [(1, Reason.KERNEL_DIED)]
    assert [(a.number, a.reason) for a in attempts_of(ended)] == [
        (1, Reason.KERNEL_DIED),
        (2, None),
    ]
    assert lost(waiting).attempt == 3


def test_an_attempt_that_found_no_kernel_counts():
    waiting = RUN.again(at=NOON, due_at=NOON, reason=Reason.KERNEL_START_FAILED)

    assert (waiting.attempt, waiting.attempts[0].started_at) == (2, None)


def test_a_settled_run_never_begins_again():
    cancelled = RUN.settle(RunStatus.CANCELLED, at=NOON)

    with pytest.raises(IllegalMove, match="cancelled"):
        cancelled.again(at=NOON, due_at=NOON, reason=None)


def test_what_was_kept_before_there_were_reasons_is_understood():
    assert retry_from_json(3) == Retry(max=3)
