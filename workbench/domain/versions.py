"""A version: one numbered state of an agent's notebook, frozen when it is published."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workbench.domain.definitions import Definition
from workbench.errors import InvalidRequest

DRAFT = "draft"
"""Stands for the draft wherever a version number is asked for."""

_NUMBER = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


class Stage(StrEnum):
    """Where a version stands; a draft is not a version yet."""

    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    ARCHIVED = "archived"


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
    """

    agent_id: str
    number: str
    stage: Stage = Stage.PUBLISHED
    definition: Definition
    changelog: str = ""
    published_by: str
    published_at: datetime


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
