"""Finding what is installed beside the code: the notebooks and the settings of the servers."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from workbench.errors import Unavailable


def shipped(*parts: str) -> Path:
    """The file or folder, from an installed workbench or a checkout.

    Raises:
        Unavailable: It is not there, so this is no whole workbench.
    """
    package = Path(str(resources.files("workbench")))
    for root in (package / "_shipped", package.parent):
        if (found := root.joinpath(*parts)).exists():
            return found
    raise Unavailable(f"{'/'.join(parts)} is missing; was the workbench installed whole?")
