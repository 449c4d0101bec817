"""Finding a gateway: named, named by the environment, or running on this machine for this user.

The gateway that owns a home holds a lock on the file `owner.lock` in it, which says where it
answers and what lets the same user in; nobody else can read that file.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import Unauthenticated, Unavailable
from workbench.settings import default_home


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A gateway that answers.

    Attributes:
        pid: Its process.
        url: Where it answers.
        token: What lets the same user's programs in, as the administrator, while it lives.
    """

    pid: int
    url: str
    token: str = field(repr=False)


def gateway_of(home: Path) -> Found | None:
    """The gateway that owns *home* now; None if nobody owns it or the owner answers nowhere."""
    # Not on Windows, where a gateway can be called but not found.
    import fcntl

    try:
        with (home / "owner.lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                said = _read(lock.fileno())
            else:
                return None
    except OSError:
        return None
    pid, url, token = (said.get(name) for name in ("pid", "url", "token"))
    if isinstance(pid, int) and isinstance(url, str) and isinstance(token, str):
        return Found(pid=pid, url=url, token=token)
    return None


def access(
    url: str | None, token: str | None, *, environment: Mapping[str, str] = os.environ
) -> tuple[str, str]:
    """Where to ask and with which token.

    That is what is given, else what `WORKBENCH_URL` and `WORKBENCH_TOKEN` say, else what the
    gateway of the user's home says of itself. In what JupyterHub starts, the token that it gave is
    shown to the gateway that `WORKBENCH_URL` names.

    Raises:
        Unavailable: No gateway is named and none runs here.
        Unauthenticated: A gateway is named, but no token.
    """
    url = url or environment.get("WORKBENCH_URL")
    token = token or environment.get("WORKBENCH_TOKEN")
    if url and not token:
        token = environment.get("JUPYTERHUB_API_TOKEN")
    if url and token:
        return url, token
    home = Path(environment.get("WORKBENCH_HOME") or default_home(environment))
    found = gateway_of(home)
    if url and (found is None or found.url != url.rstrip("/")):
        raise Unauthenticated(
            f"Which token lets you in at {url}? Give one, or set WORKBENCH_TOKEN.", url=url
        )
    if found is None:
        raise Unavailable(
            f"No gateway runs on {home}: start one with `workbench serve`, or name one by"
            " WORKBENCH_URL and WORKBENCH_TOKEN."
        )
    return found.url, token or found.token


def _read(lock: int) -> dict[str, object]:
    # The owner empties the file before it writes: an empty one is worth a second look.
    for _ in range(20):
        try:
            said = json.loads(os.pread(lock, 65_536, 0))
        except ValueError:
            time.sleep(0.001)
            continue
        return said if isinstance(said, dict) else {}
    return {}
