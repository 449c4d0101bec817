"""What a notebook that nobody has read yet should not hold.

These are words to whoever reviews or repairs it. They keep nothing from happening: what a run may
do is decided by the wall around it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import InvalidAgentConfig
from workbench.notebook.definition import readable
from workbench.notebook.imports import imports
from workbench.notebook.python import read

_NETWORK = frozenset(
    [
        "aiohttp",
        "asyncssh",
        "boto3",
        "botocore",
        "ftplib",
        "grpc",
        "httpx",
        "httpx2",
        "imaplib",
        "kafka",
        "nntplib",
        "paramiko",
        "poplib",
        "psycopg",
        "psycopg2",
        "pymongo",
        "redis",
        "requests",
        "smtplib",
        "socket",
        "socketserver",
        "telnetlib",
        "urllib3",
        "websockets",
    ]
)
_PROCESSES = frozenset({"pty", "subprocess", "multiprocessing"})
_CALLS = frozenset({"eval", "exec", "compile", "__import__"})
_SHELL = re.compile(
    r"^\s*(?:!|%(?:sx|system|pip|conda)\b|%%(?:bash|sh|script|writefile)\b)", re.MULTILINE
)
_RESULT = re.compile(r"\bresult\s*\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One thing that should not be there.

    Attributes:
        code: What kind of thing, for programs.
        message: What is wrong, and what to do instead.
        cell_id: The cell; empty if it is about the whole.
        line: The line in the cell, from 1; 0 if it is about the whole.
    """

    code: str
    message: str
    cell_id: str = ""
    line: int = 0


def breaches(nb: Mapping[str, Any]) -> Iterator[Breach]:
    """What should not be in *nb*, in the order of its cells; a network that it declares may be."""
    own = nb["metadata"].get("workbench", {})
    if own.get("network", "none") == "none":
        yield from _imported(nb, _NETWORK, "Network", "runs of this agent have no network")
    yield from _imported(nb, _PROCESSES, "Process", "agents start no other programs")
    said = False
    for index, cell in readable(nb):
        if shell := _SHELL.search(cell["source"]):
            line = cell["source"].count("\n", 0, shell.end()) + 1
            yield _breach("Process", "a shell command: agents start no programs", cell, line)
        try:
            code = read(cell["source"], cell=index, cell_id=cell["id"])
        except InvalidAgentConfig:
            continue  # whoever examines the notebook tells of it
        said |= _RESULT.search(cell["source"]) is not None
        for kind, what, line in _called(code.tree) if code else ():
            yield _breach(kind, what, cell, line)
    if not said:
        yield Breach(
            code="NoResult",
            message="No cell hands a result back: call agent.result(value) in the last one, after"
            " `from workbench import agent`.",
        )


def _imported(
    nb: Mapping[str, Any], names: frozenset[str], code: str, why: str
) -> Iterator[Breach]:
    for found in imports(nb):
        if found.name in names:
            yield Breach(
                code=code,
                message=f"Cell {found.cell_id} imports {found.name}; {why} (line {found.line}).",
                cell_id=found.cell_id,
                line=found.line,
            )


def _breach(code: str, what: str, cell: Mapping[str, Any], line: int) -> Breach:
    message = f"Cell {cell['id']} has {what} (line {line})."
    return Breach(code=code, message=message, cell_id=cell["id"], line=line)


def _called(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
                yield "Evaluation", f"{name}(): write the code itself", node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr=name)) if name in (
                "system",
                "popen",
                "fork",
                "execv",
                "execve",
                "spawnv",
            ):
                yield "Process", f"os.{name}(): agents start no programs", node.lineno
