"""`workbench runs`: what was run, what became of it, what it said, calling it off."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli import printing
from workbench.cli.opening import desk
from workbench.cli.options import cursor_option, home_option, json_option, limit_option, option
from workbench.cli.paper import check_writable, write_whole
from workbench.cli.targets import address
from workbench.domain.runs import RunStatus


@click.group()
def runs() -> None:
    """List and show runs, call them off, fetch what they left."""


@runs.command("list")
@option("--agent", help="Only runs of this agent (owner/name).")
@option("--status", type=click.Choice([str(s) for s in RunStatus]), help="Only runs like this.")
@option("--test", is_flag=True, help="The test runs instead of the others.")
@limit_option
@cursor_option
@home_option
@json_option
def list_runs(
    agent: str | None,
    status: str | None,
    test: bool,
    limit: int,
    cursor: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    """List the runs, newest first."""
    wanted = None if agent is None else address(agent)
    with desk(home) as found:
        page = found.runs(address=wanted, status=status, test=test, limit=limit, cursor=cursor)
    (printing.for_programs if as_json else printing.runs)(page)


@runs.command()
@click.argument("run_id", metavar="ID")
@home_option
@json_option
def show(run_id: str, home: Path | None, as_json: bool) -> None:
    """Show the run ID: its status, parameters and result."""
    with desk(home) as found:
        view = found.run(run_id)
    if as_json:
        printing.for_programs({"run_id": view["id"], **view})
    else:
        printing.run(view)


@runs.command()
@click.argument("run_id", metavar="ID")
@home_option
@json_option
def logs(run_id: str, home: Path | None, as_json: bool) -> None:
    """Print what the run ID has printed and logged so far."""
    with desk(home) as found:
        lines = found.logs(run_id)
    if as_json:
        printing.for_programs({"run_id": run_id, "lines": lines})
        return
    for line in lines:
        printing.line(line)


@runs.command()
@click.argument("run_id", metavar="ID")
@home_option
@json_option
def cancel(run_id: str, home: Path | None, as_json: bool) -> None:
    """Call the run ID off; doing so twice, or too late, changes nothing."""
    with desk(home) as found:
        view = found.cancel(run_id)
    if as_json:
        printing.for_programs({"run_id": view["id"], **view})
    else:
        printing.called_off(view)


@runs.command()
@click.argument("run_id", metavar="ID")
@option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it.",
)
@home_option
@json_option
def notebook(run_id: str, output: Path, home: Path | None, as_json: bool) -> None:
    """Write the executed notebook of the run ID to a file."""
    check_writable(output)
    with desk(home) as found:
        content = found.run_notebook(run_id)
    write_whole(output, content)
    if as_json:
        printing.for_programs({"run_id": run_id, "notebook": str(output)})
    else:
        printing.written(output)
