"""Everything a person reads on the command line, and the one object that programs read instead.

On standard output stands what was asked for and nothing else; remarks and errors go to standard
error. What agents and their authors wrote is shown without the control characters that would let
it act on the terminal.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from workbench.errors import WorkbenchError

View = Mapping[str, Any]

# Colours (`ESC [ … m`) may pass, tabs too.
_CONTROL = re.compile(r"\x1b\[[0-9;]*m|\t|([\x00-\x1f\x7f-\x9f])")


def for_programs(view: View) -> None:
    """Print the one JSON object."""
    click.echo(json.dumps(view))


def value(result: object) -> None:
    """Print a result, or anything else that is JSON, for people."""
    text = json.dumps(result, indent=2, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(result, indent=2)
    click.echo(text)


def line(text: str) -> None:
    """Print one line of what was asked for."""
    click.echo(harmless(text))


def remark(text: str) -> None:
    """Say something about what was asked for, beside it."""
    click.echo(harmless(text), err=True)


def error(failed: WorkbenchError, *, as_json: bool) -> None:
    """Say why a command ends."""
    if as_json:
        said = {"code": failed.code, "message": str(failed), "details": failed.details}
        click.echo(json.dumps({"error": said}, default=str))
    remark(f"error: {failed}")
    cases = failed.details.get("cases")
    for case in cases if isinstance(cases, list) and not as_json else ():
        remark(f"  {case['case']}: {case['message']} (workbench runs show {case['run_id']})")


def harmless(text: str) -> str:
    """*text* without what would move a terminal's cursor, or worse."""
    return _CONTROL.sub(lambda found: "" if found[1] else found[0], text)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, nothing: str) -> None:
    """Print rows under their columns, or that there is nothing to show."""
    if not rows:
        remark(nothing)
        return
    cells = [[_cell(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _drawn(columns, cells)
    else:
        _plain(columns, cells)


def more(page: View) -> None:
    """Say how to see the rest of a list, if there is one."""
    if page.get("next_cursor"):
        remark(f"There are more: --cursor {page['next_cursor']}")


def agents(page: View) -> None:
    """Print a list of agents."""
    rows = [
        (f"{a['owner']}/{a['agent_name']}", a["stage"], a["current_version"], a["description"])
        for a in page["items"]
    ]
    columns = ("agent", "stage", "version", "description")
    table(columns, rows, nothing="There are no agents. Add one: workbench agents add PATH")
    more(page)


def agent(view: View) -> None:
    """Print one agent."""
    version = f" {view['current_version']}" if view["current_version"] else ""
    line(f"{_address(view)}  {view['stage']}{version}  {view['visibility']}")
    if view["draft_differs"]:
        line("The draft differs from what is published.")
    if view["description"]:
        line("")
        line(" ".join(view["description"].split()))
    line("")
    rows = [
        (p["name"], p["type"], "required" if p["required"] else json.dumps(p["default"]), p["help"])
        for p in view["parameters"]
    ]
    table(("parameter", "type", "default", "help"), rows, nothing="It has no parameters.")
    for label, names in (("cases", view["cases"]), ("files", [f["path"] for f in view["files"]])):
        if names:
            line("")
            line(f"{label}: {', '.join(names)}")


def added(view: View, *, created: bool, changed: bool) -> None:
    """Say what has become of an added notebook."""
    if created:
        line(f"{_address(view)}: added as a draft")
    elif changed:
        line(f"{_address(view)}: there already, the draft is the new notebook")
    else:
        line(f"{_address(view)}: there already, nothing has changed")


def examined(view: View) -> None:
    """Say what is wrong with a notebook, or that nothing is."""
    for problem in view["problems"]:
        line(f"{problem['severity']}: {problem['message']}")
    names = ", ".join(parameter["name"] for parameter in view.get("parameters", ()))
    line(f"valid; parameters: {names or 'none'}" if view["valid"] else "not valid")


def published(address: str, version: str) -> None:
    """Say that an agent was published."""
    line(f"{address}: published as {version}")


def archived(address: str) -> None:
    """Say that an agent is out of use."""
    line(f"{address}: out of use; its runs can still be read")


def runs(page: View) -> None:
    """Print a list of runs."""
    rows = [
        (r["id"], r["agent"], r["version"], ended(r), _moment(r["created_at"]), _seconds(r))
        for r in page["items"]
    ]
    columns = ("run", "agent", "version", "status", "accepted (UTC)", "took")
    table(columns, rows, nothing="There are no runs.")
    more(page)


def run(view: View) -> None:
    """Print one run."""
    kind = "test run" if view["test"] else "run"
    line(f"{kind} {view['id']} of {view['agent']} {view['version']}  {ended(view)}")
    line(f"accepted {_moment(view['created_at'])} UTC for {view['user']}, took {_seconds(view)}")
    for label in ("parameters", "result"):
        line("")
        line(f"{label}:")
        value(view[label])
    if view["error"]:
        line("")
        line(failure(view))


def called_off(view: View) -> None:
    """Say how a run stands that was to be called off."""
    line(f"run {view['id']}: {ended(view)}")


def written(path: Path) -> None:
    """Say where a notebook was written."""
    remark(f"written: {path}")


def rebuilt(home: Path, rows: int, swept: Mapping[str, int] | None) -> None:
    """Say that the index is new, and what was thrown away."""
    line(f"{home}: the index was made anew, {rows:,} rows")
    if swept is not None:
        line(f"thrown away: {swept['objects']:,} objects, {swept['runs']:,} folders of runs")


def backed_up(file: Path, size: int) -> None:
    """Say what was put into an archive."""
    line(f"{file}: {size:,} bytes; workbench restore makes a home of it")


def restored(home: Path, file: Path) -> None:
    """Say that a home was made from an archive."""
    line(f"{home}: made from {file}")


def undeclared(name: str, notebook: Path) -> None:
    """Warn of a parameter that papermill would warn of."""
    remark(f"warning: {notebook} declares no parameter {name}; it is set all the same")


def demonstrated(name: str, answer: object, *, url: str, command: tuple[str, str]) -> None:
    """Show what the example has answered, and how to ask for it oneself."""
    address = f"{url}/agents/admin/{name}"
    program, home = command
    line("")
    line(f"GET {address}")
    value(answer)
    line("")
    line("Ask it yourself, with the token of the first start or a new one:")
    line(f"  export WORKBENCH_TOKEN=$({program} token create me --user admin{home})")
    line(f'  curl -H "Authorization: Bearer $WORKBENCH_TOKEN" {address}')
    line("Look at what it takes, and at what was run:")
    line(f"  {program} agents show {name}{home}")
    line(f"  {program} runs list{home}")


def staying(text: str) -> None:
    """Say how to end what would go on for ever."""
    line("")
    line(text)


def last_words(error: WorkbenchError) -> None:
    """Print the last that a server said which has ended."""
    last = error.details.get("last")
    for text in last if isinstance(last, list) else ():
        remark(f"  {text}")


def failure(view: View) -> str:
    """Why a run did not complete, in one line."""
    found = view.get("error") or {}
    what = str(found.get("message") or found.get("evalue") or "")
    name = str(found.get("ename") or "")
    if name and name not in what:
        what = f"{name}: {what}" if what else name
    cell = found.get("cell") or {}
    first = next((text for text in str(cell.get("source", "")).splitlines() if text.strip()), "")
    place = f" (in the cell {first.strip()[:60]!r})" if first else ""
    because = f": {what.splitlines()[0]}" if what else ""
    return f"The run {ended(view)}{because}{place}"


def ended(view: View) -> str:
    """The status of a run, and its reason if it has one."""
    return f"{view['status']} ({view['reason']})" if view["reason"] else str(view["status"])


def models(view: View) -> None:
    """Print which language models may be asked, and of whom."""
    rows = [
        (each["name"], each["kind"], each["url"], ", ".join(each["models"]), _keyed(each["key"]))
        for each in view["upstreams"]
    ]
    table(
        ("UPSTREAM", "KIND", "URL", "MODELS", "KEY"),
        rows,
        nothing="No upstream is set up: the scripted model answers, which only follows a script.",
    )
    if view["default"]:
        remark(f"default: {view['default']}")


def usage(page: View, by: str) -> None:
    """Print what language models took."""
    rows = [
        (
            each[by] or "-",
            each["calls"],
            each["input_tokens"],
            each["output_tokens"],
            "unknown" if each["cost_usd"] is None else f"{each['cost_usd']:.6f}",
            each["unpriced_calls"],
        )
        for each in page["items"]
    ]
    columns = (by.upper(), "CALLS", "INPUT", "OUTPUT", "USD", "UNPRICED")
    table(columns, rows, nothing="Nobody has asked a language model yet.")


def diagnosis(view: View) -> None:
    """Print what keeps runs apart here, and what does not."""
    rows = [
        (m["name"], m["level"], "works" if m["works"] else "does not work", m["said"])
        for m in view["mechanisms"]
    ]
    table(("mechanism", "gives", "here", "what it said"), rows, nothing="There is no mechanism.")
    line("")
    for number, cure in enumerate(
        dict.fromkeys(m["cure"] for m in view["mechanisms"] if m["cure"])
    ):
        line(("To have more: " if number == 0 else "              ") + cure)
    line(f"Isolation here: {view['level'] or 'none is to be had, so no run begins'}.")
    if view["attacks"]:
        line(f"Attacks of a hostile agent denied: {view['denied']} of {view['attacks']}.")
    for found in view["got_past"]:
        what = "this level does not deny" if found["known"] else "GOT PAST IT"
        line(f"  {what}: {found['attack']}")
    if not view["holds"]:
        remark(f"Runs should have {view['expected']} here, and do not.")


def tokens(page: View) -> None:
    """Print a list of tokens."""
    rows = [
        (t["name"], t["user"], t["id"], _validity(t), _moment(t["created_at"]))
        for t in page["items"]
    ]
    columns = ("token", "user", "id", "good", "made (UTC)")
    table(columns, rows, nothing="There are no tokens.")
    more(page)


def token(view: View) -> None:
    """Print a token that has just been made."""
    line(str(view["token"]))
    remark(f"This token speaks for {view['user']}. It is shown this once: keep it safe.")


def revoked(view: View) -> None:
    """Say that a token is no longer good."""
    line(f"{view['name']} ({view['id']}): refused from now on")


def _address(view: View) -> str:
    return f"{view['owner']}/{view['agent_name']}"


def _keyed(there: bool) -> str:
    return "set" if there else "none"


def _validity(view: View) -> str:
    if view["revoked_at"]:
        return "revoked"
    return f"until {_moment(view['expires_at'])}" if view["expires_at"] else "for ever"


def _moment(text: str | None) -> str:
    return "" if text is None else text[:19].replace("T", " ")


def _seconds(view: View) -> str:
    milliseconds = view["execution_time_ms"]
    return "-" if milliseconds is None else f"{milliseconds / 1000:.2f} s"


def _cell(value: object) -> str:
    text = "-" if value is None else str(value)
    return harmless(" ".join(text.split()))


def _plain(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
    for row in (columns, *rows):
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _drawn(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # Weight, and only for terminals.
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        drawn.add_row(*(Text(text) for text in row))
    Console().print(drawn)
