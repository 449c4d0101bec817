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

_SPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def read(content: bytes) -> Any:
    """The notebook that was uploaded.

    Raises:
        HTTPError: 400 if it is none.
    """
    try:
        return load(content)
    except InvalidAgentConfig as error:
        raise HTTPError(400, f"That is no notebook: {error}") from None


def complete(metadata: dict[str, Any]) -> bool:
    """Say of a Python notebook what JupyterLab would: else opening it counts as an edit.

    Whether it was told which kernel it has, because it does not say so itself.
    """
    spec = metadata.get("kernelspec", {})
    if spec.get("language", "python") == "python":
        metadata.setdefault("language_info", {"name": "python"})
    language = metadata.get("language_info", {})
    if language.get("name") != _PYTHON["name"]:
        return False
    if "version" not in language:
        language.update(_PYTHON)
    if spec.get("name"):
        return False
    metadata["kernelspec"] = dict(_SPEC)
    return True


def reduce(metadata: dict[str, Any], *, told: bool) -> None:
    """Leave out what a kernel says of Python: another kernel's word for it makes no new draft.

    Which kernel it has is left out as well if it was *told* that and it is still the same.
    """
    spec = metadata.get("kernelspec", {})
    if not spec.get("name") or (told and spec == _SPEC):
        metadata.pop("kernelspec", None)
    if metadata.get("language_info", {}).get("name") == _PYTHON["name"]:
        metadata["language_info"] = {"name": _PYTHON["name"]}
