"""The command `workbench`, and what becomes of an error: one line, one object, one exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from workbench import __version__
from workbench.cli import printing
from workbench.cli.agents import agents
from workbench.cli.demo import demo
from workbench.cli.doctor import doctor
from workbench.cli.homes import backup, rebuild, restore
from workbench.cli.models import models
from workbench.cli.outcomes import CALLED_OFF, COULD_NOT, WRONG_REQUEST, code_of
from workbench.cli.run import run
from workbench.cli.runs import runs
from workbench.cli.serve import serve
from workbench.cli.tokens import token
from workbench.cli.up import up
from workbench.errors import InvalidRequest, WorkbenchError


class Workbench(click.Group):
    """The outermost command: here every error ends."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Carry out what *args* say and leave, with an exit code that says how it went."""
        given = sys.argv[1:] if args is None else list(args)
        as_json = "--json" in given or os.environ.get("WORKBENCH_JSON", "") in ("1", "true")
        try:
            code = super().main(given, prog_name, complete_var, standalone_mode=False, **extra)
        except click.Abort:
            code = CALLED_OFF
        except click.ClickException as error:
            error.show()
            if as_json:
                printing.error(InvalidRequest(error.format_message()), as_json=True)
            code = WRONG_REQUEST
        except WorkbenchError as error:
            printing.error(error, as_json=as_json)
            code = code_of(error)
        except Exception as error:  # noqa: BLE001 - the last place where one can be caught
            traceback.print_exc()
            printing.error(
                WorkbenchError(f"The workbench failed: {type(error).__name__}."), as_json=as_json
            )
            code = COULD_NOT
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=Workbench)
@click.version_option(__version__, prog_name="workbench", message="%(prog)s %(version)s")
def main() -> None:
    """Notebook in, agent out.

    A notebook with a parameters cell becomes a versioned, tested, recorded program that people
    and programs call.
    """


_COMMANDS = (
    *(up, serve, run, agents, runs, token, models),
    *(rebuild, backup, restore, doctor, demo),
)
for _command in _COMMANDS:
    main.add_command(_command)
