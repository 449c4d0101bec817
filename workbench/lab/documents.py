"""Notebooks on their way between JupyterLab and the gateway."""

from __future__ import annotations

import platform
import sys
from typing import Any

from tornado.web import HTTPError

from workbench.errors import InvalidAgentConfig
from workbench.notebook.document import load

_PYTHON = {
    "codemirror_mode": {"name": "ipython", "version": sys.version_info.major},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": f"ipython{sys.version_info.major}",
    "version": platform.python_version(),
}


def read(content: bytes) -> Any:
    """The notebook that was uploaded.

    Raises:
        HTTPError: 400 if it is none.
    """
    try:
        return load(content)
    except InvalidAgentConfig as error:
        raise HTTPError(400, f"That is no notebook: {error}") from None


def complete(metadata: dict[str, Any]) -> None:
    """Say of a Python notebook what its kernel would: else opening it counts as an edit."""
    language = metadata.get("language_info")
    if language is not None and language.get("name") == "python" and "version" not in language:
        language.update(_PYTHON)


def reduce(metadata: dict[str, Any]) -> None:
    """Leave out what a kernel says of Python: another kernel's word for it makes no new draft."""
    if metadata.get("language_info", {}).get("name") == _PYTHON["name"]:
        metadata["language_info"] = {"name": _PYTHON["name"]}
