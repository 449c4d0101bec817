"""What was asked of language models, as rows: the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workbench.domain.access import Principal
from workbench.domain.models import ModelCall, Spent, Tokens
from workbench.errors import InvalidRequest
from workbench.store.catalog import Catalog
from workbench.store.cells import from_moment
from workbench.store.conditions import Condition, where
from workbench.store.connection import Query
from workbench.store.sight import runs_seen_by
from workbench.store.tables import MODEL_CALLS, Row, put

GROUPS: Mapping[str, str] = {
    "day": "strftime(created_at, '%Y-%m-%d')",
    "agent": "CASE WHEN agent_name = '' THEN '' ELSE owner || '/' || agent_name END",
    "user": "user_name",
    "model": "used",
    "run": "run_id",
}
"""By what usage can be told, and the SQL of it."""
MOST_GROUPS = 1_000

_SUMS = (
    "count(*), sum(input_tokens), sum(cached_tokens), sum(written_tokens), sum(output_tokens),"
    " sum(reasoning_tokens), sum(picodollars), count(*) - count(picodollars)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """Which usage is asked for.

    Attributes:
        by: What it is told by: one of `GROUPS`.
        agent_id: Of this agent only.
        test: That of test runs instead of the rest.
        since: Of calls then or later.
        until: Of calls before then.
    """

    by: str = "day"
    agent_id: str | None = None
    test: bool = False
    since: datetime | None = None
    until: datetime | None = None


class ModelCalls:
    """Every question to a model that was ever asked."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def record(self, calls: Sequence[ModelCall]) -> None:
        """Keep *calls*; they are durable when this returns.

        Raises:
            Unavailable: The disk does not take it.
        """
        await self._catalog.progress([put(MODEL_CALLS, _row(call)) for call in calls])

    async def spent(self, *, since: datetime, agent_id: str = "", user: str = "") -> Spent:
        """What an agent or a user has taken from upstreams since then."""
        column, value = ("agent_id", agent_id) if agent_id else ("user_name", user)

        def question(ask: Query) -> Spent:
            found = ask(
                f"SELECT {_SUMS} FROM model_calls WHERE {column} = $1 AND source = 'live'"
                " AND created_at >= CAST($2 AS TIMESTAMP)",
                value,
                from_moment(since),
            )
            return _spent(found[0])

        return await self._catalog.read(question, fresh=True)

    async def usage(self, principal: Principal, query: UsageQuery) -> list[tuple[str, Spent]]:
        """What was taken, in groups, the last ones first; only what *principal* may know of.

        Raises:
            InvalidRequest: There are no such groups.
        """
        if query.by not in GROUPS:
            raise InvalidRequest(f"by is one of {', '.join(GROUPS)}.", query="by")
        conditions, values = where([runs_seen_by(principal), *_conditions(query)])

        def question(ask: Query) -> list[tuple[str, Spent]]:
            rows = ask(
                f"SELECT {GROUPS[query.by]} AS grouped, {_SUMS} FROM model_calls"
                f" WHERE {conditions} GROUP BY grouped ORDER BY grouped DESC LIMIT {MOST_GROUPS}",
                *values,
            )
            return [(str(row[0]), _spent(row[1:])) for row in rows]

        return await self._catalog.read(question, fresh=True)


def _conditions(query: UsageQuery) -> list[Condition]:
    found = [Condition("test = {}", (query.test,))]
    if query.agent_id is not None:
        found.append(Condition("agent_id = {}", (query.agent_id,)))
    if query.since is not None:
        found.append(Condition("created_at >= CAST({} AS TIMESTAMP)", (from_moment(query.since),)))
    if query.until is not None:
        found.append(Condition("created_at < CAST({} AS TIMESTAMP)", (from_moment(query.until),)))
    return found


def _spent(sums: Sequence[object]) -> Spent:
    calls, read, cached, written, output, reasoning, cost, unpriced = (
        0 if value is None else int(str(value)) for value in sums
    )
    tokens = Tokens(input=read, cached=cached, written=written, output=output, reasoning=reasoning)
    return Spent(calls=calls, tokens=tokens, picodollars=cost, unpriced=unpriced)


def _row(call: ModelCall) -> Row:
    return {
        "id": call.id,
        "run_id": call.run_id,
        "agent_id": call.agent_id,
        "owner": call.owner,
        "agent_name": call.agent_name,
        "version": call.version,
        "user_name": call.user,
        "upstream": call.upstream,
        "asked": _sane(call.asked),
        "used": _sane(call.used),
        "api": str(call.api),
        "source": call.source,
        "input_tokens": call.tokens.input,
        "cached_tokens": call.tokens.cached,
        "written_tokens": call.tokens.written,
        "output_tokens": call.tokens.output,
        "reasoning_tokens": call.tokens.reasoning,
        "picodollars": call.picodollars,
        "price_source": call.price_source,
        "estimated": call.estimated,
        "microseconds": round(call.ms * 1000),
        "first_microseconds": None if call.first_ms is None else round(call.first_ms * 1000),
        "status": call.status,
        "error": _sane(call.error),
        "test": call.test,
        "question": call.key,
        "created_at": from_moment(call.at),
    }


def _sane(name: str) -> str:
    # Upstreams and askers choose these words.
    return name[:200].encode(errors="replace").decode().replace("\0", "")
