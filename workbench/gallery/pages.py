"""What a visitor's page is told before it runs: which gateway to ask, and by which token."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_server.base.handlers import JupyterHandler

from workbench.gallery.assets import EXTENSIONS, STATIC, Assets
from workbench.gallery.door import session_of

_NAME = "[a-z0-9][a-z0-9_-]{0,62}"
ADDRESS = re.compile(f"{_NAME}/{_NAME}")
"""Which agent a page begins at, as its address says: `?agent=owner/name`."""

_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self';"
    " script-src 'self'{scripts}; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:;"
    " frame-ancestors 'none'"
)
POLICY = _POLICY.format(scripts="")
"""What anything here may fetch, and who may show it: nothing from elsewhere, and nobody."""


def for_visitor(
    handler: JupyterHandler, *, notebook: Mapping[str, Any], cwd: str
) -> Mapping[str, Any]:
    """The *notebook* of the page with its parameters put in, as papermill would.

    They stand in a cell, which nobody is shown: an environment can be read by other processes.
    """
    session = session_of(handler)
    nonce = secrets.token_urlsafe(16)
    # Scripts of the page itself, and those that components of ours bring along as blobs.
    scripts = f" 'nonce-{nonce}' blob:"
    handler.set_header("Content-Security-Policy", _POLICY.format(scripts=scripts))
    notebook["metadata"].update(nonce=nonce, user=session.user)
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


def loading(assets: Assets) -> Callable[..., dict[str, Any]]:
    """What tells a page where its *assets* are, and which it will want."""

    def told(config: dict[str, Any], *, base_url: str, **_: object) -> dict[str, Any]:
        place = f"{base_url}assets/{assets.key}/"
        return config | {
            "fullStaticUrl": place + STATIC,
            "fullLabextensionsUrl": place + EXTENSIONS,
            "hints": [place + path for path in assets.hints()],
            "bundle": place + bundle if (bundle := assets.bundle()) else "",
        }

    return told
