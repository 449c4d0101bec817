"""Agents, as a program meets them."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from workbench.client import display
from workbench.client.making import MakingVerbs
from workbench.client.plans import Awaited, Noun, View, Waiting, asks, lists
from workbench.client.requests import Plan, Request, path_of
from workbench.client.runs import AsyncRun, Run, RunPages, RunVerbs
from workbench.errors import InvalidRequest

AgentT = TypeVar("AgentT")
RunT = TypeVar("RunT", bound=RunVerbs)

Notebook: TypeAlias = Mapping[str, object] | os.PathLike[str] | str
"""nbformat JSON, the path of a file, or Python source."""


class AgentVerbs(Noun, Generic[RunT]):
    """One agent."""

    @property
    def address(self) -> str:
        """Its owner and its name: `owner/name`."""
        return f"{self.about['owner']}/{self.about['agent_name']}"

    @property
    def description(self) -> str:
        """What it says of itself."""
        return str(self.about["description"])

    @property
    def parameters(self) -> list[View]:
        """What it takes: `name`, `type`, `default`, `required`, `help` and `schema` of each."""
        return list(self.about["parameters"])

    @property
    def current_version(self) -> str | None:
        """The version that is called; None while nothing is published."""
        version = self.about["current_version"]
        return None if version is None else str(version)

    @asks
    def refresh(self) -> Plan[None]:
        """Ask again what it is."""
        self.about = (yield Request(path=self._path("about"), repeatable=True)).json()

    @asks
    def run(self, /, **parameters: object) -> Plan[Any]:
        """The result of a run with these parameters.

            weather.run(year=2014, wet_above_mm=5)

        Raises:
            InvalidInput: They are not the parameters it declares.
            IllegalMove: It is not published; `test` runs a draft.
            ExecutionFailed: The run failed.
        """
        run = yield from self._started(parameters, test=False, version=None)
        return (yield from _result_of(run))

    @asks
    def test(self, /, **parameters: object) -> Plan[Any]:
        """The result of a test run with these parameters, of the draft if it may be seen.

        Raises:
            InvalidInput: They are not the parameters it declares.
            ExecutionFailed: The run failed.
        """
        version = "draft" if self.about["writable"] else None
        run = yield from self._started(parameters, test=True, version=version)
        return (yield from _result_of(run))

    @asks
    def start(
        self,
        parameters: Mapping[str, object] | None = None,
        *,
        test: bool = False,
        version: str | None = None,
    ) -> Plan[RunT]:
        """A run that has been accepted; it goes on whoever listens.

            run = weather.start({"year": 2014})
            for event in run.events():
                print(event["type"])

        Raises:
            InvalidInput: They are not the parameters it declares.
            IllegalMove: A draft runs as a test only.
            ResourceExhausted: Too many runs are waiting.
        """
        return (yield from self._started(parameters or {}, test=test, version=version))

    @lists
    def runs(
        self, *, status: str | None = None, test: bool = False, since: str | None = None
    ) -> RunPages[RunT]:
        """Its runs, newest first; its test runs instead if *test*."""
        query = {"status": status, "test": test or None, "since": since}
        return RunPages(self._bench, self._path("runs"), query)

    @asks
    def notebook(self, version: str | None = None) -> Plan[View]:
        """The notebook of a version, or of the draft, as nbformat JSON."""
        request = Request(path=self._path("notebook"), query={"version": version}, repeatable=True)
        return dict((yield request).json())

    @asks
    def save(self, notebook: Notebook) -> Plan[None]:
        """Make *notebook* its draft.

        Raises:
            PreconditionFailed: Somebody else changed it since it was last looked at.
            InvalidAgentConfig: It cannot be an agent.
        """
        field, content = _written(notebook)
        if field != "notebook":
            raise InvalidRequest("A draft is saved as a notebook, not as Python source.")
        headers = {"If-Match": str(self.about["etag"])}
        path = self._path("notebook")
        request = Request(method="PUT", path=path, body=content, headers=headers)
        self.about = (yield request).json()

    @asks
    def attach(self, path: str, content: bytes) -> Plan[None]:
        """Put a file beside its draft."""
        yield Request(
            method="PUT",
            path=self._path("files", *path.split("/")),
            content=content,
            headers={"Content-Type": "application/octet-stream"},
        )
        yield from self._reread()

    @asks
    def publish(
        self, version: str | None = None, *, changelog: str = "", force: bool = False
    ) -> Plan[View]:
        """The draft as a new version; its cases run first, unless *force*.

        Raises:
            ChecksFailed: A case failed; `details` say which.
            VersionConflict: There is a version of that number.
        """
        body = {"version": version, "changelog": changelog}
        answer = yield Request(
            method="POST",
            path=self._path("versions"),
            query={"force": force or None},
            body={name: value for name, value in body.items() if value},
            patience_seconds=None,
        )
        yield from self._reread()
        return dict(answer.json())

    @lists
    def versions(self) -> VersionPages:
        """Its versions, the highest number first."""
        return VersionPages(self._path("versions"))

    @asks
    def roll_back(self, version: str) -> Plan[None]:
        """Make an earlier version the one that is called.

        Raises:
            NotFound: There is none of that number.
        """
        body = {"version": version}
        yield Request(method="POST", path=self._path("rollback"), body=body)
        yield from self._reread()

    @asks
    def deprecate(self, version: str, note: str = "") -> Plan[View]:
        """The version, with a warning for whoever still runs it; *note* says what to use instead."""
        path = self._path("versions", version, "deprecate")
        answer = yield Request(method="POST", path=path, body={"note": note} if note else None)
        return dict(answer.json())

    @asks
    def compare(self, before: str, after: str) -> Plan[View]:
        """What is different between two versions, or a version and the `draft`, cell by cell."""
        query = {"from": before, "to": after}
        request = Request(path=self._path("compare"), query=query, repeatable=True)
        return dict((yield request).json())

    @asks
    def compared(self, before: str, after: str) -> Plan[str]:
        """As `compare`, as a page to look at: HTML that runs and fetches nothing."""
        query = {"from": before, "to": after, "format": "html"}
        request = Request(path=self._path("compare"), query=query, repeatable=True)
        return (yield request).content.decode("utf-8", "replace")

    @asks
    def change(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        visibility: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> Plan[None]:
        """Change what it is called, what it says of itself, or who may see it.

        Raises:
            DuplicateAgentName: You have one of that name.
            AgentAccessDenied: It is somebody else's.
        """
        changes = {
            "agent_name": name,
            "description": description,
            "visibility": visibility,
            "metadata": metadata,
        }
        body = {key: value for key, value in changes.items() if value is not None}
        self.about = (yield Request(method="PATCH", path=self._path(), body=body)).json()

    @asks
    def archive(self) -> Plan[None]:
        """Take it out of use; its runs can still be read."""
        yield Request(method="DELETE", path=self._path())

    def _started(
        self, parameters: Mapping[str, object], *, test: bool, version: str | None
    ) -> Plan[RunT]:
        body = {"parameters": dict(parameters), "test": test, "version": version}
        answer = yield Request(
            method="POST",
            path=self._path("runs"),
            body={name: value for name, value in body.items() if value is not None},
            # Asked twice with the same key it is one run.
            headers={"Idempotency-Key": uuid.uuid4().hex},
            repeatable=True,
        )
        run: RunT = self._bench.run(answer.json())
        return run

    def _reread(self) -> Plan[None]:
        self.about = (yield Request(path=self._path("about"), repeatable=True)).json()

    def _path(self, *rest: str) -> str:
        return path_of("agents", self.about["owner"], self.about["agent_name"], *rest)

    def __repr__(self) -> str:
        """The address, the stage and the version."""
        version = f" {self.current_version}" if self.current_version else ""
        return f"<{type(self).__name__} {self.address}: {self.about['stage']}{version}>"

    def _repr_html_(self) -> str:
        return display.agent(self.about)


class Agent(AgentVerbs[Run], Waiting):
    """One agent; its methods wait."""


class AsyncAgent(AgentVerbs[AsyncRun], Awaited):
    """One agent; its methods are awaited."""


class VersionPages:
    """The versions of an agent, page by page."""

    def __init__(self, path: str) -> None:
        self._path = path

    def page(self, cursor: str | None = None) -> Plan[tuple[list[View], str | None]]:
        """One page, and where the next begins, if there is one."""
        request = Request(path=self._path, query={"cursor": cursor}, repeatable=True)
        found = (yield request).json()
        return found["items"], found["next_cursor"]


class AgentPages(Generic[AgentT]):
    """Agents, page by page, newest first."""

    def __init__(self, bench: Any, query: Mapping[str, object]) -> None:
        self._bench = bench
        self._query = query

    def page(self, cursor: str | None = None) -> Plan[tuple[list[AgentT], str | None]]:
        """One page, and where the next begins, if there is one."""
        query = {**self._query, "cursor": cursor}
        found = (yield Request(path="/agents", query=query, repeatable=True)).json()
        return [self._bench.agent(view) for view in found["items"]], found["next_cursor"]


class AgentsVerbs(MakingVerbs[AgentT]):
    """All the agents one may know of."""

    def __init__(self, bench: Any) -> None:
        self._bench = bench

    @asks
    def create(
        self, name: str, notebook: Notebook, *, description: str = "", publish: bool = False
    ) -> Plan[AgentT]:
        """The new agent.

            wb.agents.create("weather", Path("weather.ipynb"), publish=True)
            wb.agents.create("hello", "def agent_main():\\n    return 'hello'")

        Raises:
            DuplicateAgentName: You have one of that name.
            InvalidAgentConfig: The notebook cannot be an agent.
            ChecksFailed: It is kept as a draft, but a case of it failed.
        """
        field, content = _written(notebook)
        body = {"agent_name": name, field: content, "description": description, "publish": publish}
        answer = yield Request(
            method="POST",
            path="/agents",
            body={key: value for key, value in body.items() if value},
            patience_seconds=None,
        )
        agent: AgentT = self._bench.agent(answer.json())
        return agent

    @asks
    def validate(self, notebook: Notebook, *, name: str = "unnamed") -> Plan[View]:
        """What is wrong with a notebook, or what it declares; nothing is stored."""
        field, content = _written(notebook)
        body = {"agent_name": name, field: content}
        request = Request(method="POST", path="/agents/validate", body=body, repeatable=True)
        return dict((yield request).json())

    @asks
    def get(self, address: str) -> Plan[AgentT]:
        """The agent `owner/name`.

        Raises:
            AgentNotFound: There is none you may know of.
        """
        owner, slash, name = address.partition("/")
        if not slash:
            raise InvalidRequest(f"{address!r} is no address of an agent: write owner/name.")
        view = (yield Request(path=path_of("agents", owner, name, "about"), repeatable=True)).json()
        agent: AgentT = self._bench.agent(view)
        return agent

    @lists
    def list(
        self,
        text: str | None = None,
        *,
        owner: str | None = None,
        tag: str | None = None,
    ) -> AgentPages[AgentT]:
        """The agents with all words of *text* in name, description, tags or cells, newest first.

        for agent in wb.agents.list("weather"):
            print(agent.address, agent.description)
        """
        return AgentPages(self._bench, {"q": text, "owner": owner, "tag": tag})


class Agents(AgentsVerbs[Agent], Waiting):
    """All the agents one may know of; the methods wait."""


class AsyncAgents(AgentsVerbs[AsyncAgent], Awaited):
    """All the agents one may know of; the methods are awaited."""


def _result_of(run: RunVerbs) -> Plan[Any]:
    yield from run.until_settled(None)
    return run.outcome()


def _written(notebook: Notebook) -> tuple[str, object]:
    """The field of a request that carries *notebook*, and its value."""
    if isinstance(notebook, Mapping):
        return "notebook", dict(notebook)
    if isinstance(notebook, str):
        return "agent_config", notebook
    path = Path(notebook)
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return "agent_config", text
    try:
        return "notebook", json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"{path} is no notebook: {error}.") from None
