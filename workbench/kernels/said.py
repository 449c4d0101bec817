"""What one message says: an output of the notebook, or an event of ours, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.domain.events import EventType
from workbench.kernels.faults import broken
from workbench.notebook.document import NotebookNode, node

RESULT = "application/vnd.workbench.result+json"
EVENT = "application/vnd.workbench.event+json"
EVENT_BYTES = 64 * 1024
"""How much of one output an event carries; the notebook has the rest."""

Said = tuple[EventType, dict[str, object]]

# What an event of a used tool says besides, and of what kind that is.
_TOOL_RESULT: Mapping[str, tuple[type, ...]] = {
    "failed": (bool,),
    "simulated": (bool,),
    "effects": (str,),
    "arguments": (dict, type(None)),
}
_LEVELS = frozenset({"debug", "info", "warning", "error"})


def made_of(msg: Mapping[str, Any]) -> NotebookNode | None:
    """The output that *msg* says, as nbformat has it; None if it says none.

    Raises:
        Fault: It is malformed.
    """
    content = msg["content"]
    match msg["msg_type"]:
        case "stream":
            name, text = content["name"], content["text"]
            demand(name in ("stdout", "stderr") and isinstance(text, str))
            return node(output_type="stream", name=name, text=text)
        case "error":
            ename, evalue, lines = content["ename"], content["evalue"], content["traceback"]
            demand(isinstance(ename, str) and isinstance(evalue, str))
            demand(isinstance(lines, list) and all(isinstance(line, str) for line in lines))
            return node(
                output_type="error",
                ename=ename[:EVENT_BYTES],
                evalue=evalue[:EVENT_BYTES],
                traceback=_within(lines, EVENT_BYTES),
            )
        case "display_data" | "execute_result" as kind:
            data, metadata = content["data"], content["metadata"]
            demand(isinstance(data, dict) and isinstance(metadata, dict))
            demand(all(_fits(mime, value) for mime, value in data.items()))
            made = node(output_type=kind, data=data, metadata=metadata)
            if kind == "execute_result":
                made["execution_count"] = content["execution_count"]
            return made
    return None


def demand(holds: bool) -> None:
    """Go on only if what must be so of a message *holds*.

    Raises:
        Fault: It does not.
    """
    if not holds:
        raise broken("an output that is none")


def _fits(mime: str, value: object) -> bool:
    if mime == "application/json" or mime.endswith("+json"):
        return True
    if isinstance(value, list):
        return all(isinstance(line, str) for line in value)
    return isinstance(value, str)


def _within(lines: list[str], limit: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        kept.append(line[:limit])
        limit -= len(line)
        if limit <= 0:
            return [*kept, "[cut]"]
    return kept


def told_of(made: NotebookNode, size: int) -> dict[str, object]:
    """What an event says of an output."""
    kind = made.output_type
    if kind == "stream":
        shown = {"kind": kind, "name": made.name, "text": made.text[:EVENT_BYTES]}
        return shown if len(made.text) <= EVENT_BYTES else {**shown, "cut": True}
    if kind == "error":
        return {"kind": kind, "ename": made.ename, "evalue": made.evalue}
    if size <= EVENT_BYTES:
        return {"kind": kind, "data": made.data}
    return {"kind": kind, "data": dict.fromkeys(made.data), "cut": True}


def event_in(value: object) -> Said | None:
    """The event that a display of ours stands for; None for one that only looks like it."""
    match value:
        case {"type": "log", "level": str(level), "message": str(message), **rest}:
            fields = rest.get("fields", {})
            if level in _LEVELS and isinstance(fields, dict):
                return EventType.LOG, {"level": level, "message": message, "fields": fields}
        case {"type": "progress", "fraction": float() | int() as part, "message": str(message)}:
            if 0 <= part <= 1:
                return EventType.PROGRESS, {"fraction": part, "message": message}
        case {"type": "message.delta", "text": str(text)}:
            return EventType.MESSAGE_DELTA, {"text": text}
        case {"type": "tool.call", "id": str(id), "tool": str(tool), "arguments": dict(given)}:
            return EventType.TOOL_CALL, {"id": id, "tool": tool, "arguments": given}
        case {"type": "tool.result", "id": str(id), "tool": str(tool), "text": str(text), **rest}:
            if all(isinstance(rest.get(name), kinds) for name, kinds in _TOOL_RESULT.items()):
                more = {name: rest[name] for name in _TOOL_RESULT if name in rest}
                return EventType.TOOL_RESULT, {"id": id, "tool": tool, "text": text, **more}
    return None
