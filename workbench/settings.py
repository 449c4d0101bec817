"""Where things are and how much is allowed: one frozen object, read once.

A setting comes from the first of these that names it: the command line, the environment
(`WORKBENCH_` and the name in capitals), `workbench.toml` in the home folder, its default.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from workbench.errors import InvalidRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an administrator can decide.

    Attributes:
        home: The folder that holds agents, runs, the journal and the index.
        host: The address the gateway listens on.
        port: The port it listens on; 0 picks a free one.
        token: The first administrator's token; empty: one is made and printed once.
        insecure_host: Listen beyond this machine without TLS, because a proxy provides it.
        runs_at_once: How many runs are carried out at the same time; the others wait.
        queue_limit: How many runs may wait; beyond it only users with less than their share of the
            line are taken, up to twice as many.
        ready_kernels: How many unused kernels are kept ready.
        most_ready_kernels: How many there may be where runs come one upon the other.
        preload: Modules that forked kernels have imported already, comma-separated; those that
            are not installed are left out.
        isolation: How far runs are kept apart: `auto` for the best ordinary level of this machine,
            or `none`, `landlock`, `namespaces` or `namespaces+cgroup`, and then nothing else.
        isolation_minimum: The least isolation a run may begin with; below it runs are refused.
        kernels: Kernelspecs that agents may name besides the workbench's own, comma-separated.
        run_seconds: How long a run may take if its notebook does not say.
        longest_run_seconds: The most a notebook may ask for.
        cpu_seconds: How much processor time a run may use if its notebook does not say.
        most_cpu_seconds: The most a notebook may ask for.
        memory_bytes: How much memory the processes of a run may use together.
        most_memory_bytes: The most a notebook may ask for.
        processes: How many processes and threads a run may have at a time.
        most_processes: The most a notebook may ask for.
        open_files: How many files each process of a run may hold open.
        most_open_files: The most a notebook may ask for.
        file_bytes: How large each file that a run writes may grow.
        most_file_bytes: The most a notebook may ask for.
        folder_bytes: How much the working folder of a run may weigh.
        most_folder_bytes: The most a notebook may ask for.
        output_bytes: How much output ends a run.
        most_output_bytes: The most a notebook may ask for.
        result_bytes: How large a result may be, as JSON.
        most_result_bytes: The most a notebook may ask for.
        network: The most network an agent may ask for: `none`, `allow-list` or `open`.
        private_hosts: Hosts (`name` or `name:port`) that allow-lists may name although their
            addresses are not the internet's.
        shell: Agents may ask for a shell for their language models, inside the run's walls.
        body_bytes: How large a request may be.
        drain_seconds: How long running runs may go on when the gateway is told to stop.
        metrics_public: Answer `/metrics` without a token.
        log_format: `text`, which tells what is wrong, or `json`: an object per request and run.
        head_bytes: How large the head of a request may be.
        head_seconds: How long a connection may be silent, or its next head incomplete.
        body_seconds: How long a body may take to arrive.
        certfile: The certificate to answer with by TLS, with those that lead to a known one.
        keyfile: Its private key, unless it is in the same file.
        client_ca: The authority whose certificates callers must have, besides their token.
        allow_origin: Origins whose pages may call from a browser; `*` is all.
        hub_url: Where JupyterHub's API answers, whose users are known here by their tokens.
        hub_service: What the gateway is called there: tokens need the scope to use it.
        models: Language models, their prices and budgets; a table, or the same as JSON. Without
            it `OPENAI_BASE_URL` is one upstream, and without that there is the scripted model.
        master_key: What the keys of language models are encrypted with, instead of a file.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8890
    token: str = ""
    insecure_host: bool = False
    runs_at_once: int = max(2, os.cpu_count() or 2)
    queue_limit: int = 10_000
    ready_kernels: int = 2
    most_ready_kernels: int = 8
    preload: tuple[str, ...] = ("numpy", "pandas", "matplotlib.pyplot")
    isolation: str = "auto"
    isolation_minimum: str = "none"
    kernels: tuple[str, ...] = ()
    run_seconds: float = 60.0
    longest_run_seconds: float = 3_600.0
    cpu_seconds: float = 120.0
    most_cpu_seconds: float = 14_400.0
    memory_bytes: int = 1024 * 1024 * 1024
    most_memory_bytes: int = 4 * 1024 * 1024 * 1024
    processes: int = 256
    most_processes: int = 1_024
    open_files: int = 1_024
    most_open_files: int = 4_096
    file_bytes: int = 100 * 1024 * 1024
    most_file_bytes: int = 1024 * 1024 * 1024
    folder_bytes: int = 256 * 1024 * 1024
    most_folder_bytes: int = 4 * 1024 * 1024 * 1024
    output_bytes: int = 20 * 1024 * 1024
    most_output_bytes: int = 100 * 1024 * 1024
    result_bytes: int = 1024 * 1024
    most_result_bytes: int = 8 * 1024 * 1024
    network: str = "allow-list"
    private_hosts: tuple[str, ...] = ()
    shell: bool = False
    body_bytes: int = 8 * 1024 * 1024
    drain_seconds: float = 20.0
    metrics_public: bool = False
    log_format: str = "text"
    head_bytes: int = 32 * 1024
    head_seconds: float = 60.0
    body_seconds: float = 120.0
    certfile: str = ""
    keyfile: str = ""
    client_ca: str = ""
    allow_origin: tuple[str, ...] = ()
    hub_url: str = ""
    hub_service: str = "workbench"
    models: Mapping[str, Any] = field(default_factory=dict)
    master_key: str = field(default="", repr=False)


def default_home(environment: Mapping[str, str]) -> Path:
    """The user's data folder for the workbench, after each system's custom."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "workbench"
    data = environment.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "workbench"


def read(environment: Mapping[str, str], **given: object) -> Settings:
    """The settings in force; what is given and not None comes from the command line.

    Raises:
        InvalidRequest: A value cannot be read, is out of range, or the file names a setting that
            does not exist.
    """
    home = Path(
        str(given.get("home") or environment.get("WORKBENCH_HOME") or default_home(environment))
    )
    found: dict[str, object] = _from_file(home / "workbench.toml")
    for name in _READERS:
        if (text := environment.get(f"WORKBENCH_{name.upper()}")) is not None:
            found[name] = text
    if (url := environment.get("OPENAI_BASE_URL")) and "models" not in found:
        found["models"] = {"upstreams": {"openai": {"url": url}}}
    found |= {name: value for name, value in given.items() if value is not None}
    found["home"] = home
    values: dict[str, Any] = {name: _read(name, value) for name, value in found.items()}
    return Settings(**values)


def _from_file(path: Path) -> dict[str, object]:
    try:
        content = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path.name} in the home folder is no TOML: {error}.") from None
    unknown = sorted(set(content) - set(_READERS))
    if unknown:
        raise InvalidRequest(f"{path.name} names settings that do not exist: {', '.join(unknown)}.")
    return content


def _read(name: str, value: object) -> object:
    try:
        return _READERS[name](value)
    except (ValueError, TypeError):
        raise InvalidRequest(
            f"{value!r} is no value for the setting {name}.", setting=name
        ) from None


def _whole(lowest: int, highest: int | None = None) -> Callable[[Any], int]:
    def read_whole(value: Any) -> int:
        number = int(value)
        if isinstance(value, bool) or number < lowest or (highest is not None and number > highest):
            raise ValueError(value)
        return number

    return read_whole


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError(value)
    return number


def _words(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else list(value)
    return tuple(part.strip() for part in parts if part.strip())


def _one_of(*choices: str) -> Callable[[Any], str]:
    def read_one_of(value: Any) -> str:
        if value not in choices:
            raise ValueError(value)
        return str(value)

    return read_one_of


_ORIGIN = re.compile(
    r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-fA-F:]+\](:[0-9]{1,5})?"
)


def _origins(value: Any) -> tuple[str, ...]:
    origins = _words(value)
    if not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError(value)
    return origins


def _table(value: Any) -> Mapping[str, Any]:
    table = json.loads(value or "{}") if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise TypeError(value)
    return table


def _url(value: Any) -> str:
    text = str(value)
    if text and not text.startswith(("http://", "https://")):
        raise ValueError(value)
    return text


_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return _FLAGS[str(value).lower()]
    except KeyError:
        raise ValueError(value) from None


_LEAST_MEMORY = 256 * 1024 * 1024
"""With less no kernel begins."""

# The words of `workbench.domain.isolation`, which stands above this.
_LEVELS = ("none", "landlock", "namespaces", "namespaces+cgroup")

_READERS: dict[str, Callable[[Any], object]] = {
    "home": Path,
    "host": str,
    "port": _whole(0, 65_535),
    "token": str,
    "insecure_host": _flag,
    "runs_at_once": _whole(1),
    "queue_limit": _whole(1),
    "ready_kernels": _whole(0),
    "most_ready_kernels": _whole(0),
    "preload": _words,
    "isolation": _one_of("auto", *_LEVELS),
    "isolation_minimum": _one_of(*_LEVELS),
    "kernels": _words,
    "run_seconds": _positive,
    "longest_run_seconds": _positive,
    "cpu_seconds": _positive,
    "most_cpu_seconds": _positive,
    "memory_bytes": _whole(_LEAST_MEMORY),
    "most_memory_bytes": _whole(_LEAST_MEMORY),
    "processes": _whole(32),
    "most_processes": _whole(32),
    "open_files": _whole(128),
    "most_open_files": _whole(128),
    "file_bytes": _whole(1024),
    "most_file_bytes": _whole(1024),
    "folder_bytes": _whole(1024),
    "most_folder_bytes": _whole(1024),
    "output_bytes": _whole(1024),
    "most_output_bytes": _whole(1024),
    "result_bytes": _whole(1024),
    "most_result_bytes": _whole(1024),
    "network": _one_of("none", "allow-list", "open"),
    "private_hosts": _words,
    "shell": _flag,
    "body_bytes": _whole(1024),
    "drain_seconds": _positive,
    "metrics_public": _flag,
    "log_format": _one_of("text", "json"),
    "head_bytes": _whole(1024),
    "head_seconds": _positive,
    "body_seconds": _positive,
    "certfile": str,
    "keyfile": str,
    "client_ca": str,
    "allow_origin": _origins,
    "models": _table,
    "master_key": str,
    "hub_url": _url,
    "hub_service": str,
}
assert set(_READERS) == {one.name for one in fields(Settings)}
