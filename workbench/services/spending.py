"""What is spent on language models: reserved before a question, settled after its answer, kept.

A question is let through only if the most that it may take still fits into every budget it falls
under, those that are being answered at the same moment included. So many runs at once cannot
overshoot what one of them could not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from workbench.domain.access import Principal
from workbench.domain.models import Budget, Catalogue, ModelCall, Spent, Tokens
from workbench.errors import BudgetExceeded, Unavailable
from workbench.store.model_calls import GROUPS, ModelCalls, UsageQuery

__all__ = ["GROUPS", "Account", "Reservation", "Spending", "UsageQuery", "usage_of"]
# Faces ask for usage, but may not see the store.

log = logging.getLogger("workbench.models")

LONGEST_ANSWER = 4_096
"""How many tokens an answer may have where a budget counts and the question does not say."""
SHORTEST_ANSWER = 16
"""An answer that may not even have so many is not worth asking for."""

Cost = Callable[[Tokens], int | None]
"""What tokens cost in picodollars; None if nobody knows."""


@dataclass(slots=True, kw_only=True)
class Account:
    """What one run, agent or user has taken and is about to take.

    Attributes:
        whose: `run`, `agent` or `user`.
        budget: What may be spent.
        spent: What has been.
        held: Picodollars, tokens and calls of questions that are not answered yet.
    """

    whose: str
    budget: Budget
    spent: Spent = field(default_factory=Spent)
    held: tuple[int, int, int] = (0, 0, 0)

    def left(self) -> tuple[int | None, int | None, int | None]:
        """What may still be spent: picodollars, tokens, calls."""
        taken = (self.spent.picodollars, self.spent.tokens.total, self.spent.calls)
        allowed = (self.budget.picodollars, self.budget.tokens, self.budget.calls)
        most = zip(allowed, taken, self.held, strict=True)
        return tuple(None if a is None else a - t - h for a, t, h in most)  # type: ignore[return-value]

    def hold(self, amounts: tuple[int, int, int], sign: int = 1) -> None:
        """Hold *amounts* back, or let go of them."""
        one, two, three = (h + sign * a for h, a in zip(self.held, amounts, strict=True))
        self.held = one, two, three


@dataclass(slots=True, kw_only=True)
class Reservation:
    """Room for one question in every account that pays for it.

    Attributes:
        most_output: How many tokens each answer may have; None where no budget minds.
    """

    accounts: list[Account]
    amounts: tuple[int, int, int]
    most_output: int | None = None
    open: bool = True


class Spending:
    """The budgets, and the ledger behind them."""

    def __init__(
        self, *, calls: ModelCalls, catalogue: Catalogue, clock: Callable[[], datetime]
    ) -> None:
        self._calls = calls
        self._catalogue = catalogue
        self._clock = clock
        self._day = ""
        self._accounts: dict[tuple[str, str], Account] = {}
        self._opening = asyncio.Lock()
        self._writing: set[asyncio.Task[None]] = set()

    async def accounts(self, *, agent_id: str, user: str) -> list[Account]:
        """The accounts of today that pay for what *user* asks, in a run of that agent if any.

        Raises:
            Unavailable: The ledger does not answer.
        """
        found = []
        if agent_id and self._catalogue.agent != Budget():
            found.append(await self._account("agent", agent_id, self._catalogue.agent))
        if self._catalogue.user != Budget():
            found.append(await self._account("user", user, self._catalogue.user))
        return found

    def reserve(
        self,
        accounts: Iterable[Account],
        *,
        read: int,
        wanted: int | None,
        cost: Cost,
        answers: int = 1,
    ) -> Reservation:
        """Room for a question of about *read* tokens with so many *answers* of *wanted* each.

        Raises:
            BudgetExceeded: There is none; the message says in whose budget.
        """
        payers = list(accounts)
        minded = [account for account in payers if account.budget.limits_output]
        output = 0
        if minded:
            output = LONGEST_ANSWER if wanted is None else wanted
            least = min(SHORTEST_ANSWER, output)
            for account in minded:
                output = min(output, _affordable(account, read, cost) // answers)
                if output < least:
                    raise _exceeded(account)
        priced = any(account.budget.picodollars is not None for account in payers)
        most = Tokens(input=read, output=output * answers)
        money = cost(most) if priced else None
        amounts = (money or 0, most.total, 1)
        for account in payers:
            left = zip(account.left(), amounts, strict=True)
            if any(room is not None and room < amount for room, amount in left):
                raise _exceeded(account)
        for account in payers:
            account.hold(amounts)
        return Reservation(accounts=payers, amounts=amounts, most_output=output if minded else None)

    def settle(self, reservation: Reservation, call: ModelCall) -> None:
        """Put *call* in the place of what was reserved for it, and into the ledger; once."""
        if not reservation.open:
            return
        reservation.open = False
        for account in reservation.accounts:
            account.hold(reservation.amounts, -1)
            account.spent = account.spent.plus(call)
        task = asyncio.ensure_future(self._record(call))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def usage(self, principal: Principal, query: UsageQuery) -> list[tuple[str, Spent]]:
        """What was taken, in groups; only what *principal* may know of.

        Raises:
            InvalidRequest: There are no such groups.
        """
        return await self._calls.usage(principal, query)

    async def written(self) -> None:
        """Wait until all that was settled is in the ledger, or the disk has refused it."""
        if self._writing:
            await asyncio.wait(set(self._writing))

    async def _record(self, call: ModelCall) -> None:
        try:
            await self._calls.record([call])
        except Unavailable:
            log.exception(
                "a call of %s that took %d tokens is not in the ledger",
                call.used,
                call.tokens.total,
            )

    async def _account(self, whose: str, name: str, budget: Budget) -> Account:
        async with self._opening:
            now = self._clock()
            if (day := now.date().isoformat()) != self._day:
                self._accounts.clear()
                self._day = day
            account = self._accounts.get((whose, name))
            if account is None:
                midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
                spent = await self._calls.spent(
                    since=midnight,
                    agent_id=name if whose == "agent" else "",
                    user=name if whose == "user" else "",
                )
                account = Account(whose=whose, budget=budget, spent=spent)
                self._accounts[whose, name] = account
            return account


def _affordable(account: Account, read: int, cost: Cost) -> int:
    """How many tokens an answer may have to fit into what is left."""
    money, tokens, _ = account.left()
    most = LONGEST_ANSWER * 1_000
    if tokens is not None:
        most = min(most, tokens - read)
    asking, thousand = cost(Tokens(input=read)), cost(Tokens(output=1_000))
    if money is not None and asking is not None and thousand:
        most = min(most, (money - asking) * 1_000 // thousand)
    return most


def usage_of(spent: Spent) -> dict[str, object]:
    """What was taken, as plain JSON: what is not known is null."""
    return {
        "calls": spent.calls,
        "input_tokens": spent.tokens.input,
        "cached_input_tokens": spent.tokens.cached,
        "cache_write_tokens": spent.tokens.written,
        "output_tokens": spent.tokens.output,
        "reasoning_tokens": spent.tokens.reasoning,
        "cost_usd": spent.dollars,
        "unpriced_calls": spent.unpriced,
    }


def _exceeded(account: Account) -> BudgetExceeded:
    money, tokens, calls = account.left()
    period = "of this run" if account.whose == "run" else f"of this {account.whose} for today"
    return BudgetExceeded(
        f"The budget {period} for language models is used up.",
        scope=account.whose,
        left={"picodollars": money, "tokens": tokens, "calls": calls},
    )
