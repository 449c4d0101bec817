"""How agents and runs look in a notebook: small pieces of HTML in the notebook's own colours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

_LONGEST = 2_000

STYLE = """\
<style>
.wb-view{font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif);
  color:var(--jp-ui-font-color1,#212121);max-width:60em}
.wb-view h4{margin:0 0 2px;font-size:15px;font-weight:600}
.wb-view p{margin:2px 0 8px;color:var(--jp-ui-font-color2,#616161)}
.wb-view table{border-collapse:collapse;margin:4px 0;width:100%;table-layout:auto}
.wb-view th,.wb-view td{font:inherit;color:inherit;text-align:left!important;padding:5px 12px 5px 0!important;
  vertical-align:top;background:none!important;
  border-bottom:1px solid var(--jp-border-color2,#e0e0e0)!important}
.wb-view th{font-weight:500;color:var(--jp-ui-font-color2,#616161);font-size:12px}
.wb-view code,.wb-view pre{font:12px/1.5 var(--jp-code-font-family,monospace);background:none}
.wb-view pre{margin:4px 0;padding:8px 10px;white-space:pre-wrap;overflow-wrap:anywhere;
  border-radius:4px;background:var(--jp-layout-color2,#eee);color:inherit}
.wb-badge{display:inline-block;padding:0 8px;border-radius:9px;font-size:12px;font-weight:500;
  line-height:18px;white-space:nowrap;color:var(--wb-tone);border:1px solid var(--wb-tone);
  --wb-tone:var(--jp-ui-font-color2,#616161)}
.wb-badge[data-tone=good]{--wb-tone:var(--jp-success-color1,#2e7d32)}
.wb-badge[data-tone=bad]{--wb-tone:var(--jp-error-color1,#c62828)}
.wb-badge[data-tone=busy]{--wb-tone:var(--jp-brand-color1,#1565c0)}
</style>"""

_TONES = {
    "completed": "good",
    "published": "good",
    "failed": "bad",
    "running": "busy",
    "pending": "busy",
}


def agent(about: Mapping[str, Any]) -> str:
    """One agent: what it is called, what it says of itself and what it takes."""
    rows = [
        (
            _code(p["name"]),
            escape(str(p["type"])),
            "<em>required</em>" if p["required"] else _code(json.dumps(p["default"])),
            escape(str(p["help"])),
        )
        for p in about["parameters"]
    ]
    version = f" {about['current_version']}" if about["current_version"] else ""
    head = f"<h4>{escape(_address(about))} {badge(about['stage'], version)}</h4>"
    described = f"<p>{escape(str(about['description']))}</p>" if about["description"] else ""
    taken = _rows(("parameter", "type", "default", ""), rows) if rows else "<p>No parameters.</p>"
    return _view(head + described + taken)


def run(about: Mapping[str, Any]) -> str:
    """One run: how it stands, what it was given and what it handed back."""
    kind = "Test run" if about["test"] else "Run"
    head = (
        f"<h4>{kind} of {escape(str(about['agent']))} {escape(str(about['version']))}"
        f" {run_badge(about)}</h4>"
    )
    took = _seconds(about)
    line = f"<p>{_code(about['id'])} · {_moment(about['created_at'])} UTC · {took}</p>"
    parts = [_block(label, about[label]) for label in ("parameters", "result") if about[label]]
    if about["error"]:
        parts.append(_block("error", str(about["error"].get("message") or "")))
    return _view(head + line + "".join(parts))


def table(items: Sequence[Mapping[str, Any]], *, more: bool) -> str:
    """A list of agents, of versions or of runs."""
    if not items:
        return _view("<p>There are none.</p>")
    columns, row = next(kind for mark, kind in _LISTS.items() if mark in items[0])
    rest = "<p>There are more.</p>" if more else ""
    return _view(_rows(columns, [row(item) for item in items]) + rest)


def ended(about: Mapping[str, Any]) -> str:
    """The status of a run, and its reason if it has one."""
    return f"{about['status']} ({about['reason']})" if about["reason"] else str(about["status"])


def run_badge(about: Mapping[str, Any]) -> str:
    """The status of a run as a badge."""
    return badge(about["status"], f" · {about['reason']}" if about["reason"] else "")


def badge(state: str, behind: str = "") -> str:
    """A word in a frame of its colour; the word says it all, the colour repeats it."""
    tone = _TONES.get(state, "")
    return (
        f'<span class="wb-badge" data-status="{escape(state)}" data-tone="{tone}">'
        f"{escape(state + behind)}</span>"
    )


_AGENTS = ("agent", "stage", "description")
_VERSIONS = ("version", "stage", "published (UTC)", "changelog")
_RUNS = ("run", "agent", "status", "accepted (UTC)", "took")


def _agent_row(about: Mapping[str, Any]) -> Sequence[str]:
    version = f" {about['current_version']}" if about["current_version"] else ""
    description = escape(str(about["description"]).partition("\n")[0])
    return _code(_address(about)), badge(about["stage"], version), description


def _run_row(about: Mapping[str, Any]) -> Sequence[str]:
    agent = f"{escape(str(about['agent']))} {escape(str(about['version']))}"
    moment = _moment(about["created_at"])
    return _code(about["id"]), agent, run_badge(about), moment, _seconds(about)


def _version_row(about: Mapping[str, Any]) -> Sequence[str]:
    changelog = escape(str(about["changelog"]))
    return _code(about["version"]), badge(about["stage"]), _moment(about["published_at"]), changelog


# What only the views of one kind have, and how a list of that kind looks.
_LISTS: dict[str, tuple[Sequence[str], Callable[[Mapping[str, Any]], Sequence[str]]]] = {
    "execution_time_ms": (_RUNS, _run_row),
    "agent_name": (_AGENTS, _agent_row),
    "changelog": (_VERSIONS, _version_row),
}


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _block(label: str, value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
    return f"<p>{escape(label)}</p><pre>{escape(shown)}</pre>"


def _view(inner: str) -> str:
    return f'{STYLE}<div class="wb-view">{inner}</div>'


def _address(about: Mapping[str, Any]) -> str:
    return f"{about['owner']}/{about['agent_name']}"


def _code(value: object) -> str:
    return f"<code>{escape(str(value))}</code>"


def _moment(text: str | None) -> str:
    return "" if text is None else escape(text[:19].replace("T", " "))


def _seconds(about: Mapping[str, Any]) -> str:
    milliseconds = about["execution_time_ms"]
    return "not ended" if milliseconds is None else f"{milliseconds / 1000:.2f} s"
