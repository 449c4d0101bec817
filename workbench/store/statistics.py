"""Runs summed up, in SQL that knows no particular database."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from workbench.domain.access import Principal
from workbench.domain.statistics import Statistics, Summary
from workbench.store.catalog import Catalog
from workbench.store.cells import from_moment
from workbench.store.conditions import Condition, where
from workbench.store.connection import Query
from workbench.store.sight import runs_seen_by

MOST_AGENTS = 20

_TOOK = "EXTRACT(EPOCH FROM completed_at - started_at) * 1000"
_SUMMARY = f"""
    count(*),
    count(*) FILTER (WHERE status = 'completed'),
    count(*) FILTER (WHERE status = 'failed'),
    count(*) FILTER (WHERE status = 'cancelled'),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY {_TOOK}),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY {_TOOK})
"""
_DAY = "CAST(created_at AS DATE)"


class RunStatistics:
    """What the runs of some days come to."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def since(
        self, principal: Principal, moment: datetime, *, agent_id: str | None = None
    ) -> Statistics:
        """The runs that *principal* may see, accepted since *moment*; of one agent if it is given."""
        wanted = [
            runs_seen_by(principal),
            Condition("test = {}", (False,)),
            Condition("created_at >= CAST({} AS TIMESTAMP)", (from_moment(moment),)),
        ]
        if agent_id is not None:
            wanted.append(Condition("agent_id = {}", (agent_id,)))
        conditions, values = where(wanted)

        def question(ask: Query) -> Statistics:
            runs = f"FROM runs WHERE {conditions}"
            (whole,) = ask(f"SELECT {_SUMMARY} {runs}", *values)
            days = ask(f"SELECT {_DAY}, {_SUMMARY} {runs} GROUP BY 1 ORDER BY 1", *values)
            agents = ask(
                f"SELECT owner || '/' || agent_name, {_SUMMARY} {runs} GROUP BY 1"
                f" ORDER BY 2 DESC, 1 LIMIT {MOST_AGENTS}",
                *values,
            )
            return Statistics(
                since=moment,
                whole=_summary(whole),
                days=tuple((_date(row[0]), _summary(row[1:])) for row in days),
                agents=tuple((str(row[0]), _summary(row[1:])) for row in agents),
            )

        return await self._catalog.read(question, fresh=True)


def _summary(row: Any) -> Summary:
    runs, completed, failed, cancelled, p50, p95 = row
    return Summary(
        runs=int(runs),
        completed=int(completed),
        failed=int(failed),
        cancelled=int(cancelled),
        p50_ms=None if p50 is None else round(float(p50), 1),
        p95_ms=None if p95 is None else round(float(p95), 1),
    )


def _date(cell: Any) -> date:
    return cell if type(cell) is date else date.fromisoformat(str(cell)[:10])
