"""An agent: a parametrized notebook with an owner and a name.

Its draft can be edited; what others call is the version that `current_version` points to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workbench.domain.definitions import Definition


class Visibility(StrEnum):
    """Who may know that an agent exists, look at it and run it."""

    PRIVATE = "private"
    PUBLIC = "public"


def is_shown(visibility: Visibility, *, published: bool, archived: bool) -> bool:
    """Whether everybody may see an agent of that kind."""
    return visibility is Visibility.PUBLIC and published and not archived


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent as it stands now.

    Attributes:
        id: Opaque; never reused.
        owner: The user it belongs to.
        name: Unique among the owner's agents, archived ones included.
        description: For people.
        draft: What the notebook being worked on declares.
        current_version: What callers get; None until something is published.
        published: What the current version declares; None until then.
        visibility: Who may see it.
        metadata: Free JSON of the owner's.
        archived_at: When it was taken out of use, if it was.
    """

    id: str
    owner: str
    name: str
    description: str
    draft: Definition
    current_version: str | None = None
    published: Definition | None = None
    visibility: Visibility = Visibility.PRIVATE
    metadata: Mapping[str, object] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None

    @property
    def address(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def stage(self) -> str:
        """`archived`, `published` or `draft`."""
        if self.archived_at is not None:
            return "archived"
        return "published" if self.current_version else "draft"

    @property
    def shown(self) -> bool:
        """Whether everybody may see it."""
        return is_shown(
            self.visibility,
            published=self.current_version is not None,
            archived=self.archived_at is not None,
        )

    @property
    def face(self) -> Definition:
        """What a caller meets: the published definition, or the draft's while there is none."""
        return self.published or self.draft
