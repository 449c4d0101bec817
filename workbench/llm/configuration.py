"""The table `models` of the settings, read.

[models]
default = "gpt-5.4-mini"

[models.upstreams.openai]
kind = "openai"
models = ["gpt-*", "text-embedding-*"]

[models.upstreams.local]
kind = "ollama"
names = { small = "llama3.2:3b" }

[[models.prices]]
model = "our-*"
input = 0.20
output = 0.80

[[models.script]]
when = { last_user = "hello" }
reply = { text = "Hello." }

[models.budgets.run]
usd = 0.50
calls = 100
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from urllib.parse import urlsplit

from workbench.domain.models import Budget, Catalogue, Listed, Price, Upstream, read_budget
from workbench.domain.names import is_name
from workbench.errors import InvalidAgentConfig, InvalidRequest
from workbench.llm.scripted import read_rules

T = TypeVar("T")

URLS = {
    "openai": "https://api.openai.com/v1",
    "azure": "",
    "ollama": "http://127.0.0.1:11434/v1",
    "vllm": "http://127.0.0.1:8000/v1",
    "compatible": "",
}
"""The kinds of upstream, with where they are unless the settings say."""

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def read_catalogue(table: Mapping[str, Any]) -> Catalogue:
    """The models that *table* speaks of.

    Raises:
        InvalidRequest: It makes no sense; the message names the place.
    """
    _check(table, "models", "default upstreams prices script budgets")
    upstreams = _each(table.get("upstreams", {}), "models.upstreams")
    prices = table.get("prices", [])
    if not isinstance(prices, list):
        raise _wrong("models.prices", "must be a list of tables")
    budgets = table.get("budgets", {})
    _check(budgets, "models.budgets", "run agent user")
    return Catalogue(
        upstreams=[_upstream(name, each) for name, each in upstreams.items()],
        default=_get(table, "default", "models", _text, ""),
        prices=[_listed(n, each) for n, each in enumerate(prices)],
        script=_script(table.get("script", [])),
        **{name: _budget(f"models.budgets.{name}", each) for name, each in budgets.items()},
    )


def _upstream(name: str, table: Mapping[str, Any]) -> Upstream:
    where = f"models.upstreams.{name}"
    if not is_name(name):
        raise _wrong(where, "must be named by 1 to 63 of a-z, 0-9, '_' and '-'")
    _check(table, where, "kind url models names retries seconds silence_seconds version")
    kind = _get(table, "kind", where, _text, "compatible")
    if kind not in URLS:
        raise _wrong(f"{where}.kind", f"must be one of {', '.join(URLS)}")
    url = _get(table, "url", where, _text, URLS[kind]).rstrip("/")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise _wrong(f"{where}.url", "must be an address such as http://127.0.0.1:8000/v1")
    if urlsplit(url).password is not None or urlsplit(url).query:
        raise _wrong(f"{where}.url", "must hold no key; set it by `workbench models key`")
    return Upstream(
        name=name,
        kind=kind,
        url=url,
        models=_get(table, "models", where, _texts, ("*",)),
        names=_get(table, "names", where, _names, {}),
        retries=_get(table, "retries", where, _whole, 2),
        seconds=_get(table, "seconds", where, _positive, 600.0),
        silence_seconds=_get(table, "silence_seconds", where, _positive, 120.0),
        version=_get(table, "version", where, _text, ""),
    )


def _listed(number: int, table: Mapping[str, Any]) -> Listed:
    where = f"models.prices[{number}]"
    _check(table, where, "model since input output cached_input cache_write")
    if "model" not in table or "input" not in table:
        raise _wrong(where, "must have model and input: dollars for a million tokens")
    price = Price(
        source="settings",
        input=_get(table, "input", where, _dollars, Decimal(0)),
        output=_get(table, "output", where, _dollars, Decimal(0)),
        cached=_get(table, "cached_input", where, _dollars, None),
        written=_get(table, "cache_write", where, _dollars, None),
    )
    since = _get(table, "since", where, _moment, _BEGINNING)
    return Listed(model=_get(table, "model", where, _text, ""), since=since, price=price)


def _script(rules: object) -> Sequence[Mapping[str, Any]]:
    if not isinstance(rules, list):
        raise _wrong("models.script", "must be a list of rules")
    try:
        read_rules(rules)
    except InvalidAgentConfig as error:
        raise _wrong("models.script", f"cannot be followed: {error}") from None
    return rules


def _budget(where: str, table: object) -> Budget:
    if not isinstance(table, Mapping):
        raise _wrong(where, "must be a table")
    try:
        return read_budget(table)
    except ValueError as error:
        raise _wrong(where, str(error)) from None


def _check(table: object, where: str, known: str) -> None:
    if not isinstance(table, Mapping):
        raise _wrong(where, "must be a table")
    unknown = sorted(set(table) - set(known.split()))
    if unknown:
        raise _wrong(where, f"speaks of {', '.join(unknown)[:200]}; it knows {known}")


def _each(tables: object, where: str) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(tables, Mapping):
        raise _wrong(where, "must be tables by name")
    return tables


def _get(
    table: Mapping[str, Any], name: str, where: str, read: Callable[[Any], Any], default: T
) -> Any | T:
    if name not in table:
        return default
    try:
        return read(table[name])
    except (ValueError, TypeError, InvalidOperation, AttributeError):
        raise _wrong(f"{where}.{name}", f"cannot be {table[name]!r:.80}") from None


def _wrong(where: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"The setting {where} {what}.", setting=where)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(map(_text, value))


def _names(value: Any) -> dict[str, str]:
    return {_text(name): _text(other) for name, other in value.items()}


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value


def _positive(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not 0 < number < float("inf"):
        raise ValueError(value)
    return number


def _dollars(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if isinstance(value, bool) or not 0 <= amount < 10**6:
        raise ValueError(value)
    return amount


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        at = value
    elif isinstance(value, date):
        at = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        at = datetime.fromisoformat(_text(value))
    return at if at.tzinfo else at.replace(tzinfo=UTC)
