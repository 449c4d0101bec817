"""Lending a run its way to a language model: an address and a token that die with it.

The token is bound to the run, so to its agent and its user, and opens nothing but the routes on
which models are asked and other agents called. What a kernel does with it is what the run does.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.domain.access import Principal, Role, token_digest
from workbench.domain.definitions import Definition
from workbench.domain.events import EventType
from workbench.domain.models import CASSETTE, DEFAULT, SCRIPT, Catalogue, Mode
from workbench.domain.runs import Run
from workbench.errors import BudgetExceeded, Unauthenticated
from workbench.llm.cassettes import Cassette, Entry, merged, read_cassette, write_cassette
from workbench.llm.scripted import Rule, read_script
from workbench.services.spending import Account
from workbench.store.objects import Objects

PREFIX = "wbr_"
"""What the token of a run begins with."""

Tell = Callable[[EventType, Mapping[str, object]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where runs ask for models.

    A kernel without a network has that port on its own loopback, with a relay to the socket behind
    it: so the address is the same for all.

    Attributes:
        port: The port of this machine.
        socket: The path of a unix socket that leads to the same.
    """

    port: int
    socket: str


@dataclass(slots=True, kw_only=True)
class Loan:
    """What one run has been lent.

    Attributes:
        run: The run.
        mode: Where its answers come from.
        account: What it may spend and has spent.
        rules: What the scripted model says to it.
        cassette: What is replayed to it.
        recorded: What it has recorded.
        exceeded: The budget it ran into, if it did.
        effects: What it would have done outside, if it is a test run.
        caller: What the run has been lent that called it.
        tell: Makes an event of the run.
        environment: What its kernel finds in its environment.
    """

    run: Run
    mode: Mode
    account: Account
    rules: Sequence[Rule]
    cassette: Cassette
    tell: Tell
    digest: str
    recorded: list[Entry] = field(default_factory=list)
    exceeded: BudgetExceeded | None = None
    effects: list[Mapping[str, object]] = field(default_factory=list)
    caller: Loan | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def refuse(self, error: BudgetExceeded) -> None:
        """Remember, and say in the run's events, that a question was not let through."""
        if self.exceeded is None:
            said = {"level": "warning", "message": str(error), "fields": dict(error.details)}
            self.tell(EventType.LOG, said)
        self.exceeded = error

    @property
    def chain(self) -> Sequence[Loan]:
        """This, what its caller has been lent, and so on to the run that somebody asked for."""
        return (self,) if self.caller is None else (self, *self.caller.chain)

    @property
    def accounts(self) -> list[Account]:
        """Who pays: a run that was called spends what its callers may."""
        return [loan.account for loan in self.chain]

    @property
    def tape(self) -> bytes | None:
        """The cassette with what was recorded; None if nothing was."""
        if not self.recorded:
            return None
        return write_cassette(merged(self.cassette.entries, self.recorded))


class Lending:
    """What all runs under way have been lent."""

    def __init__(self, *, objects: Objects, catalogue: Catalogue, door: Door | None) -> None:
        """Runs ask at *door*; without one they have nowhere to ask."""
        self._door = door
        self._objects = objects
        self._catalogue = catalogue
        self._loans: dict[str, Loan] = {}

    async def lend(self, run: Run, definition: Definition, tell: Tell) -> Loan:
        """What *run* needs to ask a model, until `take_back`.

        Raises:
            InvalidAgentConfig: Its cassette or its script is none.
            Unavailable: The disk does not give them.
        """
        files = {file.path: file.fingerprint for file in definition.files}
        tape, script = files.get(CASSETTE), files.get(SCRIPT)
        usual = (Mode.REPLAY if tape else Mode.SCRIPTED) if run.test else Mode.LIVE
        secret = f"{PREFIX}{run.id}_{secrets.token_urlsafe(32)}"
        budget = self._catalogue.run.within(definition.budget)
        loan = Loan(
            run=run,
            mode=run.model or usual,
            account=Account(whose="run", budget=budget),
            rules=read_script(await self._objects.get(script)) if script else (),
            cassette=Cassette(read_cassette(await self._objects.get(tape)) if tape else ()),
            tell=tell,
            digest=token_digest(secret),
            caller=self._loans.get(run.parent_id),
            environment=self._environment(secret),
        )
        self._loans[run.id] = loan
        return loan

    def take_back(self, run_id: str) -> None:
        """The token of the run opens nothing any more; twice is once."""
        self._loans.pop(run_id, None)

    def borrower(self, token: str) -> Principal | None:
        """The user on whose behalf the run asks that holds *token*; None if no run's token is so.

        Raises:
            Unauthenticated: It was a run's, and the run has ended.
        """
        if not token.startswith(PREFIX):
            return None
        loan = self._loans.get(token.removeprefix(PREFIX).partition("_")[0])
        if loan is None or not hmac.compare_digest(loan.digest, token_digest(token)):
            raise Unauthenticated("This is the token of no run that is under way.")
        return Principal(user=loan.run.user, role=Role.VIEWER, run_id=loan.run.id)

    def of(self, principal: Principal) -> Loan | None:
        """What the run that asks has been lent; None if it is no run that asks.

        Raises:
            Unauthenticated: The run has ended.
        """
        if not principal.run_id:
            return None
        loan = self._loans.get(principal.run_id)
        if loan is None:
            raise Unauthenticated("The run has ended.")
        return loan

    def _environment(self, secret: str) -> Mapping[str, str]:
        if self._door is None:
            return {}
        model = self._catalogue.default or DEFAULT
        return {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self._door.port}/v1",
            "OPENAI_API_KEY": secret,
            # The same again for our own questions: a notebook may set the others to its liking.
            "WORKBENCH_RUN_URL": f"http://127.0.0.1:{self._door.port}",
            "WORKBENCH_RUN_TOKEN": secret,
            "OPENAI_MODEL": model,
            # The Agents SDK would send what was said to OpenAI, whoever the model is.
            "OPENAI_AGENTS_DISABLE_TRACING": "1",
        }
