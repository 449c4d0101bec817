"""A stream of events ends with the first that is the last of its kind."""

from __future__ import annotations

from workbench.domain.events import EventType


def test_the_types_are_the_ones_the_outside_knows():
    assert set(EventType) == {
        "run.started",
        "run.retrying",
        "cell.started",
        "cell.finished",
        "output",
        "log",
        "progress",
        "result",
        "message.delta",
        "tool.call",
        "tool.result",
        "run.completed",
        "run.failed",
        "run.cancelled",
    }


def test_an_event_is_the_last_if_the_run_is_over():
    assert {kind for kind in EventType if kind.last} == {
        "run.completed",
        "run.failed",
        "run.cancelled",
    }
