"""The system calls that Python has no names for."""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> int:
    """The *result* of a call of the C library.

    Raises:
        OSError: It says that the call failed.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def call(number: int, *arguments: object, what: str) -> int:
    """What system call *number* gives back.

    Raises:
        OSError: It failed.
    """
    return checked(int(_libc.syscall(number, *arguments)), what)


def prctl(option: int, value: int = 0, third: int = 0) -> int:
    """What `prctl(2)` gives back.

    Raises:
        OSError: It failed.
    """
    words = map(ctypes.c_ulong, (value, third, 0, 0))
    return checked(int(_libc.prctl(option, *words)), f"prctl {option}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by *flags* for new ones.

    Raises:
        OSError: It failed.
    """
    checked(int(_libc.unshare(flags)), "unshare")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Mount *source* on *target*.

    Raises:
        OSError: It failed.
    """
    words = (os.fsencode(word) or None for word in (source, target, kind))
    done = int(_libc.mount(*words, ctypes.c_ulong(flags), data.encode() or None))
    checked(done, f"mount {target}")


def drop_capabilities() -> None:
    """Give up every capability; `PR_SET_NO_NEW_PRIVS` sees to it that no program brings any back.

    Raises:
        OSError: It failed.
    """
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    checked(int(_libc.capset(header, none)), "capset")


def die_with_parent(signal: int) -> None:
    """Ask for *signal* when the thread that started this process ends.

    Raises:
        OSError: It failed.
    """
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal)
