"""A Python value, as the JSON value that says the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from json import dumps
from math import isfinite

MAX_DEPTH = 64


class InvalidResult(ValueError):
    """The value cannot be the result of a run; the message says what to hand over instead."""


def as_json(value: object) -> object:
    """*value* in nothing but None, booleans, numbers, strings, lists and dicts with string keys.

    Tuples become lists, times their ISO text, members of an enumeration their value, and whatever
    has numpy's `tolist` what that says.

    Raises:
        InvalidResult: JSON cannot hold it; the message names the place.
    """
    plain = _plain(value, "result", 0)
    try:
        dumps(plain)
    except ValueError as error:  # an integer with more digits than Python writes
        raise InvalidResult(f"The result is no JSON: {error}.") from None
    return plain


def _plain(value: object, place: str, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise InvalidResult(f"The result is nested more than {MAX_DEPTH} deep, or contains itself.")
    if value is None or type(value) is bool or type(value) is int:
        return value
    for kind, convert in _KINDS:
        if isinstance(value, kind):
            return convert(value, place, depth)
    return _foreign(value, place, depth)


def _text(value: str, place: str, depth: int) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidResult(f"{place} holds half a character that UTF-8 cannot write.") from None
    return str(value)


def _number(value: float, place: str, depth: int) -> float:
    if not isfinite(value):
        raise InvalidResult(f"{place} is {value}, which JSON does not have; use None.")
    return float(value)


def _items(value: list[object], place: str, depth: int) -> list[object]:
    return [_plain(item, f"{place}[{n}]", depth + 1) for n, item in enumerate(value)]


def _mapping(value: Mapping[object, object], place: str, depth: int) -> dict[str, object]:
    plain: dict[str, object] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise InvalidResult(f"{place} has the key {key!r:.80}; JSON's keys are strings.")
        plain[_text(key, f"a key of {place}", depth)] = _plain(item, f"{place}.{key}", depth + 1)
    return plain


def _member(value: Enum, place: str, depth: int) -> object:
    return _plain(value.value, place, depth + 1)


# In this order: a member of a StrEnum is a string too.
_KINDS: tuple[tuple[type | tuple[type, ...], Callable[..., object]], ...] = (
    (Enum, _member),
    (str, _text),
    (int, lambda value, place, depth: int(value)),
    (float, _number),
    ((list, tuple), _items),
    (Mapping, _mapping),
)


def _foreign(value: object, place: str, depth: int) -> object:
    # Told by what they can do: neither numpy nor pandas is imported here.
    kind = type(value).__name__
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        raise InvalidResult(f'{place} is a {kind}; hand over its .to_dict("records") instead.')
    for method in ("tolist", "isoformat"):
        convert = getattr(value, method, None)
        if callable(convert):
            return _plain(convert(), place, depth + 1)
    raise InvalidResult(
        f"{place} is a {kind}, which JSON cannot hold; hand over numbers, strings, booleans, None,"
        " lists and dicts."
    )
