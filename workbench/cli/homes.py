"""`workbench rebuild`, `backup` and `restore`: what is done to a home that no gateway owns."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

import click

from workbench.cli import printing
from workbench.cli.opening import read_settings
from workbench.cli.options import home_option, json_option, option
from workbench.cli.paper import check_writable

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@option(
    "--sweep",
    is_flag=True,
    help="Then throw away notebooks, files and run folders that nothing speaks of any more.",
)
@home_option
@json_option
def rebuild(sweep: bool, home: Path | None, as_json: bool) -> None:
    """Make the index anew from the notebooks and the journal."""
    place = read_settings(home).home
    # Weight: the store, for the three commands that are about nothing else.
    from workbench.app import utc_now
    from workbench.services import keeping

    done = asyncio.run(keeping.rebuild(place, sweep=sweep, clock=utc_now))
    swept = None if done.swept is None else asdict(done.swept)
    if as_json:
        printing.for_programs({"home": str(place), "rows": done.rows, "swept": swept})
    else:
        printing.rebuilt(place, done.rows, swept)


@click.command()
@click.argument("file", type=_FILE)
@home_option
@json_option
def backup(file: Path, home: Path | None, as_json: bool) -> None:
    """Put everything in the home into FILE, a tar archive; the gateway must be stopped."""
    place = read_settings(home).home
    check_writable(file)
    # Weight: see rebuild.
    from workbench.services import keeping

    size = keeping.backup(place, file)
    if as_json:
        printing.for_programs({"home": str(place), "file": str(file), "bytes": size})
    else:
        printing.backed_up(file, size)


@click.command()
@click.argument("file", type=_FILE)
@home_option
@json_option
def restore(file: Path, home: Path | None, as_json: bool) -> None:
    """Make a new home from FILE, which `workbench backup` wrote."""
    place = read_settings(home).home
    # Weight: see rebuild.
    from workbench.app import utc_now
    from workbench.services import keeping

    keeping.restore(file, place, clock=utc_now)
    if as_json:
        printing.for_programs({"home": str(place), "file": str(file)})
    else:
        printing.restored(place, file)
