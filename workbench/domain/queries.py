"""What lists can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workbench.domain.paging import PAGE
from workbench.domain.runs import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentQuery:
    """Which agents, newest first; every condition that is given must hold.

    Attributes:
        name: The exact name.
        owner: The exact owner.
        text: Words, all of which stand in the name, the description, a tag or a published cell, in
            any case; for its owner also in a cell of the draft. Part of a word is enough; one or
            two Latin letters are its beginning.
        tag: One of the tags.
        limit: The length of a page.
        cursor: Where the page before ended.
    """

    name: str | None = None
    owner: str | None = None
    text: str | None = None
    tag: str | None = None
    limit: int = PAGE
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs, newest first; every condition that is given must hold.

    Attributes:
        agent_id: Of this agent only.
        version: Of this version only; `draft` is one here.
        status: In this status only.
        test: The test runs instead of the others.
        since: Accepted at that moment or later.
        until: Accepted before that moment.
        limit: The length of a page.
        cursor: Where the page before ended.
    """

    agent_id: str | None = None
    version: str | None = None
    status: RunStatus | None = None
    test: bool = False
    since: datetime | None = None
    until: datetime | None = None
    limit: int = PAGE
    cursor: str | None = None
