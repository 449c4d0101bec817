"""A version: one numbered state of an agent's notebook, frozen when it is published.

Only its stage ever changes, and it only ever goes on: published, deprecated, archived.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from workbench.domain.definitions import Definition
from workbench.errors import IllegalMove, InvalidRequest

DRAFT = "draft"
"""Stands for the draft wherever a version number is asked for."""

LONGEST_NOTE = 2_000
"""How many letters the note of a deprecation may have."""

_NUMBER = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


class Stage(StrEnum):
    """Where a version stands; a draft is not a version yet."""

    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    """It runs as before, and everybody who runs it is warned."""
    ARCHIVED = "archived"
    """It can be read and compared, and not be run any more."""


_MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.PUBLISHED: frozenset({Stage.DEPRECATED, Stage.ARCHIVED}),
    Stage.DEPRECATED: frozenset({Stage.ARCHIVED}),
    Stage.ARCHIVED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One published state of an agent.

    Attributes:
        agent_id: Whose version this is.
        number: `MAJOR.MINOR.PATCH`.
        stage: Where it stands.
        definition: What its notebook declares.
        changelog: What its author says has changed.
        published_by: The user who published it.
        deprecated_at: When its author began to warn of it, if that has happened.
        deprecation_note: Why, and what to use instead.
        archived_at: When it was taken out of use, if it was.
    """

    agent_id: str
    number: str
    stage: Stage = Stage.PUBLISHED
    definition: Definition
    changelog: str = ""
    published_by: str
    published_at: datetime
    deprecated_at: datetime | None = None
    deprecation_note: str = ""
    archived_at: datetime | None = None

    @property
    def warning(self) -> str:
        """What those who run it are told; nothing unless it is deprecated."""
        if self.stage is not Stage.DEPRECATED:
            return ""
        return f"Version {self.number} is deprecated. {self.deprecation_note}".rstrip()

    def move(self, to: Stage, *, at: datetime, note: str = "") -> Version:
        """The version as it stands in the stage *to*; *note* is kept with a deprecation.

        Raises:
            IllegalMove: That stage does not follow the present one.
            InvalidRequest: The note is too long.
        """
        if to not in _MOVES[self.stage]:
            raise IllegalMove(
                f"Version {self.number} is {self.stage}, so it cannot become {to}.",
                version=self.number,
                stage=str(self.stage),
            )
        if len(note) > LONGEST_NOTE:
            raise InvalidRequest(f"note may have {LONGEST_NOTE} letters.", field="note")
        if to is Stage.DEPRECATED:
            return replace(self, stage=to, deprecated_at=at, deprecation_note=note)
        return replace(self, stage=to, archived_at=at)


def check_number(text: object) -> str:
    """*text*, if it is a version number.

    Raises:
        InvalidRequest: It is not `MAJOR.MINOR.PATCH`.
    """
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise InvalidRequest("version must be MAJOR.MINOR.PATCH, for example 1.2.0.")
    return text


def order(number: str) -> tuple[int, int, int]:
    """What version numbers are sorted by."""
    major, minor, patch = number.split(".")
    return int(major), int(minor), int(patch)


def next_number(numbers: Iterable[str]) -> str:
    """The number a new version gets when nobody names one: `1.0.0`, then the next minor."""
    highest = max((order(n) for n in numbers), default=None)
    if highest is None:
        return "1.0.0"
    return f"{highest[0]}.{highest[1] + 1}.0"
