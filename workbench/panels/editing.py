"""What an agent says of itself, as texts in fields: written, read back, checked, put together.

Only what somebody has changed is written into the notebook; what they left alone stays as it
stands there by then, whoever else has changed it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from workbench.domain.limits import DECLARABLE
from workbench.domain.network import read_host
from workbench.domain.retries import LOST
from workbench.errors import InvalidRequest
from workbench.panels import wording
from workbench.panels.amounts import bytes_of, written, written_bytes

View: TypeAlias = Mapping[str, Any]
Texts: TypeAlias = Mapping[str, str]

SCHEMAS = ("input_schema", "output_schema")
LIMITS = ("timeout_seconds", *DECLARABLE)
RETRY = ("retry", "retry_on", "retry_pause")
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "about": ("name", "visibility", "description", "tags"),
    "parameters": SCHEMAS,
    "limits": (*LIMITS, "network", "hosts", *RETRY),
    "cases": (),
}
"""Which fields stand together."""

# What the gateway keeps beside the notebook.
_BESIDE = ("name", "description", "visibility")

_PREFIX = "metadata.workbench."
_FIELDS = {"retry.on": "retry_on", "retry.backoff_seconds": "retry_pause", "agent_name": "name"}
_VISIBILITIES = (("private", "private: only you"), ("public", "public: everybody"))
_NETWORKS = {"none": "none", "allow-list": "hosts", "open": "open"}


def texts_of(agent: View, own: View) -> dict[str, str]:
    """What stands in the fields of *agent*, whose draft says *own* of itself."""
    limits, network = own.get("limits") or {}, own.get("network", "none")
    said = own.get("retry", 0)
    retry = said if isinstance(said, Mapping) else {"max": said}
    return {
        "name": agent["agent_name"],
        "description": agent["description"],
        "visibility": agent["visibility"],
        "tags": ", ".join(own.get("tags") or ()),
        **{name: _pretty(own.get(name)) for name in SCHEMAS},
        "timeout_seconds": _number(own.get("timeout_seconds")),
        **{name: _amount(name, limits.get(name)) for name in DECLARABLE},
        "network": "hosts" if isinstance(network, list) else str(network),
        "hosts": "\n".join(network) if isinstance(network, list) else "",
        "retry": _number(retry.get("max", 0)),
        "retry_on": "\n".join(retry.get("on", LOST)),
        "retry_pause": _number(retry.get("backoff_seconds", 1)),
    }


def problems(texts: Texts, allowed: View) -> dict[str, str]:
    """What is wrong, by field, as far as it can be told here; *allowed* is what `limits()` tells."""
    found = {}
    for name, text in texts.items():
        try:
            _READERS.get(name, _as_it_is)(text)
        except ValueError as error:
            found[name] = str(error)
        else:
            found[name] = _beyond(name, text, allowed.get("limits", {}))
    if texts.get("network") == "hosts" and not texts["hosts"].strip():
        found["hosts"] = wording.NAME_A_HOST
    return {name: said for name, said in found.items() if said}


def changes(before: Texts, now: Texts, own: View) -> dict[str, object]:
    """The keys of a notebook that say something else now; None where it says nothing any more.

    Raises:
        ValueError: A field cannot be read.
    """
    changed = {name for name, text in now.items() if before.get(name) != text}
    told: dict[str, object] = {
        name: _READERS[name](now[name])
        for name in ("tags", "timeout_seconds", *SCHEMAS)
        if name in changed
    }
    if limits := changed & set(DECLARABLE):
        read = {name: _READERS[name](now[name]) for name in limits}
        kept = {**(own.get("limits") or {}), **read}
        told["limits"] = {n: value for n, value in kept.items() if value is not None} or None
    if changed & {"network", "hosts"}:
        told["network"] = _network(now)
    if changed & set(RETRY):
        told["retry"] = _retry(now, own)
    return told


def beside(before: Texts, now: Texts) -> dict[str, str]:
    """What was changed of what the gateway keeps beside the notebook."""
    return {name: now[name] for name in _BESIDE if now[name] != before[name]}


def merged(own: View, changed: View) -> dict[str, Any]:
    """What the notebook says of itself once it says *changed*; what is None is not said."""
    return {name: value for name, value in {**own, **changed}.items() if value is not None}


def fields_of(
    section: str, texts: Texts, allowed: View, derived: object = None
) -> list[dict[str, Any]]:
    """The fields of a section as the component for forms shows them.

    *derived* is the schema of the parameters that holds where none is written.
    """
    names = [name for name in SECTIONS[section] if name in texts]
    if texts.get("network") != "hosts":
        names = [name for name in names if name != "hosts"]
    if texts.get("retry", "0").strip() in ("", "0"):
        names = [name for name in names if name not in RETRY[1:]]
    shown = [_field(name, texts[name], allowed) for name in names]
    hints = {"input_schema": _pretty(derived)}
    return [{**one, "hint": hints.get(one["name"]) or one.get("hint", "")} for one in shown]


def section_of(name: str) -> str:
    """Where the field *name* stands."""
    return next((one for one, names in SECTIONS.items() if name in names), "cases")


def complaints(found: list[View]) -> tuple[dict[str, str], tuple[str, ...]]:
    """What the gateway finds wrong with a draft: by field, and what concerns no field here."""
    by_field: dict[str, str] = {}
    others = []
    for problem in found:
        if problem.get("severity") == "warning":
            continue
        message = str(problem["message"])
        place = str((problem.get("details") or {}).get("field", ""))
        name = _field_at(place)
        if name:
            words = message.removeprefix(place).strip()
            by_field.setdefault(name, words[:1].upper() + words[1:])
        else:
            others.append(message)
    return by_field, tuple(others)


def _field_at(place: str) -> str:
    key = place.removeprefix(_PREFIX)
    name = _FIELDS.get(key, key.removeprefix("limits.").partition(".")[0].partition("[")[0])
    return name if name == "cases" or any(name in names for names in SECTIONS.values()) else ""


def _field(name: str, text: str, allowed: View) -> dict[str, Any]:
    label, help = wording.EDITOR[name]
    shown: dict[str, Any] = {"name": name, "label": label, "help": help, "text": text}
    if name in LIMITS:
        bounds = allowed.get("limits", {}).get(name)
        return shown | {"kind": "number", **(_granted(name, bounds) if bounds else {})}
    return shown | _LOOKS[name] | _choices(name, allowed)


def _choices(name: str, allowed: View) -> dict[str, Any]:
    if name == "network" and (network := allowed.get("network")):
        far = list(_NETWORKS).index(network["most"])
        known = [
            (value, wording.NETWORKS[value] + ("" if n <= far else wording.NOT_ALLOWED))
            for n, value in enumerate(_NETWORKS.values())
        ]
        return {"options": known}
    if name == "retry_on":
        reasons = allowed.get("retry", {}).get("reasons", LOST)
        return {"options": [(reason, reason.replace("_", " ")) for reason in reasons]}
    return {}


def _granted(name: str, bounds: View) -> dict[str, str]:
    given, most = written(name, bounds["given"]), written(name, bounds["most"])
    return {"hint": given, "help": wording.granted(most)}


_LOOKS: Mapping[str, dict[str, Any]] = {
    "name": {"kind": "text"},
    "visibility": {"kind": "choice", "options": _VISIBILITIES},
    "description": {"kind": "long", "rows": 3, "wide": True},
    "tags": {"kind": "text", "wide": True},
    "input_schema": {"kind": "json", "rows": 8, "wide": True},
    "output_schema": {"kind": "json", "rows": 8, "wide": True},
    "network": {"kind": "choice", "options": tuple(wording.NETWORKS.items()), "wide": True},
    "hosts": {"kind": "lines", "rows": 3, "wide": True, "hint": "api.example.org"},
    "retry": {"kind": "whole"},
    "retry_pause": {"kind": "number"},
    "retry_on": {"kind": "many", "wide": True},
}


def _pretty(schema: object) -> str:
    return "" if schema is None else json.dumps(schema, indent=2)


def _number(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, int | float) else ""


def _amount(name: str, value: object) -> str:
    if not isinstance(value, int | float):
        return ""
    return written_bytes(value) if name.endswith("_bytes") else _number(value)


def _beyond(name: str, text: str, limits: View) -> str:
    bounds = limits.get(name)
    value = _READERS[name](text) if bounds else None
    if not bounds or value is None:
        return ""
    if value > bounds["most"]:
        return wording.at_most(written(name, bounds["most"]))
    return wording.at_least(written(name, bounds["least"])) if value < bounds["least"] else ""


def _read_number(text: str) -> float | int | None:
    if not text.strip():
        return None
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(wording.NO_NUMBER)
    return int(value) if value.is_integer() else value


def _read_seconds(text: str) -> float | int | None:
    value = _read_number(text.strip().removesuffix("s"))
    if value == 0:
        raise ValueError(wording.ABOVE_ZERO)
    return value


def _read_whole(text: str) -> int | None:
    value = _read_number(text)
    if isinstance(value, float):
        raise ValueError(wording.NO_WHOLE)  # noqa: TRY004 - what cannot be read is a ValueError
    return value


def _read_bytes(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return bytes_of(text)
    except ValueError:
        raise ValueError(wording.NO_BYTES) from None


def _read_schema(text: str) -> object:
    if not text.strip():
        return None
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise ValueError(wording.no_json(error)) from None
    if not isinstance(schema, dict):
        raise ValueError(wording.NO_SCHEMA)  # noqa: TRY004 - what cannot be read is a ValueError
    return schema


def _read_tags(text: str) -> list[str] | None:
    return [tag.strip() for tag in text.split(",") if tag.strip()] or None


def _read_hosts(text: str) -> list[str]:
    hosts = text.split()
    for host in hosts:
        try:
            read_host(host)
        except InvalidRequest as error:
            raise ValueError(str(error)) from None
    return hosts


def _as_it_is(text: str) -> Any:
    return text


_READERS: Mapping[str, Callable[[str], Any]] = {
    "tags": _read_tags,
    **dict.fromkeys(SCHEMAS, _read_schema),
    **{name: _read_bytes if name.endswith("_bytes") else _read_whole for name in DECLARABLE},
    "cpu_seconds": _read_seconds,
    "timeout_seconds": _read_seconds,
    "hosts": _read_hosts,
    "retry": _read_whole,
    "retry_pause": _read_number,
}


def _network(texts: Texts) -> object:
    if texts["network"] == "hosts":
        return _read_hosts(texts["hosts"])
    return None if texts["network"] == "none" else texts["network"]


def _retry(texts: Texts, own: View) -> object:
    most = _read_whole(texts["retry"]) or 0
    if not most:
        return None
    known = own.get("retry")
    told: dict[str, object] = {**known} if isinstance(known, Mapping) else {}
    told |= {"max": most, "on": texts["retry_on"].split()}
    pause = _read_number(texts["retry_pause"])
    return told if pause is None else {**told, "backoff_seconds": pause}
