"""The panel that edits what an agent says of itself: name, description, schemas, who may see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from workbench.panels import parts, wording
from workbench.panels.link import Link
from workbench.panels.panel import Panel

View: TypeAlias = Mapping[str, Any]

_SCHEMAS = ("input_schema", "output_schema")
_VISIBILITIES = [["private", "private: only you"], ["public", "public: everybody"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorState:
    """What the panel shows.

    Attributes:
        agent: The agent as the gateway knows it.
        own: What the notebook of its draft says of itself.
        texts: What stands in the fields.
        saved: Whether that is what the gateway knows.
    """

    agent: View | None = None
    own: View = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    saved: bool = True
    problem: str = ""

    def problems(self) -> dict[str, str]:
        """What is wrong, by field."""
        found = {name: _schema_problem(self.texts.get(name, "")) for name in _SCHEMAS}
        seconds = self.texts.get("timeout_seconds", "").strip()
        if seconds and not (seconds.replace(".", "", 1).isdecimal() and float(seconds) > 0):
            found["timeout_seconds"] = "This must be a number of seconds."
        return {name: said for name, said in found.items() if said}


class EditorPanel(Panel[EditorState]):
    """What an agent says of itself, while it is edited."""

    def __init__(self, link: Link, saved: Callable[[View], None]) -> None:
        """One that tells *saved* of the agent as it then is."""
        super().__init__(link, EditorState())
        self._saved = saved
        self._fields = parts.Fields(self._on_form, fields=[])
        self._trouble = parts.Note()
        self._actions = parts.Actions(lambda _: self.save(), buttons=[])
        self.view = parts.boxed("wb-card", self._fields, self._trouble, self._actions)
        self.draw()

    def look_at(self, agent: View) -> None:
        """Show *agent*, as far as it may be edited."""
        self.close()
        self.state = EditorState(agent=agent)
        self.draw()
        if agent["writable"]:
            self._go(self._read(agent))

    def fill(self, name: str, text: str) -> None:
        """Put *text* into the field *name*."""
        if name in self.state.texts:
            self.change(texts={**self.state.texts, name: text}, saved=False, problem="")

    def save(self) -> None:
        """Let the gateway know; what a notebook says of itself is saved as its draft."""
        if self.state.problems() or self.state.agent is None:
            self.change(problem=wording.FIX_FORM)
            return
        self._go(self._save(self.state.agent, self.state.texts))

    def draw(self) -> None:
        """Show the state as it is."""
        state = self.state
        self._fields.show(fields=_fields(state.texts), problems=state.problems())
        said = state.problem or (wording.SAVED if state.agent and state.saved else "")
        self._trouble.show(text=state.problem, tone="bad" if state.problem else "")
        label = wording.SAVE if not state.saved else said or wording.SAVE
        off = state.saved or bool(state.problems())
        save = {"id": "save", "label": label, "icon": "save", "look": "main", "off": off}
        self._actions.show(buttons=[save] if state.agent else [])

    async def _read(self, agent: View) -> None:
        notebook = await self._link.wb.agent(dict(agent)).notebook("draft")
        own = notebook["metadata"].get("workbench") or {}
        limit = own.get("timeout_seconds")
        texts = {
            "name": agent["agent_name"],
            "description": agent["description"],
            "visibility": agent["visibility"],
            "timeout_seconds": "" if limit is None else f"{limit:g}",
            "input_schema": _pretty(own.get("input_schema")),
            "output_schema": _pretty(own.get("output_schema")),
        }
        self.change(agent=agent, own=own, texts=texts, saved=True, problem="")

    async def _save(self, agent: View, texts: Mapping[str, str]) -> None:
        noun = self._link.wb.agent(dict(agent))
        changed = {
            key: texts[key]
            for key, known in (
                ("name", agent["agent_name"]),
                ("description", agent["description"]),
                ("visibility", agent["visibility"]),
            )
            if texts[key] != known
        }
        if changed:
            await noun.change(
                name=changed.get("name"),
                description=changed.get("description"),
                visibility=changed.get("visibility"),
            )
        if (own := _merged(self.state.own, _said(texts))) != self.state.own:
            notebook = await noun.notebook("draft")
            notebook["metadata"]["workbench"] = own
            await noun.save(notebook)
        await self._read(noun.about)
        self._saved(noun.about)

    def _on_form(self, told: View) -> None:
        if "fill" in told:
            self.fill(str(told["fill"]), str(told["text"]))
        elif told.get("submit"):
            self.save()


def _fields(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {
        "name": {"kind": "text", "help": wording.NAME_HELP},
        "description": {"kind": "long", "rows": 3},
        "visibility": {"kind": "choice", "options": _VISIBILITIES},
        "timeout_seconds": {"kind": "number", "help": wording.TIMEOUT_HELP},
        "input_schema": {"kind": "json", "rows": 9, "help": wording.INPUT_HELP},
        "output_schema": {"kind": "json", "rows": 9, "help": wording.OUTPUT_HELP},
    }
    return [
        {"name": name, "label": wording.title(name), "text": texts[name], **kinds[name]}
        for name in kinds
        if name in texts
    ]


def _pretty(schema: object) -> str:
    return "" if schema is None else json.dumps(schema, indent=2)


def _schema_problem(text: str) -> str:
    if not text.strip():
        return ""
    try:
        schema = json.loads(text)
    except ValueError as error:
        return f"This is no JSON: {error}."
    return "" if isinstance(schema, dict) else "A schema is an object."


def _said(texts: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        name: json.loads(texts[name]) if texts[name].strip() else None for name in _SCHEMAS
    }
    seconds = texts["timeout_seconds"].strip()
    return {**said, "timeout_seconds": float(seconds) if seconds else None}


def _merged(own: View, said: View) -> dict[str, Any]:
    """What the notebook says of itself, with what was said here; what is empty is not said."""
    merged = {**own, **said}
    return {name: value for name, value in merged.items() if value is not None}
