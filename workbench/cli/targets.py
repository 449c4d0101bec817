"""What people write to name things: a notebook on disk, an agent, the name of a new one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from workbench.domain.names import check_path, is_name
from workbench.domain.versions import DRAFT, check_number
from workbench.errors import InvalidRequest

FIRST_USER = "admin"
"""Whose agent a name without an owner means."""

NOTEBOOK_SUFFIXES = (".ipynb", ".py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An agent and, if it was named, one version of it."""

    owner: str
    name: str
    version: str | None = None

    def __str__(self) -> str:
        """`owner/name`, without the version."""
        return f"{self.owner}/{self.name}"


def target(text: str) -> Path | Address:
    """What *text* names: a notebook on disk, or else an agent.

    Raises:
        InvalidRequest: It can be neither.
    """
    path = Path(text)
    if text.endswith(NOTEBOOK_SUFFIXES) or path.exists():
        return path
    return address(text)


def address(text: str) -> Address:
    """The agent that `owner/name[@version]` or `name[@version]` stands for.

    Raises:
        InvalidRequest: It is no such thing.
    """
    named, at, version = text.partition("@")
    owner, slash, name = named.rpartition("/")
    owner = owner if slash else FIRST_USER
    if not is_name(owner) or not is_name(name) or (at and not version):
        raise InvalidRequest(
            f"{text!r} is neither a notebook (.ipynb or .py) nor an agent, written"
            " owner/name or owner/name@1.2.0."
        )
    if at and version != DRAFT:
        check_number(version)
    return Address(owner=owner, name=name, version=version or None)


def name_from(path: Path) -> str:
    """The name that an agent gets from its notebook's file.

    Raises:
        InvalidRequest: Nothing that could be a name is left of the file's.
    """
    made = re.sub(r"[^a-z0-9_]+", "-", path.stem.lower()).strip("-_")[:63].rstrip("-_")
    if not is_name(made):
        raise InvalidRequest(f"{path.name!r} gives no name for an agent: say one with --name.")
    return made


def travel_name(file: Path, notebook: Path) -> str:
    """The path at which a run finds *file*: as the notebook sees it from its own folder, if it does.

    Raises:
        InvalidRequest: No file of that name can travel with an agent.
    """
    folder = notebook.resolve().parent
    inside = file.resolve()
    known = inside.relative_to(folder) if inside.is_relative_to(folder) else Path(file.name)
    return check_path(known.as_posix())
