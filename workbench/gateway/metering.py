"""What the workbench counts of itself, in the text format that Prometheus reads.

No label holds a user, an agent or a run: there are as many series as there are routes and reasons,
however much is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from workbench import __version__
from workbench.app import App
from workbench.domain.runs import Run, RunStatus

MEDIA = "text/plain; version=0.0.4; charset=utf-8"

# When each series was begun would be every sixth line, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_RUN_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
_WAIT_SECONDS = (0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60, 300, 900)
_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)


class Metering:
    """The counters of one gateway."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._runs = Counter(
            "workbench_runs_total",
            "Runs that have ended.",
            ("status", "reason", "test"),
            registry=registry,
        )
        self._retries = Counter(
            "workbench_run_retries_total",
            "Attempts that were lost and are followed by another.",
            ("reason",),
            registry=registry,
        )
        self._run_seconds = Histogram(
            "workbench_run_duration_seconds",
            "From the first cell of a run to its end.",
            buckets=_RUN_SECONDS,
            registry=registry,
        )
        self._wait_seconds = Histogram(
            "workbench_run_queue_wait_seconds",
            "From accepted to begun.",
            buckets=_WAIT_SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "workbench_http_requests_total",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._request_seconds = Histogram(
            "workbench_http_request_duration_seconds",
            "From the first byte of a request to the last of its answer; streams left out.",
            ("method", "route"),
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._streams = Gauge(
            "workbench_event_streams", "Callers who follow a run at the moment.", registry=registry
        )
        ProcessCollector(registry=registry)

    def attach(self, app: App) -> None:
        """Ask *app* how things stand whenever somebody asks here."""
        depth, running = app.dispatching, app.dispatching
        for name, doc, number in (
            ("workbench_run_queue_depth", "Runs that wait.", lambda: depth.waiting),
            ("workbench_runs_in_progress", "Runs under way.", lambda: running.running),
            ("workbench_journal_records", "Durable records.", lambda: app.journaled),
            (
                "workbench_index_lag_records",
                "Durable records that the index has not taken in yet.",
                lambda: app.index_behind,
            ),
        ):
            Gauge(name, doc, registry=self._registry).set_function(number)
        kernels = Gauge(
            "workbench_kernels", "Kernels, by state.", ("state",), registry=self._registry
        )
        kernels.labels(state="ready").set_function(lambda: app.ready_kernels)
        kernels.labels(state="busy").set_function(lambda: running.running)
        info = Gauge(
            "workbench_info", "What runs here.", ("version", "isolation"), registry=self._registry
        )
        info.labels(version=__version__, isolation=app.isolation).set(1)

    def moved(self, run: Run) -> None:
        """Count that a run has begun, ended or is to begin again."""
        if run.status is RunStatus.PENDING and run.attempts:
            self._retries.labels(reason=str(run.attempts[-1].reason)).inc()
        elif run.status is RunStatus.RUNNING and run.started_at is not None:
            if run.attempts:
                return
            waited = (run.started_at - run.created_at).total_seconds()
            self._wait_seconds.observe(max(0.0, waited))
        elif run.status.settled:
            reason = "" if run.reason is None else str(run.reason)
            self._runs.labels(
                status=str(run.status), reason=reason, test=str(run.test).lower()
            ).inc()
            if run.seconds is not None:
                self._run_seconds.observe(run.seconds)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request to *route*, as the table of routes spells it."""
        known = method if method in _METHODS else "other"
        self._requests.labels(method=known, route=route, status=str(status)).inc()
        if not route.endswith("/events"):
            self._request_seconds.labels(method=known, route=route).observe(seconds)

    @contextmanager
    def following(self) -> Iterator[None]:
        """While inside, somebody follows a run."""
        self._streams.inc()
        try:
            yield
        finally:
            self._streams.dec()

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
