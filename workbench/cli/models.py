"""`workbench models`: which language models may be asked, their keys, what they took."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli import printing
from workbench.cli.opening import desk, read_settings
from workbench.cli.options import home_option, json_option, option, parameters_option
from workbench.cli.outcomes import code_of_run
from workbench.cli.targets import address
from workbench.cli.values import texts
from workbench.domain.models import CASSETTE, Mode
from workbench.errors import NotFound

if TYPE_CHECKING:
    from workbench.store.keys import Keys


@click.group()
def models() -> None:
    """See and set up language models, record and replay what they say."""


@models.command("list")
@home_option
@json_option
def list_models(home: Path | None, as_json: bool) -> None:
    """List the upstreams of the settings, and whether they have a key."""
    # Weight: other commands are about no model.
    from workbench.llm.configuration import read_catalogue

    catalogue = read_catalogue(read_settings(home).models)
    kept = _keys(home).names()
    upstreams = [
        {
            "name": upstream.name,
            "kind": upstream.kind,
            "url": upstream.url,
            "models": [*upstream.names, *upstream.models],
            "key": upstream.name in kept,
        }
        for upstream in catalogue.upstreams
    ]
    view = {"upstreams": upstreams, "default": catalogue.default}
    (printing.for_programs if as_json else printing.models)(view)


@models.command()
@click.argument("upstream")
@option("--forget", is_flag=True, help="Have no key for it any more.")
@home_option
@json_option
def key(upstream: str, forget: bool, home: Path | None, as_json: bool) -> None:
    """Set the key of UPSTREAM; it is asked for, or read from standard input.

    It is encrypted in the home folder, reaches nobody but the upstream, and is shown to no one. A
    gateway that runs uses it at once.
    """
    keys = _keys(home)
    if forget:
        if not keys.forget(upstream):
            raise NotFound(f"There is no key of {upstream!r}.", upstream=upstream)
        _keyed(upstream, there=False, as_json=as_json)
        return
    # Not on the command line, which every user of the machine can read.
    text = (
        click.prompt(f"Key of {upstream}", hide_input=True, err=True)
        if sys.stdin.isatty()
        else sys.stdin.read()
    )
    keys.put(upstream, text.strip())
    _keyed(upstream, there=True, as_json=as_json)


@models.command()
@home_option
@json_option
def rotate(home: Path | None, as_json: bool) -> None:
    """Encrypt all keys anew with the first of the master keys."""
    number = _keys(home).rotate()
    if as_json:
        printing.for_programs({"keys": number})
    else:
        printing.line(f"{number} keys are encrypted with the first master key.")


@models.command()
@click.argument("wanted", metavar="TARGET")
@parameters_option
@home_option
@json_option
def record(
    wanted: str, parameters: tuple[tuple[str, str], ...], home: Path | None, as_json: bool
) -> int:
    """Run the draft of TARGET as a test with its model live, and keep what the model says.

    The answers become a file of the agent; from then on its test runs replay them.
    """
    meant = address(wanted)
    with desk(home) as found:
        run_id = found.start(meant, texts=texts(parameters), test=True, model=str(Mode.RECORD))[
            "id"
        ]
        view = found.settled(run_id)
        code = code_of_run(view)
        if code == 0:
            found.attach(meant, CASSETTE, found.run_file(run_id, CASSETTE))
    if as_json:
        printing.for_programs({"run_id": run_id, **view})
    elif code == 0:
        calls = view["usage"]["calls"]
        printing.line(f"{calls} answers are kept in {CASSETTE} beside the draft of {wanted}.")
    else:
        printing.remark(f"error: {printing.failure(view)}")
    return code


@models.command()
@option(
    "--by",
    type=click.Choice(["day", "agent", "user", "model", "run"]),
    default="day",
    show_default=True,
    help="What it is told by.",
)
@option("--test", is_flag=True, help="That of test runs instead of the rest.")
@home_option
@json_option
def usage(by: str, test: bool, home: Path | None, as_json: bool) -> None:
    """Show what language models took, and what it cost."""
    with desk(home) as found:
        page = found.usage(by=by, test=test)
    if as_json:
        printing.for_programs(page)
    else:
        printing.usage(page, by)


def _keyed(upstream: str, *, there: bool, as_json: bool) -> None:
    if as_json:
        printing.for_programs({"upstream": upstream, "key": there})
    else:
        printing.line(f"The key of {upstream} is {'set' if there else 'gone'}.")


def _keys(home: Path | None) -> Keys:
    # Weight: see list_models.
    from workbench.store.keys import Keys

    settings = read_settings(home)
    return Keys(settings.home, master=settings.master_key)
