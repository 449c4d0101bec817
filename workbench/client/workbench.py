"""`from workbench import Workbench`: one workbench, as a program meets it.

    from workbench import Workbench

    wb = Workbench()                                # the one that runs here, or WORKBENCH_URL
    weather = wb.agents.get("admin/seattle-weather")
    weather.run(year=2014)                          # the result

`AsyncWorkbench` is the same with `await`, `async for` and `async with`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Generic, Self, TypeVar

from workbench.client.agents import Agent, Agents, AsyncAgent, AsyncAgents
from workbench.client.asynchronous import AsyncGateway
from workbench.client.finding import access
from workbench.client.http import Gateway
from workbench.client.listing import AsyncListing, Listing, Pages, Views
from workbench.client.making import GenerationVerbs
from workbench.client.plans import Awaited, View, Waiting, asks, lists
from workbench.client.requests import Plan, Request, path_of
from workbench.client.runs import AsyncRun, AsyncRuns, Run, Runs

T = TypeVar("T")
GatewayT = TypeVar("GatewayT", bound=Gateway | AsyncGateway)
AgentsT = TypeVar("AgentsT")
RunsT = TypeVar("RunsT")


class Generation(GenerationVerbs[Agent], Waiting):
    """A description on its way to become an agent; its methods wait."""


class AsyncGeneration(GenerationVerbs[AsyncAgent], Awaited):
    """A description on its way to become an agent; its methods are awaited."""


class BenchVerbs(Generic[GatewayT, AgentsT, RunsT]):
    """One workbench as a whole.

    Attributes:
        agents: The agents.
        runs: The runs.
        url: Where it answers.
    """

    _kinds: tuple[Callable[..., GatewayT], Callable[[Any], AgentsT], Callable[[Any], RunsT]]

    def __init__(
        self, url: str | None = None, token: str | None = None, *, ca: str | None = None
    ) -> None:
        """Find it: as given, as `WORKBENCH_URL` and `WORKBENCH_TOKEN` say, or running here.

        *ca*, or `WORKBENCH_CA`, is a file with the certificates to believe it by, in PEM, if those
        of the system are not enough.

        Raises:
            InvalidRequest: That file cannot be used.
            Unavailable: None is named and none runs here.
            Unauthenticated: One is named, but no token.
        """
        found = access(url, token, ca)
        connected, agents, runs = self._kinds
        self._gateway = connected(found.url, found.token, trust=found.trust)
        self.url = self._gateway.url
        self.agents = agents(self)
        self.runs = runs(self)

    @property
    def _bench(self) -> Self:
        return self

    @asks
    def me(self) -> Plan[View]:
        """Who one is there: `user` and `role`."""
        return dict((yield Request(path="/me", repeatable=True)).json())

    @asks
    def statistics(self, *, agent: str | None = None, days: int | None = None) -> Plan[View]:
        """How the runs of the last days have gone: counts, `success_rate`, `p50_ms`, `p95_ms`."""
        query = {"agent": agent, "days": days}
        return dict((yield Request(path="/statistics", query=query, repeatable=True)).json())

    @asks
    def limits(self) -> Plan[View]:
        """What a run may take, and the most that an agent may ask for: limits, network, retries."""
        return dict((yield Request(path="/limits", repeatable=True)).json())

    @asks
    def usage(
        self,
        *,
        by: str = "day",
        agent: str | None = None,
        test: bool = False,
        since: str | None = None,
        until: str | None = None,
    ) -> Plan[list[View]]:
        """What language models took, told by `day`, `agent`, `user`, `model` or `run`.

        Of each: `calls`, tokens by kind, `cost_usd` (None if nobody knows any of it) and the number
        of `unpriced_calls`; of test runs instead of the rest if *test*.

        Raises:
            InvalidRequest: There are no such groups, or a moment is none.
        """
        query = {"by": by, "agent": agent, "test": test or None, "since": since, "until": until}
        found = (yield Request(path="/usage", query=query, repeatable=True)).json()
        return list(found["items"])

    @asks
    def make_token(
        self, name: str, *, user: str | None = None, days: float | None = None
    ) -> Plan[View]:
        """A token of one's own, or of *user*; its text, `token`, is shown this once.

        Raises:
            InsufficientPermissions: It would speak for somebody else.
        """
        body = {"name": name, "user": user, "days": days}
        wish = {key: value for key, value in body.items() if value is not None}
        return dict((yield Request(method="POST", path="/tokens", body=wish)).json())

    @lists
    def tokens(self) -> Views:
        """The tokens one may know of, newest first; what they read is kept nowhere."""
        return Views("/tokens")

    @asks
    def revoke_token(self, which: str) -> Plan[None]:
        """Take back the token with that id, or of that name.

        Raises:
            NotFound: One has none such.
        """
        yield Request(method="DELETE", path=path_of("tokens", which))

    @asks
    def ticket(self, path: str) -> Plan[str]:
        """The path by which a browser may open *path* once, within 60 seconds.

        Raises:
            InvalidRequest: It is nothing that a browser opens.
        """
        answer = yield Request(method="POST", path="/tickets", body={"path": path})
        return str(answer.json()["url"])

    def __repr__(self) -> str:
        """Where it answers, never the token."""
        return f"<{type(self).__name__} at {self.url}>"


class Workbench(BenchVerbs[Gateway, Agents, Runs], Waiting):
    """A workbench whose answers are waited for. It may be used from several threads."""

    _kinds = Gateway, Agents, Runs

    def carry_out(self, plan: Plan[T]) -> T:
        """What comes of *plan*.

        Raises:
            WorkbenchError: The gateway refused, or did not answer.
        """
        try:
            request = next(plan)
            while True:
                request = plan.send(self._gateway.send(request))
        except StopIteration as end:
            value: T = end.value
            return value

    def listed(self, pages: Pages[T]) -> Listing[T]:
        """The list that is read as *pages*."""
        return Listing(self, pages)

    def follow(self, run_id: str, after: int) -> Iterator[View]:
        """The events of a run."""
        return self._gateway.events(run_id, after=after)

    def agent(self, about: View) -> Agent:
        """The agent of which the gateway said *about*."""
        return Agent(self, about)

    def run(self, about: View) -> Run:
        """The run of which the gateway said *about*."""
        return Run(self, about)

    def generation(self, about: View) -> Generation:
        """The generation of which the gateway said *about*."""
        return Generation(self, about)

    def close(self) -> None:
        """Let go of the connections that are kept open."""
        self._gateway.close()

    def __enter__(self) -> Self:
        """The workbench, for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the connections."""
        self.close()


class AsyncWorkbench(BenchVerbs[AsyncGateway, AsyncAgents, AsyncRuns], Awaited):
    """A workbench whose answers are awaited, for the tasks of one event loop."""

    _kinds = AsyncGateway, AsyncAgents, AsyncRuns

    async def carry_out(self, plan: Plan[T]) -> T:
        """What comes of *plan*.

        Raises:
            WorkbenchError: The gateway refused, or did not answer.
        """
        try:
            request = next(plan)
            while True:
                request = plan.send(await self._gateway.send(request))
        except StopIteration as end:
            value: T = end.value
            return value

    def listed(self, pages: Pages[T]) -> AsyncListing[T]:
        """The list that is read as *pages*."""
        return AsyncListing(self, pages)

    def follow(self, run_id: str, after: int) -> AsyncIterator[View]:
        """The events of a run."""
        return self._gateway.events(run_id, after=after)

    def agent(self, about: View) -> AsyncAgent:
        """The agent of which the gateway said *about*."""
        return AsyncAgent(self, about)

    def run(self, about: View) -> AsyncRun:
        """The run of which the gateway said *about*."""
        return AsyncRun(self, about)

    def generation(self, about: View) -> AsyncGeneration:
        """The generation of which the gateway said *about*."""
        return AsyncGeneration(self, about)

    async def close(self) -> None:
        """Let go of the connections that are kept open."""
        await self._gateway.close()

    async def __aenter__(self) -> Self:
        """The workbench, for the length of a block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the connections."""
        await self.close()
