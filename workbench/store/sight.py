"""Who may see a row, said once in SQL for many rows.

The same is said in Python for one row by `may_see_run` of `workbench.domain.access`; a test holds
the two equal.
"""

from __future__ import annotations

from workbench.domain.access import Principal
from workbench.store.conditions import Condition

_EVERYTHING = Condition("TRUE")


def runs_seen_by(principal: Principal) -> Condition:
    """Holds for the runs that *principal* may know of."""
    if principal.is_admin:
        return _EVERYTHING
    return Condition("user_name = {} OR owner = {}", (principal.user, principal.user))


def tokens_seen_by(principal: Principal) -> Condition:
    """Holds for the tokens that *principal* may know of."""
    if principal.is_admin:
        return _EVERYTHING
    return Condition("user_name = {}", (principal.user,))


def users_seen_by(principal: Principal) -> Condition:
    """Holds for the users that *principal* may know of."""
    if principal.is_admin:
        return _EVERYTHING
    return Condition("name = {}", (principal.user,))
