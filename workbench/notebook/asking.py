"""What a notebook asks for its language models: money, a shell, and the skills of others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workbench.domain.models import Budget, read_budget
from workbench.domain.names import NAME
from workbench.errors import InvalidAgentConfig

MAX_USES = 20

_ADDRESS = re.compile(rf"{NAME.pattern}/{NAME.pattern}(@\d{{1,9}}\.\d{{1,9}}\.\d{{1,9}})?")


def wrong(key: str, what: str) -> InvalidAgentConfig:
    """What is wrong with *key* of `metadata.workbench`; empty is all of it."""
    field = f"metadata.workbench.{key}" if key else "metadata.workbench"
    return InvalidAgentConfig(f"{field} {what}.", field=field)


def budget(own: Mapping[str, Any]) -> Budget:
    """What one run may spend on models.

    Raises:
        InvalidAgentConfig: It says nothing that could be spent.
    """
    given = own.get("budget", {})
    if not isinstance(given, Mapping):
        raise wrong("budget", 'must be an object such as {"usd": 0.5, "calls": 20}')
    try:
        return read_budget(given)
    except ValueError as error:
        raise wrong("budget", str(error)) from None


def shell(own: Mapping[str, Any]) -> bool:
    """Whether models may have a shell.

    Raises:
        InvalidAgentConfig: It is neither true nor false.
    """
    given = own.get("shell", False)
    if not isinstance(given, bool):
        raise wrong("shell", "must be true or false")
    return given


def uses(own: Mapping[str, Any]) -> tuple[str, ...]:
    """The agents whose skills and personas it uses.

    Raises:
        InvalidAgentConfig: They are no addresses, or too many.
    """
    given = own.get("uses", [])
    named = isinstance(given, list) and all(map(_is_address, given))
    if not named or len(given) > MAX_USES:
        raise wrong(
            "uses", f'must list at most {MAX_USES} agents such as "ada/style" or "ada/style@1.0.0"'
        )
    return tuple(given)


def _is_address(value: object) -> bool:
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None
