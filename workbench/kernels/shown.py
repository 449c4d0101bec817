"""What a sandbox shows of the machine: what programs need to start, and nothing that is anyone's."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

SYSTEM = ("/usr", "/nix/store", "/gnu/store")
"""Folders of programs and libraries."""

LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""What is a link into /usr on most systems and a folder on the rest."""

CONFIGURATION = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/localtime",
    "/etc/locale.alias",
    "/etc/timezone",
    "/etc/fonts",
    "/etc/mime.types",
    "/etc/services",
    "/etc/protocols",
    "/etc/R",
)
"""What of /etc programs read and what tells nothing about the machine's people."""

RESOLVING = ("/etc/resolv.conf",)
"""What is shown besides when the network is."""

_PACKAGE = Path(__file__).resolve().parents[1]
INSIDE = _PACKAGE / "kernels" / "inside"
OWN_ETC = INSIDE / "etc"
"""A handful of files that take the place of the machine's own."""


def interpreter(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Where this interpreter, what is installed for it and the workbench itself lie."""
    search = environment.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    found = [sys.base_prefix, sys.base_exec_prefix, sys.prefix, *site.getsitepackages()]
    return tuple(
        outermost([*found, *program(sys.executable), str(_PACKAGE), *filter(os.path.isabs, search)])
    )


def program(path: str) -> tuple[str, ...]:
    """The folders that a program of an environment of its own needs: those around its `bin`.

    Every link on the way counts: each is followed by name again inside.
    """
    places = []
    for _ in range(_LINKS_FOLLOWED):
        folder = os.path.dirname(path)
        places.append(os.path.dirname(folder) if os.path.basename(folder) == "bin" else folder)
        if not os.path.islink(path):
            break
        path = os.path.normpath(os.path.join(folder, os.readlink(path)))
    return tuple(outermost(places))


_LINKS_FOLLOWED = 8


def outermost(paths: Iterable[str]) -> list[str]:
    """Those of *paths* that exist and lie in no other, nor in what is shown anyway.

    The root and a home folder as a whole are never among them.
    """
    kept: list[str] = []
    refused = {"/", os.path.expanduser("~")}
    for path in sorted(set(map(os.path.normpath, paths)), key=len):
        covered = any(below(path, other) for other in (*SYSTEM, *LINKS, *kept))
        if not covered and path not in refused and os.path.exists(path):
            kept.append(path)
    return kept


def below(path: str, folder: str) -> bool:
    """Whether *path* is *folder* or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
