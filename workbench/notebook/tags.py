"""What the tags of a cell mean.

| tag                   | the cell                                                        |
|-----------------------|-----------------------------------------------------------------|
| `parameters`          | declares the parameters                                         |
| `injected-parameters` | sets them; written by whoever runs the notebook                 |
| `setup`               | stands before the parameters and does not depend on them        |
| `check`               | runs in test runs only                                          |
| `live`                | runs in other runs only                                         |
| `skip-execution`      | never runs; Jupyter's own tools leave such cells out as well    |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PARAMETERS = "parameters"
INJECTED = "injected-parameters"
SETUP = "setup"
CHECK = "check"
LIVE = "live"
SKIPPED = "skip-execution"

# In which runs a cell with the tag is left out: (other runs, test runs).
_LEFT_OUT = {CHECK: (True, False), LIVE: (False, True), SKIPPED: (True, True)}


def cell_tags(cell: Mapping[str, Any]) -> tuple[str, ...]:
    """The tags of *cell*, in the order its author gave them."""
    return tuple(cell["metadata"].get("tags", ()))


def is_code(cell: Mapping[str, Any]) -> bool:
    """Whether there is anything to run in *cell*."""
    return cell["cell_type"] == "code" and bool(cell["source"].strip())


def skip_reason(cell: Mapping[str, Any], *, test: bool) -> str | None:
    """The tag for which a run leaves *cell* out; None if it does not."""
    return next((tag for tag in cell_tags(cell) if _LEFT_OUT.get(tag, (False, False))[test]), None)


def runs(cell: Mapping[str, Any], *, test: bool) -> bool:
    """Whether a run carries *cell* out."""
    return is_code(cell) and skip_reason(cell, test=test) is None
