"""Finding the gateway that owns a home, for those on the same machine who may read its lock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.store.home import owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A gateway that answers.

    Attributes:
        pid: Its process.
        url: Where it answers.
        token: What lets the same user's commands in, as the administrator, while it lives.
    """

    pid: int
    url: str
    token: str


def gateway_of(home: Path) -> Found | None:
    """The gateway that owns *home* now; None if nobody owns it or the owner answers nowhere."""
    holder = owner(home)
    if holder is None or not holder.url or not holder.token:
        return None
    return Found(pid=holder.pid, url=holder.url, token=holder.token)
