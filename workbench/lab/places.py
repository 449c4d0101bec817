"""Where things lie in the drive: a path, read.

agents/workbench.ipynb                   the panel of the workbench
agents/ada/scout.ipynb                   the draft of ada's agent scout
agents/ada/scout/1.2.0.ipynb             a version
agents/ada/scout/runs/ID.ipynb           an executed notebook; of a test run in `tests`
agents/ada/scout/revisions/ID.ipynb      an earlier draft
agents/ada/scout/files/data.csv          a file beside the draft
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

NOTEBOOK = ".ipynb"
PANEL = f"workbench{NOTEBOOK}"
LONGEST_NAME = 63


class Kind(StrEnum):
    """What may lie at a place."""

    TOP = "top"
    PANEL = "panel"
    OWNER = "owner"
    DRAFT = "draft"
    AGENT = "agent"
    VERSION = "version"
    RUNS = "runs"
    RUN = "run"
    REVISIONS = "revisions"
    REVISION = "revision"
    FILES = "files"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the drive.

    Attributes:
        path: As it was asked for, without slashes at the ends.
        item: The version, the id, or the path of the file.
        test: Whether it holds test runs.
    """

    path: str
    kind: Kind
    owner: str = ""
    name: str = ""
    item: str = ""
    test: bool = False

    @property
    def label(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def address(self) -> str:
        """The agent it belongs to: `owner/name`."""
        return f"{self.owner}/{self.name}"

    def below(self, label: str) -> str:
        """The path of what lies in it under that name."""
        return f"{self.path}/{label}"


_NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
_OWNER = rf"(?P<owner>{_NAME})"
_AGENT = rf"{_OWNER}/(?P<name>{_NAME})"
# The id is the last word; what stands before it is for people.
_ID = r"([^/]* )?(?P<item>[\w-]+)\.ipynb"
_PATTERNS = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"", Kind.TOP),
        (re.escape(PANEL), Kind.PANEL),
        (_OWNER, Kind.OWNER),
        (rf"{_AGENT}\.ipynb", Kind.DRAFT),
        (_AGENT, Kind.AGENT),
        (rf"{_AGENT}/(?P<item>\d+\.\d+\.\d+)\.ipynb", Kind.VERSION),
        (rf"{_AGENT}/(?P<shelf>runs|tests)", Kind.RUNS),
        (rf"{_AGENT}/(?P<shelf>runs|tests)/{_ID}", Kind.RUN),
        (rf"{_AGENT}/revisions", Kind.REVISIONS),
        (rf"{_AGENT}/revisions/{_ID}", Kind.REVISION),
        (rf"{_AGENT}/files(/(?P<item>.+))?", Kind.FILES),
    )
)


def place_of(path: str, drive: str) -> Place | None:
    """The place that *path* names in the folder *drive*; None if it lies outside."""
    path = path.strip("/")
    head, _, rest = path.partition("/")
    if head != drive:
        return None
    for pattern, kind in _PATTERNS:
        if found := pattern.fullmatch(rest):
            told = found.groupdict()
            shelf = told.pop("shelf", None)
            told = {name: value or "" for name, value in told.items()}
            return Place(path=path, kind=kind, test=shelf == "tests", **told)
    return Place(path=path, kind=Kind.NOWHERE)


def agent_name(label: str) -> str:
    """The name of the agent that a notebook called *label* becomes."""
    small = re.sub(r"[^a-z0-9_-]+", "-", label.removesuffix(NOTEBOOK).lower()).strip("-_")
    # A copy of version 1.2.0 is no agent called 1-2-0.
    return "agent-" * small[:1].isdigit() + (small[: LONGEST_NAME - 6] or "agent")
