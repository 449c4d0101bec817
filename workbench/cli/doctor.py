"""`workbench doctor`: what keeps agents' code in its place on this machine, found out by trying."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from workbench.cli import printing
from workbench.cli.opening import read_settings
from workbench.cli.options import home_option, json_option
from workbench.cli.outcomes import COMPLETED, COULD_NOT


@click.command()
@home_option
@json_option
def doctor(home: Path | None, as_json: bool) -> int:
    """Try everything that keeps runs apart, and attack it as a hostile agent would.

    Ends with 0 if runs get the isolation they should have here, and with 3 if not.
    """
    settings = read_settings(home)
    # Weight: kernels are started.
    from workbench.services.diagnosing import diagnose

    diagnosis = asyncio.run(diagnose(settings.isolation, minimum=settings.isolation_minimum))
    view = diagnosis.as_json()
    if as_json:
        printing.for_programs(view)
    else:
        printing.diagnosis(view)
    return COMPLETED if diagnosis.holds else COULD_NOT
