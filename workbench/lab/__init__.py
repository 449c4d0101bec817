"""JupyterLab's server side of the workbench: the agents as a drive, and what the sidebar asks.

It is a client like any other: it asks the gateway through `workbench.client` and keeps no copy of
what the gateway has. Nothing here may wait without letting JupyterLab's loop go on, and nothing
that stands behind the gateway may enter.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "workbench.lab"}]


def _load_jupyter_server_extension(server: Any) -> None:
    # Imported here: whoever imports a module of this floor needs no server.
    from workbench.lab.handlers import add_handlers

    add_handlers(server)
