"""`workbench serve`: the gateway, until it is told to stop."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.opening import read_settings
from workbench.cli.options import home_option, option, port_option


@click.command()
@home_option
@port_option
@option("--host", help="The address to listen on; this machine only unless given.")
@option(
    "--insecure-host",
    is_flag=True,
    default=None,
    help="Listen beyond this machine without TLS, because a proxy provides it.",
)
def serve(home: Path | None, port: int | None, host: str | None, insecure_host: bool | None) -> int:
    """Start the gateway; it prints its address once it answers.

    WORKBENCH_TOKEN is the first administrator's token; without it one is made and printed once.
    """
    settings = read_settings(home, port=port, host=host, insecure_host=insecure_host)
    # Weight: Kernel Gateway and everything that stands behind it.
    from workbench.gateway.server import serve as serve_gateway

    return serve_gateway(settings)
