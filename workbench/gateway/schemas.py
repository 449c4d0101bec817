"""What travels over HTTP, as JSON Schemas by name: the views of the nouns and the bodies of requests."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.domain.access import Role
from workbench.domain.agents import Visibility
from workbench.domain.events import EventType
from workbench.domain.generations import MOST_REPAIRS, Source, Standing, Step
from workbench.domain.models import Mode
from workbench.domain.names import NAME
from workbench.domain.network import Network
from workbench.domain.runs import Reason, RunStatus
from workbench.domain.versions import LONGEST_NOTE, Stage
from workbench.services.admitting import LONGEST_NAME
from workbench.services.authoring import LONGEST_DESCRIPTION

Schema = Mapping[str, object]

ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
NAMED = {"type": "string", "pattern": f"^{NAME.pattern}$"}
NUMBER = {
    "type": "string",
    "pattern": r"^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})$",
}

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_AMOUNT = {"type": "number"}
_FRACTION = {"type": "number"}
_YES_OR_NO = {"type": "boolean"}
_FREE = {"type": "object"}
_MOMENT = {"type": "string", "format": "date-time"}
_NULL = {"type": "null"}


def _object(**properties: Schema) -> Schema:
    """An answer: what it has, it always has; it may get more."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _wish(*required: str, **properties: Schema) -> Schema:
    """A request: what is not known in it is refused, and null is as good as nothing."""
    fields = {
        name: schema if name in required else _or_null(schema)
        for name, schema in properties.items()
    }
    body: dict[str, object] = {
        "type": "object",
        "properties": fields,
        "additionalProperties": False,
    }
    return {**body, "required": list(required)} if required else body


def _or_null(schema: Schema) -> Schema:
    if "enum" in schema or "$ref" in schema or "anyOf" in schema:
        return {"anyOf": [schema, _NULL]}
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _page(name: str) -> Schema:
    return _object(items=_list(_ref(name)), next_cursor=_or_null(_TEXT))


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _one_of(values: type) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}  # type: ignore[attr-defined]


_DEFINITION: Mapping[str, Schema] = {
    "parameters": _list(_ref("Parameter")),
    "input_schema": _FREE,
    "output_schema": _or_null(_FREE),
    "timeout_seconds": _or_null(_FRACTION),
    "limits": _FREE,
    "network": {"oneOf": [_one_of(Network), _list(_TEXT)]},
    "isolation": _or_null(_TEXT),
    "retry": _object(
        max=_WHOLE, on=_list(_one_of(Reason)), backoff_seconds=_FRACTION, test=_YES_OR_NO
    ),
    "cases": _list(_TEXT),
    "files": _list(_ref("File")),
    "uses": _list(_TEXT),
}
_AGENT: Mapping[str, Schema] = {
    "id": ID,
    "owner": NAMED,
    "agent_name": NAMED,
    "description": _TEXT,
    "stage": {"type": "string", "enum": ["draft", "published", "archived"]},
    "current_version": _or_null(NUMBER),
    "visibility": _one_of(Visibility),
    **_DEFINITION,
    "tags": _list(_TEXT),
    "metadata": _FREE,
    "etag": _TEXT,
    "draft_differs": _YES_OR_NO,
    "writable": _YES_OR_NO,
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
    "archived_at": _or_null(_MOMENT),
}
_TOKEN: Mapping[str, Schema] = {
    "id": _TEXT,
    "name": _TEXT,
    "user": _TEXT,
    "created_at": _MOMENT,
    "expires_at": _or_null(_MOMENT),
    "revoked_at": _or_null(_MOMENT),
}
_SUMMARY: Mapping[str, Schema] = {
    "runs": _WHOLE,
    "completed": _WHOLE,
    "failed": _WHOLE,
    "cancelled": _WHOLE,
    "success_rate": _or_null(_FRACTION),
    "p50_ms": _or_null(_FRACTION),
    "p95_ms": _or_null(_FRACTION),
}
_DESCRIPTION = {"type": "string", "maxLength": LONGEST_DESCRIPTION}

_REFUSAL = _object(code=_TEXT, message=_TEXT, details=_FREE)
_CONFIG: Schema = {"anyOf": [_TEXT, _ref("Prompt"), _ref("Preset")]}

_USAGE: Mapping[str, Schema] = {
    "calls": _WHOLE,
    "input_tokens": _WHOLE,
    "cached_input_tokens": _WHOLE,
    "cache_write_tokens": _WHOLE,
    "output_tokens": _WHOLE,
    "reasoning_tokens": _WHOLE,
    "cost_usd": _or_null(_FRACTION),
    "unpriced_calls": _WHOLE,
}

SCHEMAS: Mapping[str, Schema] = {
    "Agent": _object(**_AGENT),
    "AgentWithExamples": _object(**_AGENT, examples=_ref("Examples")),
    "AgentPage": _page("Agent"),
    "AgentProposal": _wish(
        "agent_name",
        agent_name=NAMED,
        description=_DESCRIPTION,
        notebook={"anyOf": [_FREE, _TEXT]},
        agent_config=_CONFIG,
        publish=_YES_OR_NO,
        metadata=_FREE,
        visibility=_one_of(Visibility),
    ),
    "AgentCandidate": _wish(
        agent_name=_TEXT,
        description=_TEXT,
        notebook={"anyOf": [_FREE, _TEXT]},
        agent_config={"anyOf": [_TEXT, _FREE]},
        publish=_YES_OR_NO,
        metadata=_FREE,
        visibility=_TEXT,
    ),
    "AgentChanges": _wish(
        agent_name=NAMED,
        description=_DESCRIPTION,
        metadata=_FREE,
        visibility=_one_of(Visibility),
    ),
    "CellChange": _object(
        id=_TEXT,
        change={"type": "string", "enum": ["added", "removed", "changed", "moved"]},
        moved=_YES_OR_NO,
        cell_type=_TEXT,
        before_index=_or_null(_WHOLE),
        after_index=_or_null(_WHOLE),
        lines=_list(_ref("Line")),
        note=_TEXT,
        metadata=_list(_ref("Change")),
    ),
    "Change": _object(
        path=_TEXT,
        change={"type": "string", "enum": ["added", "removed", "changed"]},
        before={},
        after={},
    ),
    "Comparison": _object(
        **{"from": _TEXT, "to": _TEXT},
        same=_YES_OR_NO,
        added=_list(_TEXT),
        removed=_list(_TEXT),
        changed=_list(_TEXT),
        moved=_list(_TEXT),
        cells=_list(_ref("CellChange")),
        unchanged=_WHOLE,
        parameters=_list(_ref("Change")),
        input_schema=_list(_ref("Change")),
        output_schema=_list(_ref("Change")),
        metadata=_list(_ref("Change")),
        files=_list(_ref("Change")),
    ),
    "Deprecation": _wish(note={"type": "string", "maxLength": LONGEST_NOTE}),
    "Document": _object(openapi=_TEXT, info=_FREE, paths=_FREE, components=_FREE),
    "Error": _object(
        error=_object(code=_TEXT, message=_TEXT, details=_FREE, timestamp=_MOMENT, request_id=_TEXT)
    ),
    "Event": {
        "description": "What `data` holds in a stream of events; each type has fields of its own.",
        **_object(seq=_WHOLE, type=_one_of(EventType), at=_MOMENT),
    },
    "Examination": {
        "type": "object",
        "description": "What is wrong, and what the notebook declares if it can be an agent.",
        "properties": {
            "valid": _YES_OR_NO,
            "problems": _list(
                _object(
                    severity={"type": "string", "enum": ["error", "warning"]},
                    code=_TEXT,
                    message=_TEXT,
                    details=_FREE,
                )
            ),
            "agent_name": _TEXT,
            "description": _TEXT,
            **_DEFINITION,
        },
        "required": ["valid", "problems"],
    },
    "Examples": _object(curl=_TEXT, python=_TEXT, javascript=_TEXT),
    "Execution": _wish(input=_FREE, test=_YES_OR_NO, model=_one_of(Mode)),
    "File": _object(path=_TEXT, size=_WHOLE),
    "FilePage": _page("File"),
    "Generation": _object(
        id=ID,
        agent_name=NAMED,
        description=_TEXT,
        status=_one_of(Standing),
        step=_or_null(_one_of(Step)),
        source=_one_of(Source),
        model=_or_null(_TEXT),
        plan=_or_null(_ref("Plan")),
        rounds=_list(_FREE),
        agent=_or_null(_TEXT),
        verified=_YES_OR_NO,
        **{name: _USAGE[name] for name in ("calls", "cost_usd")},
        error=_or_null(_REFUSAL),
        created_at=_MOMENT,
        ended_at=_or_null(_MOMENT),
    ),
    "GenerationWish": _wish(
        "agent_name",
        agent_name=NAMED,
        description=_DESCRIPTION,
        plan=_ref("Plan"),
        plan_only=_YES_OR_NO,
        model=_TEXT,
        repairs={"type": "integer", "minimum": 0, "maximum": MOST_REPAIRS},
    ),
    "Health": _object(
        status=_TEXT,
        version=_TEXT,
        isolation=_TEXT,
        runs=_object(waiting=_WHOLE, running=_WHOLE),
    ),
    "Line": _object(
        op={"type": "string", "enum": [" ", "-", "+"]},
        before=_or_null(_WHOLE),
        after=_or_null(_WHOLE),
        text=_TEXT,
    ),
    "Model": _object(id=_TEXT, object=_TEXT, created=_WHOLE, owned_by=_TEXT),
    "ModelAnswer": {
        "type": "object",
        "description": "As OpenAI's interface has it: a completion, a response or embeddings.",
    },
    "ModelRefusal": {
        "description": "An error as OpenAI says it.",
        **_object(
            error=_object(message=_TEXT, type=_TEXT, param=_or_null(_TEXT), code=_TEXT),
        ),
    },
    "ModelList": _object(object=_TEXT, data=_list(_ref("Model"))),
    "ModelQuestion": {
        "type": "object",
        "description": "As OpenAI's interface has it; `model` may be left out.",
        "properties": {"model": _TEXT, "stream": _or_null(_YES_OR_NO)},
    },
    "NewToken": _object(**_TOKEN, token=_TEXT),
    "Nothing": _wish(),
    "Parameter": _object(
        name=_TEXT, type=_TEXT, default={}, required=_YES_OR_NO, help=_TEXT, schema=_FREE
    ),
    "Plan": {
        "type": "object",
        "properties": {
            "title": _TEXT,
            "description": _TEXT,
            "result": _TEXT,
            **{name: _list(_FREE) for name in ("parameters", "steps", "tools", "cases")},
        },
        "required": ["title", "description"],
        "additionalProperties": False,
    },
    "Preset": _wish("agent", agent=_TEXT, parameters=_FREE, version=_TEXT),
    "Prompt": _wish("prompt", prompt=_TEXT, system=_TEXT, model=_TEXT, schema=_FREE),
    "Ready": _object(ready=_YES_OR_NO),
    "Result": {"description": "Whatever the agent hands back: any JSON value."},
    "Revision": _object(
        id=_TEXT,
        saved_at=_MOMENT,
        saved_by=_TEXT,
        fingerprint=_TEXT,
        size=_WHOLE,
        etag=_TEXT,
        files=_list(_ref("File")),
    ),
    "RevisionPage": _page("Revision"),
    "Rollback": _wish("version", version=NUMBER),
    "Callee": _object(agent=_TEXT, description=_TEXT, input_schema=_FREE),
    "Errand": _wish(parameters=_FREE, version=_TEXT),
    "Run": _object(
        id=ID,
        agent=_TEXT,
        agent_id=ID,
        parent_run_id=_or_null(ID),
        version=_TEXT,
        status=_one_of(RunStatus),
        reason=_or_null(_one_of(Reason)),
        test=_YES_OR_NO,
        user=_TEXT,
        parameters=_FREE,
        result={},
        error=_or_null(_FREE),
        created_at=_MOMENT,
        started_at=_or_null(_MOMENT),
        completed_at=_or_null(_MOMENT),
        execution_time_ms=_or_null(_FRACTION),
        resource_usage=_FREE,
        usage=_or_null(_ref("Usage")),
        effects=_list(_FREE),
        cells=_list(_FREE),
        isolation=_or_null(_TEXT),
        attempt=_WHOLE,
        attempts=_list(_ref("Attempt")),
    ),
    "Attempt": _object(
        attempt=_WHOLE,
        reason=_or_null(_one_of(Reason)),
        error=_or_null(_FREE),
        started_at=_or_null(_MOMENT),
        ended_at=_or_null(_MOMENT),
        isolation=_or_null(_TEXT),
        resource_usage=_FREE,
    ),
    "RunPage": _page("Run"),
    "RunWish": _wish(parameters=_FREE, test=_YES_OR_NO, version=_TEXT, model=_one_of(Mode)),
    "Statistics": _object(
        since=_MOMENT,
        **_SUMMARY,
        days=_list(_object(day={"type": "string", "format": "date"}, **_SUMMARY)),
        agents=_list(_object(agent=_TEXT, **_SUMMARY)),
    ),
    "Limits": _object(
        limits={
            "type": "object",
            "additionalProperties": _object(given=_AMOUNT, least=_AMOUNT, most=_AMOUNT),
        },
        network=_object(most=_one_of(Network), hosts=_WHOLE),
        retry=_object(most=_WHOLE, reasons=_list(_TEXT), backoff_seconds=_AMOUNT),
    ),
    "Ticket": _object(ticket=_TEXT, url=_TEXT, expires_at=_MOMENT),
    "TicketWish": _wish("path", path=_TEXT),
    "Token": _object(**_TOKEN),
    "TokenPage": _page("Token"),
    "TokenWish": _wish(
        "name",
        name={"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
        user={"type": "string", "pattern": f"^({NAME.pattern})?$"},
        role=_one_of(Role),
        days={"type": "number", "exclusiveMinimum": 0, "maximum": 3650},
    ),
    "Usage": _object(**_USAGE),
    "UsagePage": _object(items=_list(_object(**_USAGE)), next_cursor=_or_null(_TEXT)),
    "User": _object(user=_TEXT, role=_one_of(Role)),
    "Values": {"type": "object", "description": "The agent's parameters by name."},
    "Version": _object(
        version=NUMBER,
        stage=_one_of(Stage),
        changelog=_TEXT,
        published_by=_TEXT,
        published_at=_MOMENT,
        deprecated=_YES_OR_NO,
        deprecated_at=_or_null(_MOMENT),
        deprecation_note=_or_null(_TEXT),
        archived_at=_or_null(_MOMENT),
        etag=_TEXT,
        **_DEFINITION,
    ),
    "VersionPage": _page("Version"),
    "Publication": _object(
        id=ID,
        status={"type": "string", "enum": ["pending", "published", "failed"]},
        version=_or_null(_ref("Version")),
        error=_or_null(_REFUSAL),
    ),
    "VersionWish": _wish(version=NUMBER, changelog=_TEXT),
}
