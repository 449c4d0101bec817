"""Cassettes: what a model has answered, kept beside an agent's notebook and played back.

A cassette is JSON for people to read and to compare: `{"version": 1, "entries": [{"key", "api",
"request", "response"}]}`. A question is found by its key, so by all that it asks and nothing else;
asked the second time in a run, it gets the second answer that was recorded for it. A stream is
kept as the whole answer it was and comes in pieces again.
"""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.domain.models import CASSETTE, Api
from workbench.errors import InvalidAgentConfig, NotRecorded
from workbench.llm.questions import Question

VERSION = 1
_COMPARED = 50
_COMPARED_LETTERS = 20_000
_COMPARED_LINES = 400
_SHOWN_LINES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One question and its answer.

    Attributes:
        key: What the question is recorded under.
        api: The interface it was sent to.
        request: What it asks.
        response: The whole answer.
    """

    key: str
    api: Api
    request: Mapping[str, Any]
    response: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The entry as the cassette has it."""
        return {
            "key": self.key,
            "api": str(self.api),
            "request": self.request,
            "response": self.response,
        }


@dataclass(slots=True)
class Cassette:
    """A cassette in one run: each answer is given as often as it was recorded."""

    entries: Sequence[Entry]
    _given: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def play(self, question: Question) -> Mapping[str, Any]:
        """The answer to *question*.

        Raises:
            NotRecorded: There is none, or not one more; the message shows the nearest question.
        """
        found = [entry for entry in self.entries if entry.key == question.key]
        turn = self._given[question.key]
        if turn >= len(found):
            raise _missing(question, self.entries, asked_before=bool(found))
        self._given[question.key] += 1
        return found[turn].response


def read_cassette(content: bytes) -> Sequence[Entry]:
    """The entries of a cassette.

    Raises:
        InvalidAgentConfig: It is none, or one of a newer kind.
    """
    try:
        whole = json.loads(content)
        if whole["version"] != VERSION:
            raise ValueError(f"its version is {whole['version']!r}, not {VERSION}")
        return [_entry(each) for each in whole["entries"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidAgentConfig(f"{CASSETTE} is no cassette: {error}.") from None


def _entry(value: Mapping[str, Any]) -> Entry:
    if not isinstance(value["response"], dict) or not isinstance(value["request"], dict):
        raise TypeError("an entry has a request and a response")
    question = Question(api=Api(value["api"]), body=value["request"])
    # Not the key that is written there: a cassette that was edited by hand still fits.
    return Entry(
        key=question.key, api=question.api, request=value["request"], response=value["response"]
    )


def write_cassette(entries: Iterable[Entry]) -> bytes:
    """A cassette of *entries*, in the order they were recorded."""
    whole = {"version": VERSION, "entries": [entry.as_json() for entry in entries]}
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode(errors="replace")


def merged(earlier: Sequence[Entry], later: Sequence[Entry]) -> list[Entry]:
    """What *later* recorded, and what only *earlier* did."""
    asked = {entry.key for entry in later}
    return [entry for entry in earlier if entry.key not in asked] + list(later)


def _missing(question: Question, entries: Sequence[Entry], *, asked_before: bool) -> NotRecorded:
    if asked_before:
        return NotRecorded(
            f"{CASSETTE} has answers to this question, but the run asks it more often than it was"
            " recorded. Record the run again.",
            key=question.key,
        )
    difference = _nearest(question, entries)
    message = f"{CASSETTE} holds no answer to this question. Record the run again."
    if difference:
        message += f" The nearest question that it has differs so:\n{difference}"
    return NotRecorded(message, key=question.key, nearest=difference)


def _nearest(question: Question, entries: Sequence[Entry]) -> str:
    """How the recorded question that is most like *question* differs from it."""
    asked = _lines(question.asked)
    same = [entry for entry in entries if entry.api is question.api][-_COMPARED:]
    known = [_lines(Question(api=entry.api, body=entry.request).asked) for entry in same]
    if not known:
        return ""
    # Which is nearest need not be exact, and must not take long.
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(asked)

    def likeness(lines: list[str]) -> float:
        matcher.set_seq1(lines)
        return matcher.quick_ratio()

    nearest = max(known, key=likeness)
    difference = difflib.unified_diff(nearest, asked, "recorded", "asked", lineterm="", n=1)
    return "\n".join(list(difference)[:_SHOWN_LINES])


def _lines(value: object) -> list[str]:
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
    return text[:_COMPARED_LETTERS].splitlines()[:_COMPARED_LINES]
