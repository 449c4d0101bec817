"""What agents' code must not get at, tried one by one, as ordinary code in a notebook.

`means` says what an attack is; the other modules hold them, by what they are made on. Each is also
a cell of the notebook that `probing` has executed: it knows the standard library, the means before
it, and what `Bait` says of the host.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from pathlib import Path

from workbench.kernels.attacks.means import ALONE, ATTACKS

__all__ = ["ALONE", "ATTACKS", "cells"]

_MEANS = "means"
_KINDS = ("files", "processes", "network", "kernel", "limits")
_FROM_THE_MEANS = re.compile(
    rf"^from {re.escape(__name__)}\.{_MEANS} import (\([^)]*\)|.*)\n", re.MULTILINE
)

for _kind in _KINDS:  # in this order, in which they are made and told
    importlib.import_module(f"{__name__}.{_kind}")


def cells() -> Sequence[str]:
    """The source of all attacks as cells, each of which finds in the notebook what it would import."""
    folder = Path(__file__).parent
    modules = ((folder / f"{name}.py").read_text() for name in (_MEANS, *_KINDS))
    return [_FROM_THE_MEANS.sub("", module) for module in modules]
