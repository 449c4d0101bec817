"""Every sentence a user reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

NO_AGENTS = "There is no agent here yet."
NO_AGENT_FOUND = "No agent matches."
NO_VIEWER_AGENTS = "Nobody has published an agent for you yet."
NO_PARAMETERS = "There is nothing to fill in."
NO_RUNS = "There are no runs yet."
NO_SUCH_RUNS = "There are no such runs."
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
SOURCE_HINT = "Python, plain or with # %% cells"
NAME_HELP = "1 to 63 of a-z, 0-9, - and _"
NAME_IT = "Give it a name."
DESCRIBE = "Describe an agent"
DESCRIBE_HINT = "Say what it shall do. You see the plan first; what is written is kept as a draft."
DESCRIPTION, DESCRIBE_IT = "What it shall do", "Say what it shall do."
PLAN, PLAN_HELP = "The plan", "JSON. Change what you like; its cases are what the cells must pass."
PLAN_BROKEN = "The plan is no JSON:"
MAKE_PLAN, WRITE, OPEN_DRAFT = "Make a plan", "Write it", "Open the draft"
STEPS = {
    "planning": "Making a plan …",
    "writing": "Writing the cells …",
    "checking": "Reading them through …",
    "trying": "Running its cases in the sandbox …",
    "repairing": "Putting right what failed …",
}
ROUND, CASES_PASS = "Round", "its cases pass."
CHANGED_CELLS = "What the last round changed"
NO_MODEL = "No language model is set up here: a starter was filled in with your words."
NOT_VERIFIED = "Its cases do not pass yet: it is a draft to go on from."
SAVE, SAVED = "Save", "Saved"
SAVING, FORGET = "Saving …", "Forget the changes"
EDITOR_TABS = {"about": "About", "parameters": "Parameters", "limits": "Limits", "cases": "Cases"}
EDITOR: Mapping[str, tuple[str, str]] = {
    "name": ("Name", NAME_HELP),
    "description": ("Description", "Empty takes the first paragraph of the notebook."),
    "visibility": ("Who may run it", ""),
    "tags": ("Tags", "Words to find it by, with commas between them."),
    "input_schema": (
        "Schema of the parameters",
        "JSON Schema, for what types cannot say; empty derives it from the parameters cell.",
    ),
    "output_schema": ("Schema of the result", "JSON Schema; empty allows any result."),
    "timeout_seconds": ("Time", ""),
    "cpu_seconds": ("Processor time", ""),
    "memory_bytes": ("Memory", ""),
    "processes": ("Processes", ""),
    "open_files": ("Open files", ""),
    "file_bytes": ("Size of a file", ""),
    "folder_bytes": ("Size of its folder", ""),
    "scratch_bytes": ("Size of /tmp", ""),
    "shared_memory_bytes": ("Shared memory", ""),
    "output_bytes": ("Output", ""),
    "result_bytes": ("Size of the result", ""),
    "network": ("Network", "What its runs may reach; test runs reach nothing."),
    "hosts": ("Hosts", "One per line; with a port if it is neither 80 nor 443."),
    "retry": ("Begin a lost run again", "How often at most; 0 never does."),
    "retry_on": ("After these reasons", ""),
    "retry_pause": ("Pause before", "Seconds at most; twice as long each time after."),
}
NETWORKS: Mapping[str, str] = {
    "none": "nothing",
    "hosts": "the hosts named below",
    "open": "everything this machine reaches",
}
NOT_ALLOWED = " (the administrator does not allow it)"
NAME_A_HOST = "Name at least one host."
NO_NUMBER = "This must be a number."
NO_WHOLE = "This must be a whole number."
NO_BYTES = "This must be a size such as 512 MiB or 2 GiB."
NO_SCHEMA = 'A schema is an object: {"type": "object", …}'
ABOVE_ZERO = "This must be more than 0."
LIMITS_HINT = "What is left empty is what the workbench gives, shown in grey."
PARAMETERS_HINT = "Read from the cell tagged parameters; that is where they are changed."
PARAMETER_COLUMNS = {"name": "Name", "type": "Type", "default": "Default", "help": "Help"}
REQUIRED = "required"
CASES_HINT = "Publishing tries every case as a test run first, and stops if one does not pass."
CASE_COLUMNS = {"name": "Case", "given": "Given", "expects": "Expects", "outcome": "Last try"}
CASE_NAME, CASE_EXPECT = "Name of the case", "Expected result"
CASE_EXPECT_HELP = (
    "JSON; empty lets any result pass. An object may have more keys than are named here."
)
NO_CASES = "There is no case yet; publishing tries the defaults."
ADD_CASE, REMOVE_CASE = "Add a case", "Remove it"
RUN_CASE, RUN_CASES, EXPECT_THIS = "Try it", "Try all", "Expect this result"
NOT_EXPECTED = "The result is not what is expected."
UNFINISHED, DEFAULTS, ANYTHING = "unfinished", "the defaults", "anything"
PUBLISH, ROLL_BACK, DEPRECATE = "Publish the draft …", "Roll back to it", "Deprecate it …"
PUBLISH_NOW, DEPRECATE_NOW, PUBLISH_ANYWAY = "Publish", "Deprecate", "Publish all the same"
ROLL_BACK_HINT = "Callers get the chosen version again"
DEPRECATE_HINT = "Whoever runs the chosen version is warned"
ASKED: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "publish": {
        "version": {"label": "Version", "kind": "text", "help": "Empty takes the next number."},
        "changelog": {"label": "What is new", "kind": "long", "rows": 2},
    },
    "deprecate": {
        "note": {
            "label": "What to use instead",
            "kind": "text",
            "help": "Whoever still runs it is told so.",
        }
    },
}
VERSION_COLUMNS = {
    "version": "Version",
    "stage": "Stage",
    "at": "Published",
    "by": "By",
    "changelog": "What is new",
}
RUN_COLUMNS = {
    "status": "Status",
    "agent": "Agent",
    "version": "Version",
    "at": "Accepted",
    "took": "Took",
    "user": "By",
    "given": "With",
}
BUSY_COLUMNS = {"agent": "Agent", "runs": "Runs", "rate": "Done", "p50": "p50", "p95": "p95"}
CELL_COLUMNS = {"cell": "Cell", "agent": "Agent", "took": "Median", "times": "Runs"}
FAILED_COLUMNS = {"case": "Case that did not pass", "message": "Why"}
KEPT_BACK = "It was not published: not every case passed. Put the draft right and publish again."
PUBLISHED = "It is published: callers get it from now on."
PUBLISHING = "Trying its cases before it is published …"
WORKING = "Working …"
NO_VERSIONS = "Nothing is published yet."
CHOOSE_TWO = "Choose two to see how they differ, cell by cell."
DIFFERENCE = "How they differ"
CHOOSE_RUNS = "Choose a run to see its executed notebook; with Ctrl, a second one to compare."
EXECUTED = "The executed notebook"
NO_NOTEBOOK = "This run left no notebook."
TEST_RUNS = "test runs"
OF_AGENT = "Of an agent"
RUN_AGAIN = "Fill this in again"
AGAIN_HINT = "Opens the form of its agent with the same parameters"
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
    "passed": "good",
    "differs": "bad",
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


def no_json(error: ValueError) -> str:
    """What stands below a field that should hold JSON."""
    return f"This is no JSON: {error}."


def granted(most: str) -> str:
    """What may be asked for of a limit."""
    return f"at most {most}"


def at_most(most: str) -> str:
    """What stands below a field with too much in it."""
    return f"The administrator allows at most {most}."


def at_least(least: str) -> str:
    """What stands below a field with too little in it."""
    return f"A run needs at least {least}."


def fix_case(name: str) -> str:
    """What is said of a case that cannot be tried or saved."""
    return f"The case {name or 'without a name'} needs another look."


def literal(value: object) -> str:
    """A default in one line."""
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= 60 else said[:59] + "…"


def badge(state: str, behind: str = "") -> dict[str, str]:
    """A word with its colour."""
    return {"word": state, "tone": TONES.get(state, ""), "behind": behind}


def version_of(agent: Mapping[str, Any]) -> str:
    """Whose an agent is, and which version is called."""
    version = agent["current_version"]
    return f"{agent['owner']} · version {version}" if version else f"{agent['owner']} · draft"


def standing(agent: Mapping[str, Any]) -> str:
    """Which version of an agent is called, and by whom it may be."""
    version = agent["current_version"]
    called = f"version {version}" if version else "not published yet"
    return f"{called} · {agent['visibility']}"


def version_badge(agent: Mapping[str, Any]) -> dict[str, str]:
    """The version that is called, or what keeps the draft from being it."""
    if agent["current_version"] is None:
        return badge("draft")
    if agent["draft_differs"]:
        return {"word": "edited", "tone": "warm"}
    return {"word": agent["current_version"], "tone": TONES.get(agent["stage"], "")}


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


def deprecated(version: str) -> str:
    """What is said once a version was deprecated."""
    return f"Version {version} is deprecated; it still runs."


def rolled_back(version: str) -> str:
    """What is said once a version is called again."""
    return f"Callers get version {version} again."
