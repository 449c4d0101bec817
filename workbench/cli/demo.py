"""`workbench demo`: the gateway with the example agents, one of them called, and where to look."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import click

from workbench.cli import printing
from workbench.cli.adding import add, publish
from workbench.cli.children import leashed
from workbench.cli.opening import read_settings
from workbench.cli.options import home_option, option, port_option
from workbench.cli.outcomes import COMPLETED
from workbench.cli.paper import read_draft
from workbench.cli.remote_desk import RemoteDesk
from workbench.cli.shipped import shipped
from workbench.cli.targets import FIRST_USER, name_from, travel_name
from workbench.client.finding import Found, gateway_of
from workbench.client.http import Gateway, path_of
from workbench.domain.isolation import Isolation
from workbench.errors import Unavailable
from workbench.settings import Settings, default_home

_STOP_SECONDS = 60
_ADDRESS = "gateway: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An example agent as it lies on disk; what is in the folder of its name travels with it."""

    name: str
    notebook: bytes
    files: dict[str, bytes]


@click.command()
@home_option
@port_option
@option("--demo-only", is_flag=True, help="End as soon as the example has answered.")
def demo(home: Path | None, port: int | None, demo_only: bool) -> int:
    """Start the gateway with the example agents, call one, and stay until Ctrl-C."""
    if demo_only and port is None:
        port = 0
    settings = read_settings(home, port=port)
    found = examples(shipped("notebooks", "agents"))
    with _gateway(_contained(settings)) as (gateway, child):
        desk = RemoteDesk(gateway)
        for example in found:
            added = add(desk, example.name, example.notebook, files=example.files)
            printing.added(added.agent, created=added.created, changed=added.changed)
            number = publish(desk, added, force=False)
            if number:
                printing.published(str(added.address), number)
        answer = Gateway(gateway.url, gateway.token, trust=gateway.trust).ask(
            "GET", path_of("agents", FIRST_USER, found[0].name), patience_seconds=None
        )
        printing.demonstrated(
            found[0].name, answer.json(), url=gateway.url, command=_command(settings.home)
        )
        if demo_only:
            printing.line("The gateway stops now; without --demo-only it stays.")
            return COMPLETED
        with contextlib.suppress(KeyboardInterrupt):
            printing.staying("The gateway stays up; Ctrl-C stops it.")
            return child.wait()
    return COMPLETED


def examples(folder: Path) -> list[Example]:
    """The example agents in *folder*, by name.

    Raises:
        Unavailable: There is none, so this is no whole workbench.
    """
    notebooks = sorted(folder.glob("*.ipynb"))
    if not notebooks:
        raise Unavailable("The example agents are missing; was the workbench installed whole?")
    return [
        Example(name=name_from(path), notebook=read_draft(path), files=_files(path))
        for path in notebooks
    ]


def _files(notebook: Path) -> dict[str, bytes]:
    beside = notebook.with_suffix("")
    return {
        travel_name(file, beside / notebook.name): file.read_bytes()
        for file in sorted(beside.rglob("*"))
        if file.is_file()
    }


def _contained(settings: Settings) -> Settings:
    """*settings*, but for machines that contain nothing: the examples are ours and harmless."""
    # Weight: what kernels need.
    from workbench.kernels.ground import AUTO, choose

    if settings.isolation != AUTO or choose(AUTO).wall is not None:
        return settings
    printing.remark(
        "This machine gives no isolation (workbench doctor says why), so the demo asks for none:"
        " its agents are the workbench's own. Do not run anybody else's like this."
    )
    return replace(settings, isolation=Isolation.NONE)


@contextmanager
def _gateway(settings: Settings) -> Iterator[tuple[Found, subprocess.Popen[str]]]:
    """A gateway of our own on the home, which goes when the block is left.

    Raises:
        Unavailable: It did not start; it has said why.
    """
    command = [sys.executable, "-m", "workbench", "serve"]
    arguments = ["--home", str(settings.home), "--port", str(settings.port)]
    environment = {**os.environ, "WORKBENCH_ISOLATION": settings.isolation}
    # A session of its own: Ctrl-C reaches us alone, and we tell it once.
    child = subprocess.Popen(
        leashed([*command, *arguments]),
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        assert child.stdout is not None
        found = gateway_of(settings.home) if _relay_until_it_answers(child.stdout) else None
        if found is None:
            raise Unavailable("The gateway did not start.")
        threading.Thread(target=_relay, args=(child.stdout,), daemon=True).start()
        yield found, child
    finally:
        _stop(child)
        signal.signal(signal.SIGTERM, before)


def _command(home: Path) -> tuple[str, str]:
    """How this very workbench is called, before and behind the name of a command."""
    called = Path(sys.argv[0])
    program = os.path.relpath(called) if called.name == "workbench" else "python -m workbench"
    return program, "" if home == default_home(os.environ) else f" --home {shlex.quote(str(home))}"


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _relay_until_it_answers(lines: IO[str]) -> bool:
    for line in lines:
        printing.line(line.rstrip("\n"))
        if line.startswith(_ADDRESS):
            return True
    return False


def _relay(lines: IO[str]) -> None:
    for line in lines:
        printing.line(line.rstrip("\n"))


def _stop(child: subprocess.Popen[str]) -> None:
    if child.poll() is None:
        child.terminate()
    while True:
        try:
            child.wait(_STOP_SECONDS)
        except KeyboardInterrupt:
            # A second Ctrl-C means now.
            child.terminate()
        except subprocess.TimeoutExpired:
            child.kill()
        else:
            return
