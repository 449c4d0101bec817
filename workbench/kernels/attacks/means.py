"""What every attack is made with: nothing but what any agent has.

An attack returns something if it got what it was after, and raises or returns nothing if not.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Bait = Mapping[str, Any]
"""Where on the host there is what: paths, numbers of processes, ports and names of sockets."""

Attack = Callable[[Bait], object]

ATTACKS: dict[str, Attack] = {}
"""Every attack under its name, in order."""

ALONE: set[str] = set()
"""Attacks after which a run may be over."""

SECONDS = 2.0
"""How long an answer is waited for."""

REFUSED = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS})
"""Errors by which the system says no; any other is said by what was reached."""

X86 = os.uname().machine == "x86_64"
"""Whether calls have this processor's numbers; the others are those of aarch64."""

libc = ctypes.CDLL(None, use_errno=True)


def attack(function: Attack) -> Attack:
    """Count *function* among the attacks; its first line says what it would be."""
    ATTACKS[_name(function)] = function
    return function


def last_attack(function: Attack) -> Attack:
    """Count *function* among the attacks, each of which has a run of its own."""
    ALONE.add(_name(function))
    return attack(function)


def _name(function: Attack) -> str:
    return (function.__doc__ or "").strip().rstrip(".").lower()


def call(number: int, *arguments: object) -> int:
    """What a system call gives back.

    Raises:
        OSError: It failed.
    """
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def reached(x86_64: int, aarch64: int, *arguments: object) -> bool:
    """Whether a call was let through, if only to find that *arguments* make no sense."""
    try:
        call(x86_64 if X86 else aarch64, *arguments)
    except OSError as error:
        return error.errno not in REFUSED
    return True


def in_a_child(work: Callable[[], object]) -> bool:
    """Whether *work* got something, in a process that may break on it."""
    child = os.fork()
    if child == 0:
        got = False
        with contextlib.suppress(BaseException):
            got = bool(work())
        os._exit(0 if got else 1)
    return os.waitpid(child, 0)[1] == 0


def read(path: str) -> str:
    """How the file *path* begins."""
    with open(path, errors="replace") as file:
        return file.read(4096)


def opens(path: str, how: int) -> bool:
    """That *path* was opened."""
    os.close(os.open(path, how))
    return True


def plants(path: str) -> bool:
    """That a file was put at *path*, and taken away again."""
    with open(path, "w") as file:
        file.write("")
    os.unlink(path)
    return True


def makes(*kind: int) -> bool:
    """That a socket of that family, type and protocol could be made."""
    socket.socket(*kind).close()
    return True


def talk(family: int, address: Any, kind: int = socket.SOCK_STREAM) -> bytes:
    """What the socket at *address* answers."""
    with socket.socket(family, kind) as talking:
        talking.settimeout(SECONDS)
        talking.connect(address)
        talking.send(b"?")
        return talking.recv(16)


def assail(bait: Bait, names: Iterable[str]) -> dict[str, str]:
    """What each attack of that name got; empty where it was denied."""
    got: dict[str, str] = {}
    for name in names:
        try:
            found = ATTACKS[name](bait)
        except BaseException:  # noqa: BLE001 - however it failed, it failed
            found = None
        got[name] = repr(found)[:200] if found else ""
        sys.stdout.flush()
    return got
