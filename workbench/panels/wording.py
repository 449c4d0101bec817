"""Every sentence a user reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NO_AGENTS = "There is no agent here yet."
NO_AGENT_FOUND = "No agent matches."
NO_VIEWER_AGENTS = "Nobody has published an agent for you yet."
NO_PARAMETERS = "There is nothing to fill in."
NO_RUNS = "There are no runs yet."
GALLERY = "Agents"
GALLERY_HINT = "Choose one, fill in what it asks for, and run it."
FIND_AGENT = "Find an agent"
MORE_AGENTS = "More agents"
NO_SUCH_AGENT = "There is no such agent here, or none that you may use."

RUN, TEST, CANCEL = "Run", "Test", "Cancel"
RUN_HINT = "Run the agent (Enter)"
TEST_HINT = "A test run: checks run, nothing outlives it"
CANCEL_HINT = "Call the run off"
ALL_AGENTS = "All agents"
EARLIER = "Your earlier runs"
RESULT = "Result"
LOG = "What it said"
MORE = "More from this run"
FILES = "Files"

NEW_AGENT = "New agent"
CREATE, NOT_NOW = "Create", "Not now"
NAME, STARTER, SOURCE = "Name", "Begin with", "Source"
NAME_HELP = "1 to 63 of a-z, 0-9, - and _"
NAME_IT = "Give it a name."
SAVE, SAVED = "Save", "Saved"
TIMEOUT_HELP = "How long a run may take; empty leaves it to the workbench."
INPUT_HELP = "JSON Schema of its parameters; empty derives it from the parameters cell."
OUTPUT_HELP = "JSON Schema of its result; empty allows any."
PUBLISH, ROLL_BACK, DEPRECATE = "Publish the draft", "Roll back to it", "Deprecate it"
PUBLISHING = "Running its cases before it is published …"
WORKING = "Working …"
NO_VERSIONS = "Nothing is published yet."
CHOOSE_TWO = "Choose two to see how they differ, cell by cell."
DIFFERENCE = "How they differ"
CHOOSE_RUNS = "Choose a run to see its executed notebook; with Ctrl, a second one to compare."
EXECUTED = "The executed notebook"
NO_NOTEBOOK = "This run left no notebook."
TEST_RUNS = "test runs"
OF_AGENT = "Of an agent: owner/name"
OLDER = "Older runs"
FIGURES = {
    "runs": "Runs",
    "success_rate": "Completed",
    "p50_ms": "Median time",
    "p95_ms": "95 % are done within",
}
MODELS = "Language models"
NO_USAGE = "Nobody has asked a language model in these days."
NO_AGENT = "outside of any agent"
USAGE = {
    "calls": "Questions",
    "read": "Tokens read",
    "written": "Tokens written",
    "cost": "Cost",
    "unpriced": "Questions of unknown cost",
}
UNKNOWN = "unknown"
USAGE_PER_DAY = {
    "calls": "Questions per day",
    "tokens": "Tokens per day",
    "cost": "Cost per day",
}
USAGE_BY = {"model": "Model", "agent": "Agent", "user": "User"}
RUNS_PER_DAY, TIMES_PER_DAY = "Runs per day", "How long they took"
BUSIEST, SLOWEST_CELLS = "Busiest agents", "Slowest cells of the latest runs"
TABS = {"agents": "Agents", "runs": "Runs", "figures": "Figures"}
AGENT_TABS = {"run": "Run", "versions": "Versions", "edit": "Edit", "call": "Call"}
CHOOSE_AGENT = "Choose an agent, or make one."
DRAFT_DIFFERS = "draft differs"
COPY, COPIED = "Copy", "Copied"

LOST = "The workbench does not answer. Your runs are kept; this page comes back by itself."
SIGNED_OUT = "You are not signed in any more. Reload the page to sign in again."
BROKEN = "Something went wrong here. Reload the page; your runs are kept."
FIX_FORM = "Some fields need another look."

WAITING = "Waiting for its turn"
STARTING = "Running"
NOTHING_CAME = "It has finished. It handed nothing back."

TONES: Mapping[str, str] = {
    "completed": "good",
    "published": "good",
    "failed": "bad",
    "running": "busy",
    "pending": "busy",
    "deprecated": "warm",
}

_FAILED: Mapping[str, str] = {
    "agent_error": "The agent met a problem and stopped.",
    "timeout": "The agent took longer than it may and was stopped.",
    "output_limit": "The agent put out more than it may and was stopped.",
    "memory_limit": "The agent needed more memory than it may and was stopped.",
    "kernel_died": "The agent stopped without a word.",
    "kernel_start_failed": "The agent could not be started.",
    "invalid_output": "The agent finished, but its answer is not what it promises.",
    "budget_exceeded": "The agent has asked language models for all that it may and was stopped.",
    "gateway_restarted": "The workbench was restarted while this ran. Run it again.",
}


def title(name: str) -> str:
    """The name of an agent or a parameter as people write it."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def required() -> str:
    """What stands below a field that must be filled in."""
    return "Please fill this in."


def failed(run: Mapping[str, Any]) -> str:
    """Why a run has no result, for those who did not write it."""
    if run["status"] == "cancelled":
        return "It was called off."
    sentence = _FAILED.get(str(run["reason"]), "The agent could not finish.")
    return f"{sentence} Tell its author the run id {run['id']}."


def badge(state: str, behind: str = "") -> dict[str, str]:
    """A word with its colour."""
    return {"word": state, "tone": TONES.get(state, ""), "behind": behind}


def version_of(agent: Mapping[str, Any]) -> str:
    """Whose an agent is, and which version is called."""
    version = agent["current_version"]
    return f"{agent['owner']} · version {version}" if version else f"{agent['owner']} · draft"


def size(count: int) -> str:
    """A number of bytes."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def raised(run: Mapping[str, Any]) -> str:
    """What a cell raised, for those who write agents; empty if none did."""
    error = run["error"] or {}
    if "ename" not in error:
        return str(error.get("message") or "")
    cell = error.get("cell") or {}
    place = f" in cell `{cell['id']}`" if isinstance(cell, Mapping) and "id" in cell else ""
    said = f"**{error['ename']}**{place}: {error.get('evalue', '')}"
    return f"{error['budget']}\n\n{said}" if error.get("budget") else said


def cost(usage: Mapping[str, Any]) -> str:
    """What language models cost; what nobody knows is unknown, and never nothing."""
    known, unpriced = usage["cost_usd"], usage["unpriced_calls"]
    if known is None:
        return UNKNOWN
    said = dollars(known)
    return f"{said} and {unpriced:,} unknown" if unpriced else said


def dollars(amount: float) -> str:
    """An amount of money, with what of it is left below a cent."""
    if 0 < amount < 0.000_1:
        return "less than $0.0001"
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.3g}"


def usage(taken: Mapping[str, Any] | None) -> str:
    """What one run has taken from language models, in one line; empty if nothing."""
    if not taken:
        return ""
    read, written = f"{taken['input_tokens']:,} tokens read", f"{taken['output_tokens']:,} written"
    if taken["cached_input_tokens"]:
        read += f" ({taken['cached_input_tokens']:,} from the cache)"
    if taken["reasoning_tokens"]:
        written += f" ({taken['reasoning_tokens']:,} reasoning)"
    calls = taken["calls"]
    asked = f"{calls:,} {'question' if calls == 1 else 'questions'}"
    return f"{MODELS}: {asked}, {read}, {written}, cost {cost(taken)}."


def given(parameters: Mapping[str, Any]) -> str:
    """The parameters of a run in one line."""
    said = ", ".join(f"{title(name)}: {value}" for name, value in parameters.items())
    return said if len(said) <= 90 else said[:89] + "…"


def checks_failed(message: str, details: Mapping[str, Any]) -> str:
    """Why a draft was not published."""
    cases = details.get("cases") or details.get("failed") or ()
    named = [str(one.get("name", one)) if isinstance(one, Mapping) else str(one) for one in cases]
    return f"{message} {', '.join(named)}".strip()
