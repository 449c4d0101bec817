"""Names of owners and agents, of parameters, and of files."""

from __future__ import annotations

import keyword
import re

from workbench.errors import InvalidAgentConfig, InvalidRequest

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LONGEST_PATH = 400
_LONGEST_PART = 200

RESERVED = frozenset({"execute", "validate", "generate"})
"""Words that stand where a name could stand in a path of the HTTP face."""


def is_name(text: str) -> bool:
    """Whether *text* can name an owner or an agent."""
    return NAME.fullmatch(text) is not None


def check_name(text: object, *, what: str = "agent_name") -> str:
    """*text*, if it can name an owner or an agent.

    Raises:
        InvalidAgentConfig: It is no string, breaks the pattern, or is reserved.
    """
    if not isinstance(text, str) or not is_name(text):
        raise InvalidAgentConfig(
            f"{what} must be 1 to 63 of a-z, 0-9, '_' and '-', beginning with a letter or digit.",
            field=what,
        )
    if text in RESERVED:
        raise InvalidAgentConfig(f"{what} {text!r} is a reserved word; choose another.", field=what)
    return text


def is_parameter_name(text: str) -> bool:
    """Whether *text* can be assigned to in Python, so that it can be a parameter."""
    return text.isascii() and text.isidentifier() and not keyword.iskeyword(text)


def check_path(text: str) -> str:
    """*text*, if a file in a working folder can be called that.

    Relative, forward slashes, no hidden part: whatever begins with a dot in a working folder
    belongs to the kernel.

    Raises:
        InvalidRequest: It is empty, absolute, leads out of the folder, or cannot be a path.
    """
    parts = text.split("/")
    good = (
        len(text) <= _LONGEST_PATH
        and text.isprintable()
        and "\\" not in text
        and all(part and not part.startswith(".") and len(part) <= _LONGEST_PART for part in parts)
    )
    if not good:
        raise InvalidRequest(
            f"{text[:80]!r} cannot name a file: a relative path of plain names, such as"
            " data/prices.csv.",
            path=text[:200],
        )
    return text
