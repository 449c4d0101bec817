"""`workbench up`: the gateway, JupyterLab and Voilà, ended together."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import click

from workbench.cli import printing
from workbench.cli.children import Child, harmless_environment
from workbench.cli.opening import read_settings
from workbench.cli.options import home_option, option, port_option
from workbench.cli.outcomes import COMPLETED
from workbench.cli.shipped import shipped
from workbench.errors import InvalidRequest, Unavailable
from workbench.settings import Settings

_ADDRESS = "gateway: "
_STARTS_SECONDS = 120.0
_POLL_SECONDS = 0.1
_STOP_SECONDS = 10.0
_PORT = click.IntRange(0, 65_535)
_HOST = "127.0.0.1"


@click.command()
@home_option
@port_option
@option("--lab-port", type=_PORT, default=8888, show_default=True, help="JupyterLab's port.")
@option("--voila-port", type=_PORT, default=8866, show_default=True, help="Voilà's port.")
@option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder that JupyterLab shows; the current one unless given.",
)
def up(
    home: Path | None, port: int | None, lab_port: int, voila_port: int, folder: Path | None
) -> int:
    """Start the gateway, JupyterLab and Voilà, and stay until Ctrl-C.

    Each prints its address once it answers. What is opened by the addresses of JupyterLab and
    Voilà may do what you may: keep them to yourself.
    """
    settings = read_settings(home, port=port)
    shown = _shown(folder, settings.home)
    with _servers(settings) as servers:
        servers.start_gateway()
        pages = (servers.start_lab(lab_port, shown), servers.start_voila(voila_port))
        for page in pages:
            servers.announce(page)
        printing.staying("Everything stays up; Ctrl-C stops it.")
        servers.watch()
    return COMPLETED


def _shown(folder: Path | None, home: Path) -> Path:
    """The folder that JupyterLab shows: never what holds every agent, run and token.

    Raises:
        InvalidRequest: It was asked for that.
    """
    kept, shown = home.resolve(), (folder or Path()).resolve()
    if shown != kept and kept not in shown.parents:
        return shown
    if folder is None:
        return Path.home()
    raise InvalidRequest(f"{folder} is in the workbench's own home {home}: name another folder.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A server that people open.

    Attributes:
        probe: What answers without a token once it is there.
        path: What they open.
    """

    child: Child
    port: int
    probe: str
    path: str


@dataclass(kw_only=True)
class _Servers:
    """What has been started so far, with a folder of its own for what goes with it."""

    settings: Settings
    room: Path
    environment: dict[str, str]
    children: list[Child] = field(default_factory=list)

    def start_gateway(self) -> None:
        """Start the gateway, and print its address once it answers.

        Raises:
            Unavailable: It does not.
        """
        command = [sys.executable, "-m", "workbench", "serve", "--token-stdin"]
        command += ["--home", str(self.settings.home), "--port", str(self.settings.port)]
        gateway = self._start("gateway", command, folder=Path(), given=self.settings.token)
        said = 0
        for _ in self._patience(gateway):
            lines = gateway.lines()
            for line in lines[said:]:
                if line.startswith(("token: ", _ADDRESS)):
                    printing.line(line)
            if any(line.startswith(_ADDRESS) for line in lines):
                return
            said = len(lines)

    def start_lab(self, port: int, folder: Path) -> _Page:
        """JupyterLab, as it starts."""
        port, token = port or _free_port(), secrets.token_hex(24)
        command = [sys.executable, "-m", "jupyterlab", "--config"]
        command += [str(shipped("server_config", "jupyter_lab_config.py"))]
        command += [f"--ServerApp.port={port}", f"--ServerApp.ip={_HOST}"]
        command += [f"--ServerApp.root_dir={folder}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        config = {"JUPYTER_CONFIG_PATH": shipped("server_config", "lab")}
        lab = self._start("lab", command, folder=folder, login=token, paths=config)
        return _Page(child=lab, port=port, probe="/api", path=f"/lab?token={token}")

    def start_voila(self, port: int) -> _Page:
        """Voilà with the gallery, as it starts."""
        port, token = port or _free_port(), secrets.token_hex(24)
        config = shipped("server_config", "voila.py")
        command = [sys.executable, "-m", "voila", str(shipped("notebooks", "gallery.ipynb"))]
        command += [f"--Voila.config_file_paths={config.parent}"]
        command += [f"--port={port}", f"--Voila.ip={_HOST}"]
        # A folder of its own: Voilà also reads settings from wherever it is started.
        place = self.room / "voila"
        place.mkdir()
        paths = {"JUPYTER_PATH": config.parent}
        voila = self._start("voila", command, folder=place, login=token, paths=paths)
        probe, path = "/voila/static/voila.js", f"/login?token={token}"
        return _Page(child=voila, port=port, probe=probe, path=path)

    def announce(self, page: _Page) -> None:
        """Print the address of *page* once it answers.

        Raises:
            Unavailable: It does not.
        """
        for _ in self._patience(page.child):
            if _answers(page.port, page.probe):
                (self.room / f"{page.child.name}.login").unlink()
                printing.line(f"{page.child.name}: http://{_HOST}:{page.port}{page.path}")
                return

    def watch(self) -> None:
        """Stay until one ends or somebody says so.

        Raises:
            Unavailable: One has ended.
        """
        while True:
            for child in self.children:
                child.check()
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End all, those who ask before the one that is asked."""
        for child in reversed(self.children):
            # The gateway alone has runs to let end.
            is_gateway = child is self.children[0]
            child.stop(_STOP_SECONDS + (self.settings.drain_seconds if is_gateway else 0))

    def kill(self) -> None:
        """End all at once."""
        for child in self.children:
            child.kill()

    def _start(
        self,
        name: str,
        command: list[str],
        *,
        folder: Path,
        given: str | None = None,
        login: str = "",
        paths: Mapping[str, Path] | None = None,
    ) -> Child:
        environment = dict(self.environment)
        if login:
            held = self.room / f"{name}.login"
            held.touch(mode=0o600)
            held.write_text(login)
            environment["WORKBENCH_LOGIN_FILE"] = str(held)
        for variable, path in (paths or {}).items():
            known = environment.get(variable)
            environment[variable] = f"{path}{os.pathsep}{known}" if known else str(path)
        log = self.room / f"{name}.log"
        child = Child(name, command, environment=environment, folder=folder, log=log, given=given)
        self.children.append(child)
        return child

    def _patience(self, child: Child) -> Iterator[None]:
        """A moment after the other while *child* starts.

        Raises:
            Unavailable: It has ended, or takes too long.
        """
        ends = time.monotonic() + _STARTS_SECONDS
        while time.monotonic() < ends:
            child.check()
            yield
            time.sleep(_POLL_SECONDS)
        raise Unavailable(f"{child.name} does not answer after {_STARTS_SECONDS:.0f} s.")


@contextmanager
def _servers(settings: Settings) -> Iterator[_Servers]:
    """Servers that are ended when the block is left, by Ctrl-C or otherwise."""
    environment = harmless_environment(os.environ)
    environment["WORKBENCH_HOME"] = str(settings.home.absolute())
    room = Path(tempfile.mkdtemp(prefix="workbench-up-"))
    servers = _Servers(settings=settings, room=room, environment=environment)
    before = {
        number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield servers
    except KeyboardInterrupt:
        printing.remark("Stopping; Ctrl-C again stops at once.")
    except Unavailable as error:
        printing.last_words(error)
        raise
    finally:
        try:
            servers.stop()
        except KeyboardInterrupt:
            servers.kill()
        for number, handler in before.items():
            signal.signal(number, handler)
        shutil.rmtree(room, ignore_errors=True)


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection(_HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
