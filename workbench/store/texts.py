"""The words that agents are found by besides their names.

What the draft says is its owner's alone; what is published is for everybody who may see the
agent. Whoever keeps words here has put them into lower case and bounded them.
"""

from __future__ import annotations

from workbench.domain.agents import Agent
from workbench.store.cells import text
from workbench.store.tables import AGENT_TEXTS, Row
from workbench.store.transaction import Transaction


def keep_text(
    rows: Transaction, agent: Agent, *, draft: str | None = None, published: str | None = None
) -> None:
    """Have *agent* found by those words; None leaves the words there are."""
    stored = rows.row(AGENT_TEXTS, agent.id)
    said = text(stored["published"]) if stored else ""
    drafted = (text(stored["draft"]) if stored else "") or said
    said = said if published is None else published
    drafted = drafted if draft is None else draft
    row: Row = {
        "agent_id": agent.id,
        "owner": agent.owner,
        # Most drafts are what is published: once is enough to be looked through.
        "draft": "" if drafted == said else drafted,
        "published": said,
    }
    if row != stored and (stored or said or drafted):
        rows.put(AGENT_TEXTS, row)
