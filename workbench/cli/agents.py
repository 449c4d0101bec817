"""`workbench agents`: adding, listing, publishing, taking out of use."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli import adding, printing
from workbench.cli.new import new
from workbench.cli.opening import desk, read_settings
from workbench.cli.options import (
    cursor_option,
    force_option,
    home_option,
    json_option,
    limit_option,
    name_option,
    option,
    with_option,
)
from workbench.cli.outcomes import COMPLETED, WRONG_REQUEST
from workbench.cli.paper import read_draft, read_file, read_proposed
from workbench.cli.targets import Address, address, name_from, travel_name
from workbench.errors import InvalidRequest


@click.group()
def agents() -> None:
    """Add, validate, list, show, publish and delete agents."""


agents.add_command(new)


@agents.command()
@click.argument("path", type=click.Path(path_type=Path))
@name_option
@option("--publish", is_flag=True, help="Run its cases and publish it.")
@with_option
@force_option
@home_option
@json_option
def add(
    path: Path,
    name: str | None,
    publish: bool,
    files: tuple[Path, ...],
    force: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Make the notebook (.ipynb) or Python source (.py) at PATH an agent.

    If there is an agent of that name, the notebook becomes its draft.
    """
    notebook = read_draft(path)
    travelling = {travel_name(file, path): read_file(file) for file in files}
    with desk(home) as found:
        added = adding.add(found, name or name_from(path), notebook, files=travelling)
        if not as_json:
            printing.added(added.agent, created=added.created, changed=added.changed)
        number = adding.publish(found, added, force=force) if publish else None
        view = found.agent(added.address)
    if as_json:
        printing.for_programs({**view, "created": added.created, "changed": added.changed})
    elif number:
        printing.published(str(added.address), number)


@agents.command()
@click.argument("path", type=click.Path(path_type=Path))
@name_option
@option("--publish", is_flag=True, help="Whether it could be published, too.")
@with_option
@home_option
@json_option
def validate(
    path: Path,
    name: str | None,
    publish: bool,
    files: tuple[Path, ...],
    home: Path | None,
    as_json: bool,
) -> int:
    """Look at PATH for everything that is wrong with it; nothing is run and nothing is kept."""
    # Weight: the libraries that know notebook formats.
    from workbench.allowances import caps_of
    from workbench.services.authoring import Proposal
    from workbench.services.validating import validated
    from workbench.services.views import examination_view

    proposal = Proposal(
        name=name or name_from(path),
        **read_proposed(path),
        files={travel_name(file, path): read_file(file) for file in files},
    )
    settings = read_settings(home)
    examination = validated(
        proposal, kernels=settings.kernels, caps=caps_of(settings), publish=publish
    )
    view = examination_view(examination)
    (printing.for_programs if as_json else printing.examined)(view)
    return COMPLETED if view["valid"] else WRONG_REQUEST


@agents.command("list")
@option("-q", "--query", help="Only agents with this in their name or description.")
@limit_option
@cursor_option
@home_option
@json_option
def list_agents(
    query: str | None, limit: int, cursor: str | None, home: Path | None, as_json: bool
) -> None:
    """List the agents, newest first."""
    with desk(home) as found:
        page = found.agents(text=query, limit=limit, cursor=cursor)
    (printing.for_programs if as_json else printing.agents)(page)


@agents.command()
@click.argument("agent")
@home_option
@json_option
def show(agent: str, home: Path | None, as_json: bool) -> None:
    """Show AGENT (owner/name): its parameters, cases and files."""
    wanted = _whole(agent)
    with desk(home) as found:
        view = found.agent(wanted)
    (printing.for_programs if as_json else printing.agent)(view)


@agents.command()
@click.argument("agent")
@option("--version", help="The number it shall have, such as 1.2.0; the next one unless given.")
@option("--changelog", default="", help="What has changed.")
@force_option
@home_option
@json_option
def publish(
    agent: str,
    version: str | None,
    changelog: str,
    force: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Run the cases of AGENT (owner/name) and make its draft the version that callers get."""
    wanted = _whole(agent)
    with desk(home) as found:
        view = found.publish(wanted, version=version, changelog=changelog, force=force)
    if as_json:
        printing.for_programs({"agent": str(wanted), **view})
    else:
        printing.published(str(wanted), view["version"])


@agents.command()
@click.argument("agent")
@home_option
@json_option
def delete(agent: str, home: Path | None, as_json: bool) -> None:
    """Take AGENT (owner/name) out of use; its name stays taken and its runs readable."""
    wanted = _whole(agent)
    with desk(home) as found:
        found.archive(wanted)
    if as_json:
        printing.for_programs({"agent": str(wanted), "stage": "archived"})
    else:
        printing.archived(str(wanted))


def _whole(agent: str) -> Address:
    found = address(agent)
    if found.version is not None:
        raise InvalidRequest("Name the agent as a whole, without a version.", agent=agent)
    return found
