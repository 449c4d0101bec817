"""The addresses that agents had before they were renamed."""

from __future__ import annotations

from datetime import datetime, timedelta

from workbench.domain.agents import Agent
from workbench.store.cells import from_moment
from workbench.store.tables import FORMER_ADDRESSES
from workbench.store.transaction import Transaction

KEPT = timedelta(days=30)
"""How long somebody who asks for a former address is shown the way."""

_OLD = "SELECT owner, name FROM former_addresses WHERE left_at < CAST($1 AS TIMESTAMP)"


def leave_address(rows: Transaction, agent: Agent, *, at: datetime) -> None:
    """Remember the address of *agent*, which has another from now on; forget the oldest ones."""
    rows.put(
        FORMER_ADDRESSES,
        {
            "owner": agent.owner,
            "name": agent.name,
            "agent_id": agent.id,
            "left_at": from_moment(at),
        },
    )
    rows.delete(FORMER_ADDRESSES, rows.query(_OLD, from_moment(at - KEPT)))


def claim_address(rows: Transaction, agent: Agent) -> None:
    """Have the address of *agent* lead to nobody else."""
    if rows.row(FORMER_ADDRESSES, agent.owner, agent.name) is not None:
        rows.delete(FORMER_ADDRESSES, [(agent.owner, agent.name)])
