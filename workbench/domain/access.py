"""Users, roles and tokens: who may do what, and why.

Whether somebody may see a row is decided here for one row and, where the index is asked for many,
in the same words by `workbench.store.sight`; nowhere else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from workbench.domain.agents import Agent
from workbench.domain.runs import Run
from workbench.errors import AgentAccessDenied, InsufficientPermissions


class Role(StrEnum):
    """What kind of user somebody is."""

    ADMIN = "admin"
    AUTHOR = "author"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody the workbench knows."""

    name: str
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking, as far as a request has shown.

    Attributes:
        run_id: The run that asks on the user's behalf; empty if they ask themselves.
    """

    user: str
    role: Role
    run_id: str = ""

    @property
    def is_admin(self) -> bool:
        """Whether nothing is hidden from them."""
        return self.role is Role.ADMIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """How a program proves who it is.

    Attributes:
        id: Public part of the token; what it is looked up by.
        name: What its owner calls it.
        user: Whom it speaks for.
        digest: SHA-256, in hex, of the whole token. A token is 256 random bits, so one round of
            a fast hash is as good as a slow one.
        expires_at: From when on it is refused; None is never.
        revoked_at: When it was taken back, if it was.
    """

    id: str
    name: str
    user: str
    digest: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def proves(self, text: str, *, at: datetime) -> bool:
        """Whether *text* is this token and it is still good at that moment."""
        same = hmac.compare_digest(self.digest, token_digest(text))
        good = self.revoked_at is None and (self.expires_at is None or at < self.expires_at)
        return same and good


_TOKEN = re.compile(r"wb_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")


def token_id(text: str) -> str:
    """What the token *text* is looked up by: its public part, or a digest if it was chosen."""
    made = _TOKEN.fullmatch(text)
    return made[1] if made else token_digest(text)[:16]


def token_text(public: str, secret: str) -> str:
    """A token as its holder sees it: *public* is 16 hex digits, *secret* 43 URL-safe letters."""
    return f"wb_{public}_{secret}"


def token_digest(text: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class Owned(Protocol):
    """Something of somebody's that may be shown to everybody, such as an agent."""

    @property
    def owner(self) -> str:
        """Whose it is."""

    @property
    def shown(self) -> bool:
        """Whether everybody may see it."""


def may_see_agent(principal: Principal, agent: Owned) -> bool:
    """Whether *principal* may know of the agent, look at it and run it."""
    return principal.is_admin or principal.user == agent.owner or agent.shown


def may_see_run(principal: Principal, run: Run) -> bool:
    """Whether *principal* may know of the run and look at all of it."""
    return principal.is_admin or principal.user in (run.user, run.owner)


def require_author(principal: Principal) -> None:
    """Let only those pass who may have agents of their own.

    Raises:
        InsufficientPermissions: The role is for using agents only.
    """
    if principal.role not in (Role.ADMIN, Role.AUTHOR):
        raise InsufficientPermissions("Only authors can have agents; ask the administrator.")


def require_admin(principal: Principal) -> None:
    """Let only the administrator pass.

    Raises:
        InsufficientPermissions: It is somebody else.
    """
    if not principal.is_admin:
        raise InsufficientPermissions("Only the administrator can do this.")


def require_owner(principal: Principal, agent: Agent) -> None:
    """Let only those pass who may change the agent or look behind its published face.

    Raises:
        AgentAccessDenied: It belongs to somebody else.
    """
    if not (principal.is_admin or principal.user == agent.owner):
        raise AgentAccessDenied(f"{agent.address} belongs to {agent.owner}.", agent=agent.address)
