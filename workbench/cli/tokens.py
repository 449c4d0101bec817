"""`workbench token`: letting programs and people in, and shutting them out again."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli import printing
from workbench.cli.opening import desk
from workbench.cli.options import cursor_option, home_option, json_option, limit_option, option
from workbench.domain.access import Role


@click.group()
def token() -> None:
    """Make, list and revoke tokens."""


@token.command()
@click.argument("name")
@option("--user", help="Whom it speaks for; a user called NAME unless given.")
@option(
    "--role",
    type=click.Choice([str(role) for role in Role]),
    default=str(Role.AUTHOR),
    show_default=True,
    help="The role of a user who is new.",
)
@option("--days", type=float, help="How long it is good; for ever unless given.")
@home_option
@json_option
def create(
    name: str, user: str | None, role: str, days: float | None, home: Path | None, as_json: bool
) -> None:
    """Make a token called NAME and print it, this once."""
    with desk(home) as found:
        view = found.create_token(name, user=user or name, role=role, days=days)
    (printing.for_programs if as_json else printing.token)(view)


@token.command("list")
@limit_option
@cursor_option
@home_option
@json_option
def list_tokens(limit: int, cursor: str | None, home: Path | None, as_json: bool) -> None:
    """List the tokens, newest first; their texts are kept nowhere."""
    with desk(home) as found:
        page = found.tokens(limit=limit, cursor=cursor)
    (printing.for_programs if as_json else printing.tokens)(page)


@token.command()
@click.argument("which", metavar="NAME_OR_ID")
@home_option
@json_option
def revoke(which: str, home: Path | None, as_json: bool) -> None:
    """Take a token back: from now on it is refused."""
    with desk(home) as found:
        view = found.revoke(which)
    (printing.for_programs if as_json else printing.revoked)(view)
