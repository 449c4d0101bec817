"""`workbench serve`: the gateway, until it is told to stop."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from workbench.cli.opening import read_settings
from workbench.cli.options import home_option, option, port_option
from workbench.cli.shipped import shipped


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
@option(
    "--token-stdin",
    is_flag=True,
    help="Read the first administrator's token from standard input instead.",
)
def serve(
    home: Path | None,
    port: int | None,
    host: str | None,
    insecure_host: bool | None,
    token_stdin: bool,
) -> int:
    """Start the gateway; it prints its address once it answers.

    WORKBENCH_TOKEN is the first administrator's token; without it one is made and printed once.
    """
    # Not on the command line, which every user of the machine can read.
    token = sys.stdin.read().strip() if token_stdin else None
    settings = read_settings(home, port=port, host=host, insecure_host=insecure_host, token=token)
    # Weight: Kernel Gateway and everything that stands behind it.
    from workbench.gateway.server import serve as serve_gateway

    return serve_gateway(settings, configuration=shipped("server_config"))
