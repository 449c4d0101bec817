"""The desk of a home that nobody owns: the workbench itself, for the length of one command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import Any, TypeVar

from workbench.app import ADMINISTRATOR, App
from workbench.cli.desk import View
from workbench.cli.targets import Address
from workbench.domain.access import Role
from workbench.domain.agents import Agent
from workbench.domain.events import Event
from workbench.domain.models import Mode
from workbench.domain.parameters import from_text
from workbench.domain.queries import AgentQuery, RunQuery
from workbench.domain.runs import RunStatus
from workbench.domain.versions import DRAFT
from workbench.gateway.brokerage import Brokerage
from workbench.services.admitting import TokenWish
from workbench.services.authoring import Proposal
from workbench.services.drafting import read_wish
from workbench.services.running import Order
from workbench.services.spending import UsageQuery, usage_of
from workbench.services.views import (
    agent_view,
    event_view,
    generation_view,
    log_lines,
    page_view,
    run_view,
    token_view,
    version_view,
)
from workbench.settings import Settings

T = TypeVar("T")


class LocalDesk:
    """The services, asked directly; their loop turns while a question is being answered."""

    def __init__(self, settings: Settings) -> None:
        """Open the home.

        Raises:
            HomeInUse: Another process owns it.
            HomeUnreadable: What lies there is of a newer workbench, or none of ours.
        """
        self._loop = asyncio.Runner()
        self._brokerage = Brokerage()
        try:
            self._app = self._do(App.open(settings, resume=False, door=self._brokerage.door))
        except BaseException:
            self._do(self._brokerage.close())
            self._loop.close()
            raise

    def create(self, name: str, notebook: bytes) -> View:
        """The new agent."""
        proposal = Proposal(name=name, notebook=notebook)
        return _agent(self._do(self._app.authoring.create(ADMINISTRATOR, proposal)))

    def propose(self, name: str, config: Mapping[str, object]) -> View:
        """The new agent that a prompt or a preset stands for."""
        app = self._app
        wanted = Proposal(name=name)
        proposal = self._do(app.configuring.configured(ADMINISTRATOR, wanted, config))
        return _agent(self._do(app.authoring.create(ADMINISTRATOR, proposal)))

    def read_values(self, address: Address, texts: Mapping[str, str]) -> Mapping[str, object]:
        """What *texts* stand for."""
        agent = self._agent(address)
        meant = self._app.authoring.definition(ADMINISTRATOR, agent, address.version)
        return from_text(self._do(meant).parameters, texts)

    def generate(self, wish: Mapping[str, object]) -> View:
        """A generation, begun; it goes on while it is asked after."""
        self._answer_models()
        begun = self._app.generating.begin(ADMINISTRATOR, read_wish(wish))
        return generation_view(self._do(begun))

    def generation(self, generation_id: str) -> View:
        """The generation when it has settled, or after a moment."""
        generating = self._app.generating
        return generation_view(
            self._do(generating.get(ADMINISTRATOR, generation_id, wait_seconds=0.5))
        )

    def give_up(self, generation_id: str) -> View:
        """The generation, given up."""
        return generation_view(self._do(self._app.generating.cancel(ADMINISTRATOR, generation_id)))

    def save(self, address: Address, notebook: bytes) -> View:
        """The agent with *notebook* as its draft."""
        agent = self._agent(address)
        saving = self._app.authoring.save(ADMINISTRATOR, agent, notebook, seen="*")
        return _agent(self._do(saving))

    def attach(self, address: Address, path: str, content: bytes) -> View:
        """The agent with that file beside its draft."""
        agent = self._agent(address)
        return _agent(self._do(self._app.authoring.attach(ADMINISTRATOR, agent, path, content)))

    def publish(
        self, address: Address, *, version: str | None, changelog: str, force: bool
    ) -> View:
        """The new version."""
        self._answer_models()
        publishing = self._app.publishing.publish(
            ADMINISTRATOR, self._agent(address), number=version, changelog=changelog, force=force
        )
        return version_view(self._do(publishing))

    def archive(self, address: Address) -> None:
        """Take the agent out of use."""
        self._do(self._app.authoring.archive(ADMINISTRATOR, self._agent(address)))

    def agent(self, address: Address) -> View:
        """The agent."""
        return _agent(self._agent(address))

    def agents(self, *, text: str | None, limit: int, cursor: str | None) -> View:
        """A page of the agents."""
        query = AgentQuery(text=text, limit=limit, cursor=cursor)
        return page_view(self._do(self._app.authoring.list(ADMINISTRATOR, query)), _agent)

    def notebook(self, address: Address) -> bytes:
        """The notebook of the version that is meant."""
        agent = self._agent(address)
        version = address.version or agent.current_version or DRAFT
        return self._do(self._app.authoring.notebook(ADMINISTRATOR, agent, version))[0]

    def start(
        self, address: Address, *, texts: Mapping[str, str], test: bool, model: str | None = None
    ) -> View:
        """The run that was accepted."""
        self._answer_models()
        mode = None if model is None else Mode(model)
        order = Order(texts=texts, test=test, version=address.version, model=mode)
        agent = self._agent(address)
        return run_view(self._do(self._app.running.accept(ADMINISTRATOR, agent, order)))

    def run(self, run_id: str) -> View:
        """The run as it stands."""
        return run_view(self._do(self._app.running.get(ADMINISTRATOR, run_id)))

    def settled(self, run_id: str) -> View:
        """The run once it has ended."""
        return run_view(self._do(self._app.running.get(ADMINISTRATOR, run_id, wait_seconds=None)))

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
        query = RunQuery(
            agent_id=None if address is None else self._agent(address).id,
            status=None if status is None else RunStatus(status),
            test=test,
            limit=limit,
            cursor=cursor,
        )
        return page_view(self._do(self._app.running.list(ADMINISTRATOR, query)), run_view)

    def follow(self, run_id: str) -> Iterator[View]:
        """The events of the run."""
        events = self._do(self._app.running.events(ADMINISTRATOR, run_id))
        while (event := self._do(_next(events))) is not None:
            yield event_view(event)

    def cancel(self, run_id: str) -> View:
        """The run, called off."""
        return run_view(self._do(self._app.running.cancel(ADMINISTRATOR, run_id)))

    def logs(self, run_id: str) -> list[str]:
        """What the run printed and logged so far."""
        return log_lines(self._do(self._app.running.happened(ADMINISTRATOR, run_id)))

    def run_notebook(self, run_id: str) -> bytes:
        """The executed notebook."""
        return self._do(self._app.running.notebook(ADMINISTRATOR, run_id))

    def run_file(self, run_id: str, path: str) -> bytes:
        """A file that the run left."""
        with self._do(self._app.running.file(ADMINISTRATOR, run_id, path)) as file:
            return file.read()

    def usage(self, *, by: str, test: bool) -> View:
        """What language models took."""
        query = UsageQuery(by=by, test=test)
        groups = self._do(self._app.spending.usage(ADMINISTRATOR, query))
        items = [{by: name, **usage_of(spent)} for name, spent in groups]
        return {"items": items, "next_cursor": None}

    def create_token(self, name: str, *, user: str, role: str, days: float | None) -> View:
        """A new token, with its text."""
        wish = TokenWish(name=name, user=user, role=Role(role), days=days)
        token, text = self._do(self._app.admitting.issue(ADMINISTRATOR, wish))
        return token_view(token, text)

    def tokens(self, *, limit: int, cursor: str | None) -> View:
        """A page of all tokens, newest first."""
        found = self._app.admitting.tokens(ADMINISTRATOR, limit=limit, cursor=cursor)
        return page_view(self._do(found), token_view)

    def revoke(self, which: str) -> View:
        """The token, taken back."""
        return token_view(self._do(self._app.admitting.revoke(ADMINISTRATOR, which)))

    def close(self) -> None:
        """Let go of the home; a run that is still under way is stopped."""
        try:
            self._do(self._app.close())
        finally:
            self._do(self._brokerage.close())
            self._loop.close()

    def _answer_models(self) -> None:
        """Answer the questions that runs of this command ask language models."""
        # Weight: what answers them is the gateway's, and most commands run nothing.
        from workbench.gateway.front import Front
        from workbench.gateway.identity import Identity
        from workbench.gateway.metering import Metering

        async def serve() -> None:
            app = self._app
            identity = Identity(app.admitting, app.lending)
            self._brokerage.serve(Front(app=app, identity=identity, metering=Metering()))

        self._do(serve())

    def _agent(self, address: Address) -> Agent:
        return self._do(self._app.authoring.get(ADMINISTRATOR, address.owner, address.name))

    def _do(self, question: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(question)


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)


def _agent(agent: Agent) -> View:
    return agent_view(agent, ADMINISTRATOR)
