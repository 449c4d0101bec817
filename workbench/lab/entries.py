"""Entries of the drive: what a folder tells of each thing in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.lab.places import NOTEBOOK, Kind, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something on the drive.

    Attributes:
        folder: Whether others lie in it.
        at: When it last changed.
        writable: Whether it may be saved in its place.
        etag: What its content is known by, where that is known without asking for it.
    """

    place: Place
    folder: bool
    at: datetime
    writable: bool = False
    etag: str | None = None
    size: int | None = None

    @property
    def is_notebook(self) -> bool:
        """Whether it opens as a notebook."""
        return not self.folder and self.place.kind is not Kind.FILES


def moment_of(text: str) -> datetime:
    """The moment that the gateway wrote as *text*."""
    return datetime.fromisoformat(text)


def called(moment: str, *words: str) -> str:
    """What a notebook is called that came to be at *moment*: its day and time here, and *words*."""
    when = moment_of(moment).astimezone().strftime("%Y-%m-%d %H.%M.%S")
    return " ".join((when, *words)) + NOTEBOOK


def folder_entry(place: Place, at: datetime, *, writable: bool = False) -> Entry:
    """A folder that last changed at *at*."""
    return Entry(place=place, folder=True, at=at, writable=writable)


def version_entry(place: Place, version: Mapping[str, Any]) -> Entry:
    """A version, which is as old as its publication."""
    at = moment_of(version["published_at"])
    return Entry(place=place, folder=False, at=at, etag=str(version["etag"]))


def run_entry(place: Place, run: Mapping[str, Any]) -> Entry:
    """The executed notebook of a run that has ended."""
    return Entry(place=place, folder=False, at=moment_of(run["completed_at"]))


def revision_entry(place: Place, revision: Mapping[str, Any]) -> Entry:
    """An earlier draft."""
    at = moment_of(revision["saved_at"])
    return Entry(place=place, folder=False, at=at, etag=str(revision["etag"]))
