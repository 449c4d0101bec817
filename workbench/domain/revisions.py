"""A revision: an earlier draft of an agent, as it was saved and until it was replaced."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from workbench.domain.definitions import Definition
from workbench.errors import NotFound

MOST_REVISIONS = 200
"""How many revisions an agent keeps; the oldest goes when one more comes."""

_ID = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One earlier draft.

    Attributes:
        agent_id: Whose draft it was.
        number: 1 for an agent's first draft; never used again.
        definition: What its notebook declares, and the files beside it.
        size: Of its notebook, in bytes.
        saved_by: The user who saved it.
        saved_at: When that was.
    """

    agent_id: str
    number: int
    definition: Definition
    size: int
    saved_by: str
    saved_at: datetime

    @property
    def id(self) -> str:
        """What it is asked for by."""
        return str(self.number)


def revision_number(text: str) -> int:
    """The number of the revision that is asked for by *text*.

    Raises:
        NotFound: No revision is called that.
    """
    if not _ID.fullmatch(text):
        raise NotFound("There is no such revision.", revision=text[:80])
    return int(text)
