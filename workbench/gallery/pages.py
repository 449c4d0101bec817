"""What a visitor's page is told before it runs: which gateway to ask, and by which token."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jupyter_server.base.handlers import JupyterHandler

from workbench.gallery.door import session_of

_NAME = "[a-z0-9][a-z0-9_-]{0,62}"
ADDRESS = re.compile(f"{_NAME}/{_NAME}")
"""Which agent a page begins at, as its address says: `?agent=owner/name`."""

POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self';"
    # Voilà and Jupyter's widgets set themselves up in the page, and build functions from text.
    " script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:;"
    " frame-ancestors 'none'"
)
"""What the page may fetch, and who may show it: nothing from elsewhere, and nobody."""


def for_visitor(
    handler: JupyterHandler, *, notebook: Mapping[str, Any], cwd: str
) -> Mapping[str, Any]:
    """The *notebook* of the page with its parameters put in, as papermill would.

    They stand in a cell, which nobody is shown: an environment can be read by other processes.
    """
    session = session_of(handler)
    asked = handler.get_query_argument("agent", "")
    given = {
        "url": session.url,
        "token": session.token,
        "files_at": f"{handler.base_url}runs/",
        "begin_at": asked if ADDRESS.fullmatch(asked) else "",
    }
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", ()):
            lines = [f"{name} = {json.dumps(value)}" for name, value in given.items()]
            cell["source"] = "\n".join(lines)
    return notebook
