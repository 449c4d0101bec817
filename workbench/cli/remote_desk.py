"""The desk of a home that a gateway owns: every question goes there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.cli.desk import View
from workbench.cli.targets import Address
from workbench.client.finding import Found
from workbench.client.http import Gateway, path_of
from workbench.domain.parameters import Parameter, from_text
from workbench.domain.versions import DRAFT

_WAIT_SECONDS = 25


class RemoteDesk:
    """A gateway, asked over HTTP."""

    def __init__(self, found: Found) -> None:
        self._gateway = Gateway(found.url, found.token, trust=found.trust)

    def create(self, name: str, notebook: bytes) -> View:
        """The new agent."""
        return self._json("POST", "/agents", {"agent_name": name, "notebook": json.loads(notebook)})

    def propose(self, name: str, config: Mapping[str, object]) -> View:
        """The new agent that a prompt or a preset stands for."""
        return self._json("POST", "/agents", {"agent_name": name, "agent_config": config})

    def read_values(self, address: Address, texts: Mapping[str, str]) -> Mapping[str, object]:
        """What *texts* stand for."""
        return from_text(self._parameters(address), texts) if texts else {}

    def generate(self, wish: Mapping[str, object]) -> View:
        """A generation, begun."""
        return self._json("POST", "/agents/generate", dict(wish))

    def generation(self, generation_id: str) -> View:
        """The generation when it has settled, or after a moment."""
        return self._json("GET", path_of("generations", generation_id), query={"wait": 0.5})

    def give_up(self, generation_id: str) -> View:
        """The generation, given up."""
        return self._json("POST", path_of("generations", generation_id, "cancel"))

    def save(self, address: Address, notebook: bytes) -> View:
        """The agent with *notebook* as its draft."""
        self._gateway.ask(
            "PUT",
            _of(address, "notebook"),
            content=notebook,
            headers={"If-Match": "*", "Content-Type": "application/json"},
        )
        return self.agent(address)

    def attach(self, address: Address, path: str, content: bytes) -> View:
        """The agent with that file beside its draft."""
        self._gateway.ask(
            "PUT",
            _of(address, "files", *path.split("/")),
            content=content,
            headers={"Content-Type": "application/octet-stream"},
        )
        return self.agent(address)

    def publish(
        self, address: Address, *, version: str | None, changelog: str, force: bool
    ) -> View:
        """The new version; its cases take as long as they take."""
        body = {"version": version, "changelog": changelog}
        answer = self._gateway.ask(
            "POST",
            _of(address, "versions"),
            query={"force": True} if force else None,
            body={key: value for key, value in body.items() if value},
            patience_seconds=None,
        )
        return _view(answer.json())

    def archive(self, address: Address) -> None:
        """Take the agent out of use."""
        self._gateway.ask("DELETE", _of(address))

    def agent(self, address: Address) -> View:
        """The agent."""
        return self._json("GET", _of(address, "about"))

    def agents(self, *, text: str | None, limit: int, cursor: str | None) -> View:
        """A page of the agents."""
        return self._json("GET", "/agents", query={"q": text, "limit": limit, "cursor": cursor})

    def notebook(self, address: Address) -> bytes:
        """The notebook of the version that is meant."""
        version = address.version or self.agent(address)["current_version"] or DRAFT
        path = _of(address, "notebook")
        return self._gateway.ask("GET", path, query={"version": version}).content

    def start(
        self, address: Address, *, texts: Mapping[str, str], test: bool, model: str | None = None
    ) -> View:
        """The run that was accepted."""
        body = {
            "parameters": self.read_values(address, texts),
            "test": test,
            "version": address.version,
            "model": model,
        }
        return self._json(
            "POST", _of(address, "runs"), {k: v for k, v in body.items() if v is not None}
        )

    def run(self, run_id: str) -> View:
        """The run as it stands."""
        return self._json("GET", path_of("runs", run_id))

    def settled(self, run_id: str) -> View:
        """The run once it has ended."""
        while True:
            path = path_of("runs", run_id)
            run = self._json("GET", path, query={"wait": _WAIT_SECONDS})
            if run["completed_at"] is not None:
                return run

    def runs(
        self,
        *,
        address: Address | None,
        status: str | None,
        test: bool,
        limit: int,
        cursor: str | None,
    ) -> View:
        """A page of the runs."""
        query = {"status": status, "test": test or None, "limit": limit, "cursor": cursor}
        path = "/runs" if address is None else _of(address, "runs")
        return self._json("GET", path, query=query)

    def follow(self, run_id: str) -> Iterator[View]:
        """The events of the run."""
        return self._gateway.events(run_id)

    def cancel(self, run_id: str) -> View:
        """The run, called off."""
        return self._json("POST", path_of("runs", run_id, "cancel"))

    def logs(self, run_id: str) -> list[str]:
        """What the run printed and logged so far."""
        answer = self._gateway.ask("GET", path_of("runs", run_id, "logs"))
        return answer.content.decode("utf-8", "replace").splitlines()

    def run_notebook(self, run_id: str) -> bytes:
        """The executed notebook."""
        return self._gateway.ask("GET", path_of("runs", run_id, "notebook")).content

    def run_file(self, run_id: str, path: str) -> bytes:
        """A file that the run left."""
        return self._gateway.ask("GET", path_of("runs", run_id, "files", *path.split("/"))).content

    def usage(self, *, by: str, test: bool) -> View:
        """What language models took."""
        return self._json("GET", "/usage", query={"by": by, "test": test or None})

    def create_token(self, name: str, *, user: str, role: str, days: float | None) -> View:
        """A new token, with its text."""
        body = {"name": name, "user": user, "role": role, "days": days}
        return self._json("POST", "/tokens", {k: v for k, v in body.items() if v is not None})

    def tokens(self, *, limit: int, cursor: str | None) -> View:
        """A page of the tokens one may know of, newest first."""
        return self._json("GET", "/tokens", query={"limit": limit, "cursor": cursor})

    def revoke(self, which: str) -> View:
        """The token, taken back."""
        return self._json("DELETE", path_of("tokens", which))

    def close(self) -> None:
        """Leave; nothing is held open between two questions."""

    def _parameters(self, address: Address) -> tuple[Parameter, ...]:
        about = self.agent(address)
        if address.version == DRAFT and about["draft_differs"]:
            return self._of_draft(address)
        if address.version not in (None, DRAFT, about["current_version"]):
            about = self._json("GET", _of(address, "versions", str(address.version)))
        return tuple(Parameter(**parameter) for parameter in about["parameters"])

    def _of_draft(self, address: Address) -> tuple[Parameter, ...]:
        # Weight, for the one answer that no route gives: the parameters of a changed draft.
        from workbench.notebook.document import load
        from workbench.notebook.parameters import declared

        return declared(load(self.notebook(address)))

    def _json(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> View:
        return _view(self._gateway.ask(method, path, query=query, body=body).json())


def _of(address: Address, *rest: str) -> str:
    return path_of("agents", address.owner, address.name, *rest)


def _view(value: Any) -> View:
    assert isinstance(value, dict)
    return value
