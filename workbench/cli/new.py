"""`workbench agents new`: an agent that nobody wrote cell by cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from workbench.cli import printing, telling
from workbench.cli.desk import Desk, View
from workbench.cli.opening import desk
from workbench.cli.options import home_option, json_option, option, parameters_option
from workbench.cli.outcomes import COMPLETED, RUN_FAILED
from workbench.cli.paper import read_file
from workbench.cli.targets import address
from workbench.cli.values import texts
from workbench.client.failures import refused
from workbench.errors import InvalidRequest

_WAYS = ("describe", "plan", "prompt", "as")


@click.command()
@click.argument("name")
@option("--describe", metavar="TEXT", help="Have it written: say what it shall do.")
@option("--plan-only", is_flag=True, help="Print the plan that is made of --describe, and stop.")
@option(
    "--plan",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Have it written after a plan in JSON, such as --plan-only prints.",
)
@option("--repairs", type=int, help="How often what is written may be repaired.")
@option("--prompt", metavar="TEXT", help="Ask a language model; {{names}} are its parameters.")
@option("--system", metavar="TEXT", default="", help="What that model shall know of itself.")
@option(
    "--language-model",
    "model",
    default="",
    help="Which language model; the workbench's default unless given.",
)
@option("--as", "of", metavar="OWNER/NAME", help="As another agent, with the defaults of -p.")
@parameters_option
@home_option
@json_option
def new(name: str, home: Path | None, as_json: bool, **given: Any) -> int:
    """Make an agent NAME of a description, of a prompt, or of another agent.

    What is written from a description is tried in the sandbox with test cases of its own and kept
    as a draft; look at it before you publish it.
    """
    given["as"] = given.pop("of")
    ways = [way for way in _WAYS if given[way] is not None]
    if not ways or (len(ways) > 1 and ways != ["describe", "plan"]):
        raise InvalidRequest("Say one of --describe, --plan, --prompt and --as.")
    with desk(home) as found:
        if given["prompt"] is not None:
            wanted = {key: given[key] for key in ("prompt", "system", "model") if given[key]}
            return _added(found.propose(name, {"prompt": "", **wanted}), as_json=as_json)
        if given["as"] is not None:
            return _added(_preset(found, name, given), as_json=as_json)
        view = _generated(found, _wish(name, given), quiet=as_json)
    return _told(view, as_json=as_json)


def _preset(found: Desk, name: str, given: Mapping[str, Any]) -> View:
    other = address(given["as"])
    values = found.read_values(other, texts(given["parameters"]))
    config: dict[str, object] = {"agent": str(other), "parameters": dict(values)}
    return found.propose(name, {**config, "version": other.version} if other.version else config)


def _wish(name: str, given: Mapping[str, Any]) -> dict[str, object]:
    wish: dict[str, object] = {"agent_name": name, "plan_only": given["plan_only"]}
    if given["plan"] is not None:
        try:
            wish["plan"] = json.loads(read_file(given["plan"]))
        except ValueError as error:
            raise InvalidRequest(f"{given['plan']} is no JSON: {error}.") from None
    for field, said in (("description", "describe"), ("model", "model"), ("repairs", "repairs")):
        if given[said] not in (None, ""):
            wish[field] = given[said]
    return wish


def _generated(found: Desk, wish: Mapping[str, object], *, quiet: bool) -> View:
    """What has become of *wish*; how far it is stands on standard error meanwhile."""
    view = found.generate(wish)
    step = None
    try:
        while view["status"] == "pending":
            if view["step"] not in (step, None) and not quiet:
                printing.remark(f"{view['step']}…")
            step = view["step"]
            view = found.generation(view["id"])
    except KeyboardInterrupt:
        found.give_up(view["id"])
        raise
    return view


def _added(view: View, *, as_json: bool) -> int:
    if as_json:
        printing.for_programs(view)
    else:
        printing.added(view, created=True, changed=True)
    return COMPLETED


def _told(view: View, *, as_json: bool) -> int:
    if view["status"] == "failed":
        raise refused(view["error"])
    if as_json:
        printing.for_programs(view)
    elif view["status"] == "planned":
        printing.value(view["plan"])
    else:
        telling.generation(view)
    return COMPLETED if view["verified"] or view["status"] == "planned" else RUN_FAILED
