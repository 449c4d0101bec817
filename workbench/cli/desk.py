"""Where a command asks: the gateway that owns the home, or the same services in this process.

`workbench.cli.opening` finds out which. Both answer in the plain JSON of the HTTP interface, as the administrator: whoever may read a home
may do anything with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from workbench.cli.targets import Address

View = dict[str, Any]


class Desk(Protocol):
    """What commands ask for."""

    def create(self, name: str, notebook: bytes) -> View:
        """The new agent of the administrator's with *notebook* as its draft.

        Raises:
            DuplicateAgentName: There is one of that name.
            InvalidAgentConfig: The notebook cannot be an agent.
        """
        ...

    def propose(self, name: str, config: Mapping[str, object]) -> View:
        """The new agent of the administrator's that a prompt or a preset stands for.

        Raises:
            DuplicateAgentName: There is one of that name.
            InvalidAgentConfig: It is neither.
        """
        ...

    def read_values(self, address: Address, texts: Mapping[str, str]) -> Mapping[str, object]:
        """What *texts* stand for as parameters of the version that is meant.

        Raises:
            InvalidInput: They are not those the agent declares.
        """
        ...

    def generate(self, wish: Mapping[str, object]) -> View:
        """A generation, begun; it goes on while it is asked after.

        Raises:
            DuplicateAgentName: There is an agent of that name.
            InvalidRequest: The plan is none.
        """
        ...

    def generation(self, generation_id: str) -> View:
        """The generation when it has settled, or after a moment as it stands then."""
        ...

    def give_up(self, generation_id: str) -> View:
        """The generation, given up."""
        ...

    def save(self, address: Address, notebook: bytes) -> View:
        """The agent with *notebook* as its draft.

        Raises:
            AgentNotFound: There is no such agent.
            InvalidAgentConfig: The notebook cannot be an agent.
        """
        ...

    def attach(self, address: Address, path: str, content: bytes) -> View:
        """The agent with that file beside its draft.

        Raises:
            AgentNotFound: There is no such agent.
        """
        ...

    def publish(
        self, address: Address, *, version: str | None, changelog: str, force: bool
    ) -> View:
        """The draft as a new version.

        Raises:
            ChecksFailed: A case of the agent failed.
            VersionConflict: There is a version of that number.
        """
        ...

    def archive(self, address: Address) -> None:
        """Take the agent out of use.

        Raises:
            AgentNotFound: There is no such agent.
        """
        ...

    def agent(self, address: Address) -> View:
        """The agent.

        Raises:
            AgentNotFound: There is none.
        """
        ...

    def agents(self, *, text: str | None, limit: int, cursor: str | None) -> View:
        """A page of the agents, newest first."""
        ...

    def notebook(self, address: Address) -> bytes:
        """The notebook of the version that is meant: the one named, the current one, the draft."""
        ...

    def start(
        self, address: Address, *, texts: Mapping[str, str], test: bool, model: str | None = None
    ) -> View:
        """The run that was accepted; its model answers as *model* says, or as is usual.

        Raises:
            InvalidInput: The parameters are not those the agent declares.
            IllegalMove: A draft outside a test run.
        """
        ...

    def run(self, run_id: str) -> View:
        """The run as it stands.

        Raises:
            NotFound: There is none.
        """
        ...

    def settled(self, run_id: str) -> View:
        """The run once it has ended."""
        ...

    def runs(
        self,
        *,
        address: Address | None,
        status: str | None,
        test: bool,
        limit: int,
        cursor: str | None,
    ) -> View:
        """A page of the runs, newest first."""
        ...

    def follow(self, run_id: str) -> Iterator[View]:
        """The events of the run, as they happen, to its last."""
        ...

    def cancel(self, run_id: str) -> View:
        """The run, called off."""
        ...

    def logs(self, run_id: str) -> list[str]:
        """What the run printed and logged so far."""
        ...

    def run_notebook(self, run_id: str) -> bytes:
        """The executed notebook.

        Raises:
            NotFound: There is no such run, or it left none.
        """
        ...

    def run_file(self, run_id: str, path: str) -> bytes:
        """A file that the run left.

        Raises:
            NotFound: There is no such run or file.
        """
        ...

    def usage(self, *, by: str, test: bool) -> View:
        """What language models took, told by day, agent, user, model or run."""
        ...

    def create_token(self, name: str, *, user: str, role: str, days: float | None) -> View:
        """A new token, with its text."""
        ...

    def tokens(self, *, limit: int, cursor: str | None) -> View:
        """A page of all tokens, newest first."""
        ...

    def revoke(self, which: str) -> View:
        """The token with that id or name, taken back.

        Raises:
            NotFound: There is none.
        """
        ...

    def close(self) -> None:
        """Leave."""
        ...
