"""HTTP in, arguments of a service out: read strictly, refused with the place and the reason."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from workbench.app import App
from workbench.domain.access import Principal
from workbench.domain.paging import PAGE, check_limit
from workbench.domain.parameters import load_json
from workbench.errors import InvalidRequest, WorkbenchError
from workbench.gateway.kept import Asked, Kept
from workbench.gateway.metering import Metering
from workbench.services.running import Idempotency

MOST_QUERY_VALUES = 500
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')
_FLAGS = {"true": True, "1": True, "false": False, "0": False}

Fields = Mapping[str, tuple[type, ...]]
"""The fields an object may have, and the types each may be of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that has been let in, as a handler sees it.

    Attributes:
        app: What answers it.
        principal: Who asks; nobody in particular on a public route.
        method: The HTTP method.
        path: As it was sent, without the query.
        places: What stands in the variable places of the path.
        query: As it was sent.
        headers: By name in any case.
        body: As it was sent.
        origin: Scheme and host under which the caller knows us.
        ends: Set when nothing is to be waited for any more: the caller is gone, or the gateway goes.
        opens: Whether a path is one that a ticket opens.
        metering: What is counted.
        kept: What was written lately.
    """

    app: App
    principal: Principal
    method: str
    path: str
    places: Mapping[str, str]
    query: str
    headers: Mapping[str, str]
    body: bytes
    origin: str
    ends: asyncio.Event
    opens: Callable[[str], bool]
    metering: Metering
    kept: Kept

    @property
    def asked(self) -> Asked:
        """Who asks for what, where nothing else makes a difference."""
        return self.principal, self.path, self.query


def texts(call: Call) -> dict[str, str]:
    """The query as texts by name.

    Raises:
        InvalidRequest: It is no UTF-8, or a name comes twice.
    """
    try:
        pairs = parse_qsl(
            call.query.encode("ascii").decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_QUERY_VALUES,
        )
    except ValueError:
        raise InvalidRequest("The query is not percent-encoded UTF-8, or too long.") from None
    found: dict[str, str] = {}
    for name, text in pairs:
        if name in found:
            raise InvalidRequest(f"{name[:80]!r} comes twice in the query.", query=name[:80])
        found[name] = text
    return found


def options(call: Call, *allowed: str) -> dict[str, str]:
    """The query, if it names nothing else than *allowed*.

    Raises:
        InvalidRequest: It cannot be read or names something else.
    """
    found = texts(call)
    unknown = sorted(set(found) - set(allowed))
    if unknown:
        known = ", ".join(allowed) or "nothing"
        raise InvalidRequest(
            f"Not an option of this route: {', '.join(unknown)[:200]}. It knows {known}.",
            unknown=[name[:80] for name in unknown],
            known=list(allowed),
        )
    return found


def flag(found: Mapping[str, str], name: str) -> bool:
    """Whether the query asks for *name*; false if it does not say.

    Raises:
        InvalidRequest: It says neither yes nor no.
    """
    try:
        return _FLAGS[found.get(name, "false").lower()]
    except KeyError:
        raise InvalidRequest(f"{name} is true, false, 1 or 0.", query=name) from None


def page(found: Mapping[str, str]) -> tuple[int, str | None]:
    """The length of the page that is asked for, and the cursor it begins behind.

    Raises:
        InvalidRequest: The limit is no number that a page may be long.
    """
    text = found.get("limit", str(PAGE))
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidRequest("limit is a whole number.", query="limit")
    return check_limit(int(text)), found.get("cursor")


def seconds(found: Mapping[str, str], name: str, *, most: float) -> float:
    """How long the caller wants to wait, but never longer than *most*; 0 if it does not say.

    Raises:
        InvalidRequest: It is no number of seconds.
    """
    try:
        value = float(found.get(name, "0"))
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise InvalidRequest(f"{name} is a number of seconds.", query=name)
    return min(value, most)


def whole(found: Mapping[str, str], name: str) -> int | None:
    """The whole number above 0 that the query names, if it does.

    Raises:
        InvalidRequest: It is none.
    """
    if name not in found:
        return None
    text = found[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise InvalidRequest(f"{name} is a whole number above 0.", query=name)
    return int(text)


def moment_in(found: Mapping[str, str], name: str) -> datetime | None:
    """The moment the query names; UTC if it does not say.

    Raises:
        InvalidRequest: It is no moment in ISO 8601.
    """
    if name not in found:
        return None
    try:
        at = datetime.fromisoformat(found[name])
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"{name} is a moment such as 2026-11-20T12:00:00Z.", query=name
        ) from None


# The second is what curl says of every `-d`. Nobody is let in by a cookie here, so a form of
# somebody else's page can do no harm by it.
_JSON_BODIES = ("application/json", "application/x-www-form-urlencoded")


def json_object(call: Call) -> dict[str, object]:
    """The body as a JSON object; one that is empty is an empty object.

    Raises:
        InvalidRequest: It is something else.
    """
    media = call.headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
    if not call.body.strip():
        return {}
    if media not in _JSON_BODIES and not media.endswith("+json"):
        raise InvalidRequest(
            f"The body must be JSON; send Content-Type: application/json, not {media[:80]}.",
            header="Content-Type",
        )
    try:
        value = load_json(call.body)
    except ValueError as error:
        raise InvalidRequest(f"The body is not JSON: {str(error)[:200]}.") from None
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return value


def fields(
    call: Call, known: Fields, *, refusal: type[WorkbenchError] = InvalidRequest
) -> dict[str, object]:
    """The body as an object of *known* fields; a field that is null is left out.

    Raises:
        InvalidRequest: The body is no JSON object.
        WorkbenchError: A *refusal*: a field is not known or of another type.
    """
    value = json_object(call)
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise refusal(
            f"Not a field of this request: {', '.join(unknown)[:200]}."
            f" It may have {', '.join(known) or 'none'}.",
            field=unknown[0][:80],
            unknown=[name[:80] for name in unknown],
            known=list(known),
        )
    given = {name: content for name, content in value.items() if content is not None}
    for name, content in given.items():
        if type(content) not in known[name]:
            raise refusal(
                f"{name} must be {' or '.join(_SPOKEN[kind] for kind in known[name])}.",
                field=name,
            )
    return given


_SPOKEN = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "an object",
    list: "a list",
}


def idempotency(call: Call) -> Idempotency | None:
    """The caller's idempotency key with the fingerprint of the whole request, if it sent one.

    Raises:
        InvalidRequest: The key cannot be one.
    """
    key = call.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidRequest(
            "Idempotency-Key is 1 to 255 printable ASCII letters without blanks.",
            header="Idempotency-Key",
        )
    whole = [call.method, call.path, sorted(texts(call).items()), json_object(call)]
    canonical = json.dumps(whole, sort_keys=True, separators=(",", ":"))
    return Idempotency(key=key, fingerprint=hashlib.sha256(canonical.encode()).hexdigest())


def prefers_async(call: Call) -> bool:
    """Whether the caller would rather not wait for the end (RFC 7240)."""
    wishes = call.headers.get("Prefer", "").lower().split(",")
    return any(wish.partition(";")[0].strip() == "respond-async" for wish in wishes)


def entity_tags(call: Call, header: str) -> list[str] | None:
    """The entity tags of *header*, None if there is no such header.

    Raises:
        InvalidRequest: It holds something else.
    """
    text = call.headers.get(header)
    if text is None:
        return None
    if text.strip() == "*":
        return ["*"]
    tags = [tag.strip() for tag in text.split(",")]
    if not all(map(_ENTITY_TAG.fullmatch, tags)):
        raise InvalidRequest(f"{header} holds entity tags in double quotes.", header=header)
    return tags


def takes_gzip(call: Call) -> bool:
    """Whether the caller can read what is pressed together (RFC 9110, 12.5.3)."""
    for coding in call.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() in ("gzip", "x-gzip", "*"):
            return not re.fullmatch(r"q=0(\.0*)?", weight.strip().replace(" ", ""))
    return False


def last_event_id(call: Call) -> int:
    """After which event a stream goes on; 0 is from the beginning.

    Raises:
        InvalidRequest: It is no number of an event.
    """
    text = call.headers.get("Last-Event-ID", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise InvalidRequest("Last-Event-ID is the id of an event.", header="Last-Event-ID")
    return int(text)
