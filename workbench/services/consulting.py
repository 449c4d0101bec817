"""Consulting a language model on a user's behalf: a question, and an answer that can be read.

Questions go the way that all questions go, so the user's budget holds and each is in the ledger.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from workbench.domain.access import Principal
from workbench.domain.models import DEFAULT, PICO, Api
from workbench.domain.parameters import load_json
from workbench.errors import InvalidRequest, ModelSilent
from workbench.llm.briefs import Brief
from workbench.services.brokering import COST_HEADER, Brokering

T = TypeVar("T")

MOST_TRIES = 2
"""How often a model is asked for an answer that can be read."""

_REFUSED = frozenset({400, 404, 415, 422, 501})
"""With which statuses a server says that it does not know a form of answer."""


@dataclass(slots=True, kw_only=True)
class Consultation:
    """All that is asked of one model for one purpose.

    Attributes:
        principal: On whose behalf.
        model: Its name; empty is the default.
        system: What it knows of its task.
        calls: How often it was asked.
        picodollars: What that cost; None if nobody knows.
    """

    principal: Principal
    model: str
    system: str
    calls: int = 0
    picodollars: int | None = 0
    _form: int = field(default=0)


class Consulting:
    """Questions of the workbench's own to language models."""

    def __init__(self, *, brokering: Brokering) -> None:
        self._brokering = brokering
        self._never = asyncio.Event()

    @property
    def possible(self) -> bool:
        """Whether there is a model to ask, or a script to follow."""
        return self._brokering.has_voice

    def check(self, model: str) -> None:
        """Let only a model pass that may be asked.

        Raises:
            ModelNotFound: There is no such model, or it may not be asked.
        """
        self._brokering.check(model or DEFAULT)

    async def ask(
        self, talk: Consultation, brief: Brief, read: Callable[[Mapping[str, Any]], T]
    ) -> T:
        """What *read* makes of the model's answer to *brief*.

        Raises:
            ModelNotFound: There is no such model.
            BudgetExceeded: The user has nothing left to spend.
            ModelSilent: It did not answer, or twice with what cannot be read.
        """
        words, wrong = brief.words, ""
        for _ in range(MOST_TRIES):
            text = await self._answer(talk, brief, words)
            try:
                return read(_object(text))
            except (ValueError, TypeError, KeyError, InvalidRequest) as error:
                told = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                wrong = told[:500]
            words = (
                f"{brief.words}\n\nYour last answer could not be used: {wrong}\n"
                "Answer with the JSON alone."
            )
        raise ModelSilent(
            f"The model answered {MOST_TRIES} times with what is no {brief.name}: {wrong}",
            wanted=brief.name,
        )

    async def _answer(self, talk: Consultation, brief: Brief, words: str) -> str:
        """What the model says, asked in the strictest form of answer that it knows."""
        while True:
            status, said = await self._once(talk, brief, words)
            if status < 400:
                return _text(said)
            if status not in _REFUSED or talk._form == len(_FORMS) - 1:
                raise ModelSilent(f"The model refused: {_refusal(said)}", status=status)
            talk._form += 1

    async def _once(self, talk: Consultation, brief: Brief, words: str) -> tuple[int, Any]:
        form = _FORMS[talk._form]
        shown = "" if form is _by_schema else f"\n\nAnswer by this schema: {_shown(brief.schema)}"
        body = {
            "model": talk.model or DEFAULT,
            "messages": [
                {"role": "system", "content": talk.system},
                {"role": "user", "content": f"{words}{shown}"},
            ],
            **form(brief),
        }
        talk.calls += 1
        reply = await self._brokering.ask(talk.principal, Api.CHAT, body, ends=self._never)
        cost = reply.headers.get(COST_HEADER)
        known = talk.picodollars is not None and cost is not None
        if reply.status < 400:
            talk.picodollars = (
                (talk.picodollars or 0) + int(Decimal(cost or 0) * PICO) if known else None
            )
        try:
            return reply.status, json.loads(reply.body)
        except ValueError:
            return reply.status, None


def _by_schema(brief: Brief) -> dict[str, Any]:
    named = {"name": brief.name, "schema": brief.schema, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _as_object(_: Brief) -> dict[str, Any]:
    return {"response_format": {"type": "json_object"}}


def _as_text(_: Brief) -> dict[str, Any]:
    return {}


_FORMS: tuple[Callable[[Brief], dict[str, Any]], ...] = (_by_schema, _as_object, _as_text)
"""The forms in which an answer is asked for, the strictest first: not every server knows all."""


def _object(text: str) -> Mapping[str, Any]:
    """The JSON object in *text*, which may stand in a fence.

    Raises:
        ValueError: There is none.
    """
    fenced = re.search(r"```(?:json)?\s*\n(.*)\n\s*```", text, re.DOTALL)
    value = load_json((fenced[1] if fenced else text).strip())
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - as all that cannot be read
    return value


def _text(said: Any) -> str:
    """The words of a completion; empty if there are none."""
    try:
        content = said["choices"][0]["message"]["content"]
    except (TypeError, KeyError, IndexError):
        return ""
    return content if isinstance(content, str) else ""


def _refusal(said: Any) -> str:
    try:
        message = said["error"]["message"]
    except (TypeError, KeyError):
        message = "it does not say why"
    return str(message)[:500]


def _shown(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, separators=(",", ":"))
