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
from workbench.gateway.schema import (
    AMOUNT,
    FRACTION,
    FREE,
    ID,
    MOMENT,
    NAMED,
    NUMBER,
    TEXT,
    WHOLE,
    YES_OR_NO,
    Schema,
    list_of,
    made_of,
    one_of,
    or_null,
    page_of,
    ref,
    wish,
)
from workbench.services.admitting import LONGEST_NAME
from workbench.services.authoring import LONGEST_DESCRIPTION

_DEFINITION: Mapping[str, Schema] = {
    "parameters": list_of(ref("Parameter")),
    "input_schema": FREE,
    "output_schema": or_null(FREE),
    "timeout_seconds": or_null(FRACTION),
    "limits": FREE,
    "network": {"oneOf": [one_of(Network), list_of(TEXT)]},
    "isolation": or_null(TEXT),
    "retry": made_of(
        max=WHOLE, on=list_of(one_of(Reason)), backoff_seconds=FRACTION, test=YES_OR_NO
    ),
    "cases": list_of(TEXT),
    "files": list_of(ref("File")),
    "uses": list_of(TEXT),
}
_AGENT: Mapping[str, Schema] = {
    "id": ID,
    "owner": NAMED,
    "agent_name": NAMED,
    "description": TEXT,
    "stage": {"type": "string", "enum": ["draft", "published", "archived"]},
    "current_version": or_null(NUMBER),
    "visibility": one_of(Visibility),
    **_DEFINITION,
    "tags": list_of(TEXT),
    "metadata": FREE,
    "etag": TEXT,
    "draft_differs": YES_OR_NO,
    "writable": YES_OR_NO,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "archived_at": or_null(MOMENT),
}
_TOKEN: Mapping[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "user": TEXT,
    "created_at": MOMENT,
    "expires_at": or_null(MOMENT),
    "revoked_at": or_null(MOMENT),
}
_SUMMARY: Mapping[str, Schema] = {
    "runs": WHOLE,
    "completed": WHOLE,
    "failed": WHOLE,
    "cancelled": WHOLE,
    "success_rate": or_null(FRACTION),
    "p50_ms": or_null(FRACTION),
    "p95_ms": or_null(FRACTION),
}
_DESCRIPTION = {"type": "string", "maxLength": LONGEST_DESCRIPTION}

_REFUSAL = made_of(code=TEXT, message=TEXT, details=FREE)
_CONFIG: Schema = {"anyOf": [TEXT, ref("Prompt"), ref("Preset")]}

_USAGE: Mapping[str, Schema] = {
    "calls": WHOLE,
    "input_tokens": WHOLE,
    "cached_input_tokens": WHOLE,
    "cache_write_tokens": WHOLE,
    "output_tokens": WHOLE,
    "reasoning_tokens": WHOLE,
    "cost_usd": or_null(FRACTION),
    "unpriced_calls": WHOLE,
}

SCHEMAS: Mapping[str, Schema] = {
    "Agent": made_of(**_AGENT),
    "AgentWithExamples": made_of(**_AGENT, examples=ref("Examples")),
    "AgentPage": page_of("Agent"),
    "AgentProposal": wish(
        "agent_name",
        agent_name=NAMED,
        description=_DESCRIPTION,
        notebook={"anyOf": [FREE, TEXT]},
        agent_config=_CONFIG,
        publish=YES_OR_NO,
        metadata=FREE,
        visibility=one_of(Visibility),
    ),
    "AgentCandidate": wish(
        agent_name=TEXT,
        description=TEXT,
        notebook={"anyOf": [FREE, TEXT]},
        agent_config={"anyOf": [TEXT, FREE]},
        publish=YES_OR_NO,
        metadata=FREE,
        visibility=TEXT,
    ),
    "AgentChanges": wish(
        agent_name=NAMED,
        description=_DESCRIPTION,
        metadata=FREE,
        visibility=one_of(Visibility),
    ),
    "CellChange": made_of(
        id=TEXT,
        change={"type": "string", "enum": ["added", "removed", "changed", "moved"]},
        moved=YES_OR_NO,
        cell_type=TEXT,
        before_index=or_null(WHOLE),
        after_index=or_null(WHOLE),
        lines=list_of(ref("Line")),
        note=TEXT,
        metadata=list_of(ref("Change")),
    ),
    "Change": made_of(
        path=TEXT,
        change={"type": "string", "enum": ["added", "removed", "changed"]},
        before={},
        after={},
    ),
    "Comparison": made_of(
        **{"from": TEXT, "to": TEXT},
        same=YES_OR_NO,
        added=list_of(TEXT),
        removed=list_of(TEXT),
        changed=list_of(TEXT),
        moved=list_of(TEXT),
        cells=list_of(ref("CellChange")),
        unchanged=WHOLE,
        parameters=list_of(ref("Change")),
        input_schema=list_of(ref("Change")),
        output_schema=list_of(ref("Change")),
        metadata=list_of(ref("Change")),
        files=list_of(ref("Change")),
    ),
    "Deprecation": wish(note={"type": "string", "maxLength": LONGEST_NOTE}),
    "Document": made_of(openapi=TEXT, info=FREE, paths=FREE, components=FREE),
    "Error": made_of(
        error=made_of(code=TEXT, message=TEXT, details=FREE, timestamp=MOMENT, request_id=TEXT)
    ),
    "Event": {
        "description": "What `data` holds in a stream of events; each type has fields of its own.",
        **made_of(seq=WHOLE, type=one_of(EventType), at=MOMENT),
    },
    "Examination": {
        "type": "object",
        "description": "What is wrong, and what the notebook declares if it can be an agent.",
        "properties": {
            "valid": YES_OR_NO,
            "problems": list_of(
                made_of(
                    severity={"type": "string", "enum": ["error", "warning"]},
                    code=TEXT,
                    message=TEXT,
                    details=FREE,
                )
            ),
            "agent_name": TEXT,
            "description": TEXT,
            **_DEFINITION,
        },
        "required": ["valid", "problems"],
    },
    "Examples": made_of(curl=TEXT, python=TEXT, javascript=TEXT),
    "Execution": wish(input=FREE, test=YES_OR_NO, model=one_of(Mode)),
    "File": made_of(path=TEXT, size=WHOLE),
    "FilePage": page_of("File"),
    "Generation": made_of(
        id=ID,
        agent_name=NAMED,
        description=TEXT,
        status=one_of(Standing),
        step=or_null(one_of(Step)),
        source=one_of(Source),
        model=or_null(TEXT),
        plan=or_null(ref("Plan")),
        rounds=list_of(FREE),
        agent=or_null(TEXT),
        verified=YES_OR_NO,
        **{name: _USAGE[name] for name in ("calls", "cost_usd")},
        error=or_null(_REFUSAL),
        created_at=MOMENT,
        ended_at=or_null(MOMENT),
    ),
    "GenerationWish": wish(
        "agent_name",
        agent_name=NAMED,
        description=_DESCRIPTION,
        plan=ref("Plan"),
        plan_only=YES_OR_NO,
        model=TEXT,
        repairs={"type": "integer", "minimum": 0, "maximum": MOST_REPAIRS},
    ),
    "Health": made_of(
        status=TEXT,
        version=TEXT,
        isolation=TEXT,
        runs=made_of(waiting=WHOLE, running=WHOLE),
    ),
    "Line": made_of(
        op={"type": "string", "enum": [" ", "-", "+"]},
        before=or_null(WHOLE),
        after=or_null(WHOLE),
        text=TEXT,
    ),
    "Model": made_of(id=TEXT, object=TEXT, created=WHOLE, owned_by=TEXT),
    "ModelAnswer": {
        "type": "object",
        "description": "As OpenAI's interface has it: a completion, a response or embeddings.",
    },
    "ModelRefusal": {
        "description": "An error as OpenAI says it.",
        **made_of(
            error=made_of(message=TEXT, type=TEXT, param=or_null(TEXT), code=TEXT),
        ),
    },
    "ModelList": made_of(object=TEXT, data=list_of(ref("Model"))),
    "ModelQuestion": {
        "type": "object",
        "description": "As OpenAI's interface has it; `model` may be left out.",
        "properties": {"model": TEXT, "stream": or_null(YES_OR_NO)},
    },
    "NewToken": made_of(**_TOKEN, token=TEXT),
    "Nothing": wish(),
    "Parameter": made_of(
        name=TEXT, type=TEXT, default={}, required=YES_OR_NO, help=TEXT, schema=FREE
    ),
    "Plan": {
        "type": "object",
        "properties": {
            "title": TEXT,
            "description": TEXT,
            "result": TEXT,
            **{name: list_of(FREE) for name in ("parameters", "steps", "tools", "cases")},
        },
        "required": ["title", "description"],
        "additionalProperties": False,
    },
    "Preset": wish("agent", agent=TEXT, parameters=FREE, version=TEXT),
    "Prompt": wish("prompt", prompt=TEXT, system=TEXT, model=TEXT, schema=FREE),
    "Ready": made_of(ready=YES_OR_NO),
    "Result": {"description": "Whatever the agent hands back: any JSON value."},
    "Revision": made_of(
        id=TEXT,
        saved_at=MOMENT,
        saved_by=TEXT,
        fingerprint=TEXT,
        size=WHOLE,
        etag=TEXT,
        files=list_of(ref("File")),
    ),
    "RevisionPage": page_of("Revision"),
    "Rollback": wish("version", version=NUMBER),
    "Callee": made_of(agent=TEXT, description=TEXT, input_schema=FREE),
    "Errand": wish(parameters=FREE, version=TEXT),
    "Run": made_of(
        id=ID,
        agent=TEXT,
        agent_id=ID,
        parent_run_id=or_null(ID),
        version=TEXT,
        status=one_of(RunStatus),
        reason=or_null(one_of(Reason)),
        test=YES_OR_NO,
        user=TEXT,
        parameters=FREE,
        result={},
        error=or_null(FREE),
        created_at=MOMENT,
        started_at=or_null(MOMENT),
        completed_at=or_null(MOMENT),
        execution_time_ms=or_null(FRACTION),
        resource_usage=FREE,
        usage=or_null(ref("Usage")),
        effects=list_of(FREE),
        cells=list_of(FREE),
        isolation=or_null(TEXT),
        attempt=WHOLE,
        attempts=list_of(ref("Attempt")),
    ),
    "Attempt": made_of(
        attempt=WHOLE,
        reason=or_null(one_of(Reason)),
        error=or_null(FREE),
        started_at=or_null(MOMENT),
        ended_at=or_null(MOMENT),
        isolation=or_null(TEXT),
        resource_usage=FREE,
    ),
    "RunPage": page_of("Run"),
    "RunWish": wish(parameters=FREE, test=YES_OR_NO, version=TEXT, model=one_of(Mode)),
    "Statistics": made_of(
        since=MOMENT,
        **_SUMMARY,
        days=list_of(made_of(day={"type": "string", "format": "date"}, **_SUMMARY)),
        agents=list_of(made_of(agent=TEXT, **_SUMMARY)),
    ),
    "Limits": made_of(
        limits={
            "type": "object",
            "additionalProperties": made_of(given=AMOUNT, least=AMOUNT, most=AMOUNT),
        },
        network=made_of(most=one_of(Network), hosts=WHOLE),
        retry=made_of(most=WHOLE, reasons=list_of(TEXT), backoff_seconds=AMOUNT),
    ),
    "Ticket": made_of(ticket=TEXT, url=TEXT, expires_at=MOMENT),
    "TicketWish": wish("path", path=TEXT),
    "Token": made_of(**_TOKEN),
    "TokenPage": page_of("Token"),
    "TokenWish": wish(
        "name",
        name={"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
        user={"type": "string", "pattern": f"^({NAME.pattern})?$"},
        role=one_of(Role),
        days={"type": "number", "exclusiveMinimum": 0, "maximum": 3650},
    ),
    "Usage": made_of(**_USAGE),
    "UsagePage": made_of(items=list_of(made_of(**_USAGE)), next_cursor=or_null(TEXT)),
    "User": made_of(user=TEXT, role=one_of(Role)),
    "Values": {"type": "object", "description": "The agent's parameters by name."},
    "Version": made_of(
        version=NUMBER,
        stage=one_of(Stage),
        changelog=TEXT,
        published_by=TEXT,
        published_at=MOMENT,
        deprecated=YES_OR_NO,
        deprecated_at=or_null(MOMENT),
        deprecation_note=or_null(TEXT),
        archived_at=or_null(MOMENT),
        etag=TEXT,
        **_DEFINITION,
    ),
    "VersionPage": page_of("Version"),
    "Publication": made_of(
        id=ID,
        status={"type": "string", "enum": ["pending", "published", "failed"]},
        version=or_null(ref("Version")),
        error=or_null(_REFUSAL),
    ),
    "VersionWish": wish(version=NUMBER, changelog=TEXT),
}
