"""Landlock: files, ports and signals that a process gives up for good (`man 7 landlock`).

It needs no privilege and no namespace, so it works where containers are closed to both.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from workbench.kernels.inside.system import call

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION = 1
_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# How many rights over files each version knows: each brought the one after those before it.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_TCP = 0b11
_SCOPES = 0b11
_VERSION_OF_TCP, VERSION_OF_SCOPES = 4, 6


def version() -> int:
    """The version of Landlock that the kernel speaks; 0 where there is none."""
    try:
        return call(_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION, what="landlock")
    except OSError:
        return 0


def restrict(
    *, readable: Iterable[str], writable: Iterable[str], network: bool, files: bool = True
) -> None:
    """Reach nothing any more but what is listed and what this process starts.

    Sockets without a path and signals end at this process and its children where the kernel knows
    how (version 6). With *network* ports stay free; without *files* files do. What is listed and
    not there is left out. Privileges must have been given up before.

    Raises:
        OSError: There is no Landlock here.
    """
    spoken = version()
    rights = (1 << _RIGHTS[min(max(spoken, 1), max(_RIGHTS))]) - 1 if files else 0
    ports = _TCP if spoken >= _VERSION_OF_TCP and not network else 0
    scopes = _SCOPES if spoken >= VERSION_OF_SCOPES else 0
    if spoken and not (rights or ports or scopes):
        return
    attributes = struct.pack("=QQQ", rights, ports, scopes)
    known = 24 if spoken >= VERSION_OF_SCOPES else 16 if spoken >= _VERSION_OF_TCP else 8
    ruleset = call(_CREATE, attributes, ctypes.c_size_t(known), 0, what="landlock")
    try:
        if files:
            _allow(ruleset, readable, _READ & rights)
            _allow(ruleset, writable, rights)
        call(_RESTRICT, ruleset, 0, what="landlock")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            folder = stat.S_ISDIR(os.fstat(place).st_mode)
            allowed = rights if folder else rights & _OF_FILES
            rule = struct.pack("=Qi", allowed, place)
            call(_ADD, ruleset, _BENEATH, rule, 0, what=f"landlock {path}")
        finally:
            os.close(place)
