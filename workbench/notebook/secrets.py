"""Secrets that somebody wrote into a notebook: found by their shape, named by their kind, never told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Bounded, so that no text makes looking at it take more than linear time.
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "a key of a model provider",
        re.compile(r"(?<![\w-])sk-(?=[A-Za-z_-]{0,100}[0-9])[A-Za-z0-9_-]{20,200}"),
    ),
    ("a key of AWS", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a key of Google", re.compile(r"\bAIza[0-9A-Za-z_-]{35}")),
    (
        "a token of GitHub",
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22})"),
    ),
    ("a token of Slack", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10}")),
    ("a token of a workbench", re.compile(r"\bwb_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")),
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY-----")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A place where a secret stands.

    Attributes:
        kind: What it looks like.
        cell: The index of the cell.
        cell_id: Its id.
        line: The line in the cell, from 1.
    """

    kind: str
    cell: int
    cell_id: str
    line: int

    @property
    def message(self) -> str:
        """What is wrong, for people; the secret itself is not told."""
        return (
            f"Cell {self.cell} holds {self.kind} (line {self.line}). Whoever sees the notebook has"
            " it: take it out, and make a new one."
        )

    @property
    def place(self) -> dict[str, object]:
        """Where it stands, for programs."""
        return {"cell": self.cell, "cell_id": self.cell_id, "line": self.line}


def secrets(nb: Mapping[str, Any]) -> Iterator[Secret]:
    """The places in the cells of *nb* that look like secrets, one for each kind and line."""
    for index, cell in enumerate(nb["cells"]):
        source = cell["source"]
        for kind, shape in _SHAPES:
            lines = {source.count("\n", 0, found.start()) + 1 for found in shape.finditer(source)}
            for line in sorted(lines):
                yield Secret(kind=kind, cell=index, cell_id=cell["id"], line=line)
