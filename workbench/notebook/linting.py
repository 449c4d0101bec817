"""What ruff finds in a notebook, where it is installed; nothing is run and nothing imported."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.notebook.document import dump
from workbench.notebook.policy import Breach

PATIENCE_SECONDS = 30.0

# What a run would trip over, and what nobody should write: https://docs.astral.sh/ruff/rules/.
_RULES = "E9,F63,F7,F821,F822,F823,S102,S307,S602,S605"
_COMMAND = ("check", "--isolated", "--no-cache", "--output-format", "json", "--select", _RULES)


def lint(nb: Mapping[str, Any]) -> Sequence[Breach]:
    """What ruff would have put right in *nb*; nothing where there is no ruff."""
    if importlib.util.find_spec("ruff") is None:
        return []
    command = [sys.executable, "-m", "ruff", *_COMMAND, "--stdin-filename", "draft.ipynb", "-"]
    try:
        said = subprocess.run(
            command, input=dump(nb), capture_output=True, timeout=PATIENCE_SECONDS, check=False
        )
        found = json.loads(said.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        # It is one opinion of several: the cases are what decides.
        return []
    return [_breach(nb, each) for each in found]


def _breach(nb: Mapping[str, Any], found: Mapping[str, Any]) -> Breach:
    number = found.get("cell")
    cells = nb["cells"]
    # Ruff counts cells from 1, text among them.
    cell_id = ""
    if isinstance(number, int) and 0 < number <= len(cells):
        cell_id = str(cells[number - 1]["id"])
    line = int((found.get("location") or {}).get("row", 0))
    return Breach(
        code=str(found.get("code") or "Syntax"),
        message=f"Cell {cell_id}: {found.get('message', '')} (line {line}).",
        cell_id=cell_id,
        line=line,
    )
