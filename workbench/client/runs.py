"""Runs, as a program meets them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from workbench.client import display
from workbench.client.failures import failed
from workbench.client.plans import Awaited, Noun, View, Waiting, asks, follows, lists
from workbench.client.requests import PATIENCE_SECONDS, Plan, Request, path_of
from workbench.domain.runs import RunStatus

RunT = TypeVar("RunT")
_WAIT_SECONDS = 25.0


class RunVerbs(Noun):
    """One run."""

    @property
    def id(self) -> str:
        """What it is called."""
        return str(self.about["id"])

    @property
    def agent(self) -> str:
        """The address of the agent it is a run of."""
        return str(self.about["agent"])

    @property
    def status(self) -> RunStatus:
        """Where it stood when the gateway was last asked; `refresh` and `wait` ask again."""
        return RunStatus(self.about["status"])

    @property
    def reason(self) -> str | None:
        """Why it did not complete."""
        reason = self.about["reason"]
        return None if reason is None else str(reason)

    @asks
    def refresh(self) -> Plan[RunStatus]:
        """Where it stands now."""
        self.about = (yield Request(path=self._path(), repeatable=True)).json()
        return self.status

    @asks
    def wait(self, seconds: float | None = None) -> Plan[RunStatus]:
        """Where it stands once it has ended, or after *seconds*."""
        yield from self.until_settled(seconds)
        return self.status

    @asks
    def result(self, seconds: float | None = None) -> Plan[Any]:
        """What it handed back, once it has ended.

        Raises:
            ExecutionFailed: It failed; `details` name the cell and what was raised there.
            ExecutionTimeout: It was stopped because its time was up.
            IllegalMove: It was called off.
            Unavailable: It has not ended after *seconds*.
        """
        yield from self.until_settled(seconds)
        return self.outcome()

    @follows
    def events(self, *, after: int = 0) -> tuple[str, int]:
        """What happened and happens during it, from event *after* + 1 to the last.

        A stream that breaks is taken up again where it ended.

            for event in run.events():
                print(event["seq"], event["type"])
        """
        return self.id, after

    @asks
    def cancel(self) -> Plan[RunStatus]:
        """Where it stands once it was called off; one that has ended stays as it is."""
        request = Request(method="POST", path=self._path("cancel"), repeatable=True)
        self.about = (yield request).json()
        return self.status

    @asks
    def notebook(self) -> Plan[View]:
        """The executed notebook, as nbformat JSON.

        Raises:
            NotFound: It left none.
        """
        answer = yield Request(path=self._path("notebook"), repeatable=True)
        return dict(answer.json())

    @asks
    def page(self) -> Plan[str]:
        """The executed notebook as a page to look at: HTML that runs and fetches nothing.

        Raises:
            NotFound: It left none.
        """
        answer = yield Request(path=self._path("notebook.html"), repeatable=True)
        return answer.content.decode("utf-8", "replace")

    @asks
    def logs(self) -> Plan[list[str]]:
        """What it has printed and logged so far, line by line."""
        answer = yield Request(path=self._path("logs"), repeatable=True)
        return answer.content.decode("utf-8", "replace").splitlines()

    @asks
    def files(self) -> Plan[list[View]]:
        """The `path` and `size` of each file it left."""
        answer = yield Request(path=self._path("files"), repeatable=True)
        return list(answer.json()["items"])

    @asks
    def download(self, path: str, to: str | Path | None = None) -> Plan[Path]:
        """Where the file *path* lies that it left: at *to*, or in that folder, or in this one.

            run.download("table.csv", "results/")

        Raises:
            NotFound: It left no such file.
        """
        place = Path(to) if to is not None else Path()
        if place.is_dir() or str(to).endswith("/"):
            place = place / Path(path).name
        answer = yield Request(path=self._path("files", *path.split("/")), repeatable=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(answer.content)
        return place

    def outcome(self) -> Any:
        """What it handed back, as far as is known without asking.

        Raises:
            WorkbenchError: It has handed nothing back.
        """
        if self.status is not RunStatus.COMPLETED:
            raise failed(self.about)
        return self.about["result"]

    def until_settled(self, seconds: float | None) -> Plan[None]:
        """The plan of waiting for its end."""
        ends = None if seconds is None else time.monotonic() + seconds
        pause = 0.0
        while self.about["completed_at"] is None:
            left = _WAIT_SECONDS if ends is None else ends - time.monotonic()
            if left <= 0:
                return
            wait = round(min(left, _WAIT_SECONDS), 3)
            asked = time.monotonic()
            answer = yield Request(
                path=self._path(),
                query={"wait": wait},
                patience_seconds=wait + PATIENCE_SECONDS,
                repeatable=True,
                after_seconds=pause,
            )
            self.about = answer.json()
            # Who is sent away early is sent away by a gateway that stops.
            pause = 1.0 if time.monotonic() - asked < wait / 2 else 0.0

    def _path(self, *rest: str) -> str:
        return path_of("runs", self.id, *rest)

    def __repr__(self) -> str:
        """The id, the agent and the status."""
        return f"<{type(self).__name__} {self.id} of {self.agent}: {display.ended(self.about)}>"

    def _repr_html_(self) -> str:
        return display.run(self.about)


class Run(RunVerbs, Waiting):
    """One run; its methods wait."""


class AsyncRun(RunVerbs, Awaited):
    """One run; its methods are awaited."""


class RunPages(Generic[RunT]):
    """Runs, page by page, newest first."""

    def __init__(self, bench: Any, path: str, query: Mapping[str, object]) -> None:
        self._bench = bench
        self._path = path
        self._query = query

    def page(self, cursor: str | None = None) -> Plan[tuple[list[RunT], str | None]]:
        """One page, and where the next begins, if there is one."""
        query = {**self._query, "cursor": cursor}
        found = (yield Request(path=self._path, query=query, repeatable=True)).json()
        return [self._bench.run(view) for view in found["items"]], found["next_cursor"]


class RunsVerbs(Generic[RunT]):
    """All the runs one may know of."""

    def __init__(self, bench: Any) -> None:
        self._bench = bench

    @asks
    def get(self, run_id: str) -> Plan[RunT]:
        """The run with that id.

        Raises:
            NotFound: There is none you may know of.
        """
        view = (yield Request(path=path_of("runs", run_id), repeatable=True)).json()
        run: RunT = self._bench.run(view)
        return run

    @lists
    def list(
        self,
        *,
        agent: str | None = None,
        status: str | None = None,
        test: bool = False,
        since: str | None = None,
    ) -> RunPages[RunT]:
        """The runs, newest first; test runs instead if *test*.

        for run in wb.runs.list(status="failed"):
            print(run.id, run.reason)
        """
        query = {"agent": agent, "status": status, "test": test or None, "since": since}
        return RunPages(self._bench, "/runs", query)


class Runs(RunsVerbs[Run], Waiting):
    """All the runs one may know of; the methods wait."""


class AsyncRuns(RunsVerbs[AsyncRun], Awaited):
    """All the runs one may know of; the methods are awaited."""
