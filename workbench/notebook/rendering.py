"""An executed notebook as one HTML page that fetches nothing and runs nothing.

Everything that is text is escaped here. Where an author's own HTML is shown, it is cleaned, unless
the page is for the author. Whoever serves the page forbids it scripts and the network besides.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import mistune
from nbconvert.filters import ansi2html
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from workbench.notebook.cleaning import clean
from workbench.notebook.frame import framed
from workbench.notebook.tags import INJECTED, PARAMETERS, cell_tags

MOST_CELLS = 1_000
MOST_TEXT = 100_000
"""How much of one text is shown, in characters; of Markdown, which costs more, a tenth."""

MOST_MARKDOWN = 500_000
"""How much of all Markdown is read; the rest is shown as it was written."""

MOST_PAGE = 16 * 1024 * 1024
"""After that many characters the page ends; the notebook itself has the rest."""

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_STREAMS = {"stdout": "output", "stderr": "output quiet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above the cells.

    Attributes:
        title: Whose run it is.
        status: How it ended.
        facts: Names and values, in their order.
        result: What came back; None if nothing did.
        trouble: Why it did not complete.
    """

    title: str
    status: str
    facts: Sequence[tuple[str, str]] = ()
    result: object = None
    trouble: str = ""


def render(nb: Mapping[str, Any], heading: Heading, *, trusted: bool = False) -> str:
    """The page of *nb*; what its author wrote as HTML stays as it is only where it is *trusted*."""
    writer = _Writer(trusted=trusted)
    parts = [_head(heading)]
    size = 0
    for number, cell in enumerate(nb["cells"]):
        if number >= MOST_CELLS or size > MOST_PAGE:
            parts.append(_note("The page ends here: the notebook is longer. Download it instead."))
            break
        part = writer.cell(cell)
        size += len(part)
        parts.append(part)
    return framed("\n".join(parts), title=heading.title, style=_style(), pictures=True)


class _Writer:
    """Cells and outputs, one after the other, as HTML."""

    def __init__(self, *, trusted: bool) -> None:
        self._trusted = trusted
        self._markdown_left = MOST_MARKDOWN
        self._data: tuple[tuple[str, Callable[[Any], str]], ...] = (
            # The first of these that an output has is shown.
            ("text/html", lambda data: f'<div class="rich">{self._html(_text(data))}</div>'),
            ("image/svg+xml", lambda data: _picture("image/svg+xml", _encoded(_text(data)))),
            *((media, self._picture(media)) for media in _PICTURES),
            (
                "text/markdown",
                lambda data: f'<div class="rich">{self._markdown(_text(data))}</div>',
            ),
            ("text/latex", lambda data: _pre(_text(data))),
            ("text/plain", lambda data: _pre(_text(data))),
        )

    def cell(self, cell: Mapping[str, Any]) -> str:
        """One cell with what it has put out."""
        kind = cell["cell_type"]
        source = _text(cell["source"])
        if kind == "markdown":
            text = self._markdown(source, cell.get("attachments"))
            return f'<section class="prose rich">{text}</section>'
        if kind != "code":
            return f'<section class="prose">{_pre(source)}</section>'
        outputs = "".join(map(self.output, cell.get("outputs", ())))
        if not source.strip() and not outputs:
            return ""
        count = cell.get("execution_count")
        mark = count if isinstance(count, int) else "·"
        label, class_ = _label(cell)
        return (
            f'<section class="cell{class_}"><div class="count">{mark}</div><div class="inner">'
            f"{label}{_code(source)}{outputs}</div></section>"
        )

    def output(self, output: Mapping[str, Any]) -> str:
        """One output."""
        kind = output.get("output_type")
        if kind == "stream":
            return _pre(
                _text(output.get("text", "")), _STREAMS.get(output.get("name", ""), "output")
            )
        if kind == "error":
            trace = "\n".join(map(str, output.get("traceback", ())))
            said = f"{output.get('ename', '')}: {output.get('evalue', '')}"
            return _pre(trace if trace.strip() else said, "output error")
        data = output.get("data", {})
        for media, write in self._data:
            if media in data:
                return write(data[media])
        return ""

    def _html(self, html: str) -> str:
        if len(html) > MOST_PAGE // 4:
            return _note("An output is too large to be shown here.")
        return html if self._trusted else clean(html)

    def _markdown(self, text: str, attachments: object = None) -> str:
        self._markdown_left -= len(text)
        if len(text) > MOST_TEXT // 10 or self._markdown_left < 0:
            return _pre(text)
        return self._html(_read_markdown(text, attachments))

    @staticmethod
    def _picture(media: str) -> Callable[[Any], str]:
        return lambda data: _picture(media, _text(data))


class _Markdown(mistune.HTMLRenderer):
    """Markdown whose pictures travel with the notebook and whose code is coloured."""

    def __init__(self, attachments: Mapping[str, Any]) -> None:
        super().__init__(escape=False)
        self._attachments = attachments

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """A picture; one that is attached stands in the page itself."""
        bundle = self._attachments.get(url.removeprefix("attachment:"))
        if url.startswith("attachment:") and isinstance(bundle, Mapping):
            for media in _PICTURES:
                if media in bundle:
                    return _picture(media, _text(bundle[media]), text)
        return super().image(text, url, title)

    def block_code(self, code: str, info: str | None = None) -> str:
        """A block of code."""
        return _code(code) if (info or "").strip() in ("python", "py") else _pre(code, "output")


def _read_markdown(text: str, attachments: object) -> str:
    renderer = _Markdown(attachments if isinstance(attachments, Mapping) else {})
    read = mistune.create_markdown(
        renderer=renderer, plugins=["table", "strikethrough", "task_lists", "math"]
    )
    return str(read(text))


def _head(heading: Heading) -> str:
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in heading.facts
    )
    came = ""
    if heading.result is not None:
        shown = json.dumps(heading.result, indent=2, ensure_ascii=False)
        came = f'<div class="came"><h2>Result</h2>{_pre(shown)}</div>'
    if heading.trouble:
        came += f'<div class="came"><h2>Why</h2>{_pre(heading.trouble, "output error")}</div>'
    return (
        f'<header><h1>{escape(heading.title)}</h1><span class="badge" data-status='
        f'"{escape(heading.status)}">{escape(heading.status)}</span><dl>{facts}</dl></header>{came}'
    )


def _label(cell: Mapping[str, Any]) -> tuple[str, str]:
    """What is said of a cell that is not like the others, and the class it has."""
    own = cell["metadata"].get("workbench")
    if isinstance(own, Mapping) and "skipped" in own:
        return f'<div class="label">left out: {escape(str(own["skipped"])[:80])}</div>', " left"
    tags = cell_tags(cell)
    for tag, said in ((INJECTED, "given to this run"), (PARAMETERS, "parameters")):
        if tag in tags:
            return f'<div class="label">{said}</div>', " given"
    return "", ""


def _code(source: str) -> str:
    if not source.strip():
        return ""
    if len(source) > MOST_TEXT:
        return _pre(source, "source")
    return f'<pre class="source">{highlight(source, _lexer(), _formatter())}</pre>'


@cache
def _lexer() -> PythonLexer:
    return PythonLexer(stripnl=False, ensurenl=False)


@cache
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(nowrap=True)


def _pre(text: str, class_: str = "output") -> str:
    cut = _note("…, cut here.") if len(text) > MOST_TEXT else ""
    shown = ansi2html(text[:MOST_TEXT])  # type: ignore[no-untyped-call]
    return f'<pre class="{class_}">{shown}</pre>{cut}'


def _picture(media: str, encoded: str, alt: str = "") -> str:
    data = escape("".join(encoded.split()))
    return f'<img class="picture" alt="{escape(alt)}" src="data:{media};base64,{data}">'


def _encoded(text: str) -> str:
    return b64encode(text.encode(errors="replace")).decode()


def _text(value: object) -> str:
    """Text that nbformat may hold in lines."""
    joined = "".join(map(str, value)) if isinstance(value, list) else str(value)
    # Half a surrogate pair has no UTF-8, so no page can hold it.
    return joined.encode(errors="replace").decode()


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


@cache
def _style() -> str:
    return files("workbench.notebook").joinpath("page.css").read_text("utf-8")
