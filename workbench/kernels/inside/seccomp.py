"""Which calls of the system agents' code may make: a filter, written as a table.

What is listed is refused, so that a program finds an error it knows how to handle; what is newer
than the list does not exist. The filter is classic BPF (`man 2 seccomp`), put together here
because the library for it would have to be found on every machine.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workbench.kernels.inside.system import call

UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
_STREAM, _SEQPACKET = 1, 5

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
_NEWEST = 462

_FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    # Another process's memory, files and state.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # Parts of the kernel that have been ways into it.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "memfd_secret": (447, 447),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    # Namespaces and mounts.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # The machine itself.
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "create_module": (174, None),
    "query_module": (178, None),
    "get_kernel_syms": (177, None),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "nfsservctl": (180, 42),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "ustat": (136, None),
    "sysfs": (139, None),
    "_sysctl": (156, None),
}
"""Calls that nobody may make, with their numbers on x86_64 and aarch64."""

_SHARED: dict[str, tuple[int, int]] = {
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
}
"""Calls for memory and messages that all of a system's processes find under the same number."""

_LOOKED_AT: dict[str, tuple[int, int]] = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "ioctl": (16, 29),
    "personality": (135, 92),
    "prlimit64": (302, 261),
    "setpriority": (141, 140),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "sendto": (44, 206),
}
"""Calls that some arguments of are refused."""

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
_NEW_NAMESPACES = 0x7E020000
# Typing on a terminal's behalf, and the console's counterpart of it.
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
# What programs start out with, and the question what that is.
_PERSONALITIES = (0, 0xFFFFFFFF)

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_SET_MODE_FILTER, _TSYNC = 1, 1
_SECCOMP = {"x86_64": 317, "aarch64": 277}

_LINE = struct.Struct("=HBBI")
_Code = list[tuple[int, int, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a filter lets through besides the ordinary.

    Attributes:
        families: Families of sockets that may be made.
        missing: The error for other families; libzmq takes none but `EOPNOTSUPP` for an answer.
        streams_only: Whether sockets of files must be streams: others can be sent anywhere.
        connects: Whether sockets may be connected.
        shared: Whether memory and messages may be shared by their number.
    """

    families: tuple[int, ...] = (UNIX, INET, INET6, NETLINK)
    missing: int = errno.EAFNOSUPPORT
    streams_only: bool = False
    connects: bool = True
    shared: bool = True


def install(filter: Filter) -> None:
    """Hold this process, all its threads and whatever they start to *filter*, for good.

    Raises:
        OSError: The kernel takes no filters, or privileges were not given up before.
        NotImplementedError: The numbers of this machine's calls are not known here.
    """
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        raise NotImplementedError(f"No list of system calls for {machine}.")
    text = _program(filter, machine)
    lines = ctypes.create_string_buffer(text, len(text))
    program = _Program(len(text) // _LINE.size, ctypes.addressof(lines))
    number = _SECCOMP[machine]
    call(number, _SET_MODE_FILTER, _TSYNC, ctypes.byref(program), what="seccomp")


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.c_void_p)]


@functools.cache
def _program(filter: Filter, machine: str) -> bytes:
    column = tuple(_ARCHITECTURES).index(machine)
    code: _Code = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _ERROR | errno.EPERM),
        (_AT_LEAST, 0, 1, _NEWEST + 1),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
    ]
    forbidden = {**_FORBIDDEN, **({} if filter.shared else _SHARED)}
    for numbers in forbidden.values():
        number = numbers[column]
        if number is not None:
            code += _on(number, _refuse(errno.EPERM))
    for name, look in _looks(filter).items():
        code += _on(_LOOKED_AT[name][column], look())
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(_LINE.pack(*line) for line in code)


def _looks(filter: Filter) -> dict[str, Callable[[], _Code]]:
    looks: dict[str, Callable[[], _Code]] = {
        # Its flags lie in memory, where no filter sees them; the C library falls back on clone.
        "clone3": lambda: _refuse(errno.ENOSYS),
        "clone": lambda: [_argument(0), (_ANY_BIT, 0, 1, _NEW_NAMESPACES), *_refuse(errno.EPERM)],
        "ioctl": lambda: [_argument(1), *_unless_not((_TIOCSTI, _TIOCLINUX), errno.EPERM)],
        "personality": lambda: [_argument(0), *_unless(_PERSONALITIES, errno.EPERM)],
        # One's own only: the first process of a run belongs to the same user.
        "prlimit64": lambda: [_argument(0), *_unless((0,), errno.EPERM)],
        "setpriority": lambda: [_argument(1), *_unless((0,), errno.EPERM)],
        "socket": lambda: _sockets(filter),
    }
    if filter.streams_only:
        looks["socketpair"] = _streams
        # With an address given, even where nothing was connected.
        looks["sendto"] = lambda: [
            _argument(4),
            (_EQUAL, 0, 2, 0),
            _argument(4, high=True),
            (_EQUAL, 1, 0, 0),
            (_RETURN, 0, 0, _ERROR | errno.EACCES),
        ]
    if not filter.connects:
        looks["connect"] = lambda: _refuse(errno.EACCES)
    return looks


def _sockets(filter: Filter) -> _Code:
    code = [_argument(0), *_unless(filter.families, filter.missing)]
    if NETLINK in filter.families:
        # What addresses and routes there are; none of the kernel's other subjects.
        code += [_argument(0), *_on(NETLINK, [_argument(2), *_unless((0,), filter.missing)])]
    if filter.streams_only:
        code += [_argument(0), *_on(UNIX, _streams())]
    return code


def _streams() -> _Code:
    kind = [_argument(1), (_AND, 0, 0, 0xF)]
    return [*kind, *_unless((_STREAM, _SEQPACKET), errno.EACCES)]


def _argument(index: int, *, high: bool = False) -> tuple[int, int, int, int]:
    return (_LOAD, 0, 0, 16 + 8 * index + 4 * high)


def _refuse(error: int) -> _Code:
    return [(_RETURN, 0, 0, _ERROR | error)]


def _on(value: int, then: _Code) -> _Code:
    """Code for *value*; whatever comes out of its end is let through."""
    body = [*then, (_RETURN, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(body), value), *body]


def _unless(values: Iterable[int], error: int) -> _Code:
    """Refuse what is none of *values*."""
    known = tuple(values)
    tests = [(_EQUAL, len(known) - place, 0, value) for place, value in enumerate(known)]
    return [*tests, *_refuse(error)]


def _unless_not(values: Iterable[int], error: int) -> _Code:
    """Refuse what is one of *values*."""
    return [line for value in values for line in ((_EQUAL, 0, 1, value), *_refuse(error))]
