"""A run's own walls, put up from inside, in three steps that only ever take away.

A process forked for a run first *parts* from its system: it gets its own view of files, processes,
users, names and network. The first process of the new system *settles* there. The process that
will execute agents' code *confines* itself last; after that nothing brings anything back.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import resource
import signal
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from workbench.domain.isolation import Isolation
from workbench.kernels.inside import landlock, seccomp, system

WORK = "/work"
"""Where a run finds its working folder."""

SOCKETS = "/k"
"""Where an ordinary kernel behind a wall puts its sockets."""

SPARE_PROC = "/.proc"
"""A view of processes with nothing covered, which the kernel wants to see before it gives another.

(`mount_too_revealing` in Linux: whoever sees only a part of /proc may not mount a whole one.)
"""

SETTINGS_OF_THE_MACHINE = ("sys", "sysrq-trigger", "irq", "bus", "fs")
"""What of /proc changes the machine and not a process."""

_SECRETS_OF_THE_MACHINE = (
    *("kcore", "kmsg", "keys", "key-users", "kallsyms", "modules", "timer_list", "sched_debug"),
    *("slabinfo", "vmallocinfo", "iomem", "ioports", "acpi", "scsi", "kpageflags", "config.gz"),
)

HOSTNAME = "agent"
"""What the machine is called there."""

_NEW_MOUNTS, _NEW_NAMES, _NEW_IPC = 0x20000, 0x4000000, 0x8000000
_NEW_USERS, _NEW_PIDS, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
# A process stopped by a signal it may ignore gets so long to say a last word.
_LAST_WORDS_SECONDS = 2
# `ST_NOATIME`, `ST_NODIRATIME` and `ST_RELATIME` have the numbers of their mount flags.
_TIMES_KEPT = 1024 | 2048
_FILES_PER_MEGABYTE = 64
_OWN_NUMBERS_SINCE = (6, 14)
_FEWEST_NUMBERS = 301
"""Linux keeps the first 300 to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What a run may have; plain JSON values, so that it travels.

    Sizes of 0 set no bound. Paths are as whoever parts sees them.

    Attributes:
        level: An `Isolation`.
        folder: The working folder; it becomes `WORK`.
        hidden: Folders that are seen empty.
        network: Whether it shares the network of whoever parts, instead of a loopback of its own.
        readable: What may be read and executed at level `landlock`.
        writable: What may be changed at level `landlock`.
        memory_bytes: Private memory of each process (`RLIMIT_DATA`), beyond what it has mapped.
        address_bytes: Address space of each process beyond that (`RLIMIT_AS`).
        processes: Processes and threads at once, as far as the kernel counts them per run.
        open_files: Open files of each process.
        file_bytes: The size of each file.
        cpu_seconds: Processor time of each process.
        scratch_bytes: All of /tmp.
        shared_memory_bytes: All of /dev/shm.
    """

    level: str = Isolation.NAMESPACES.value
    folder: str = ""
    hidden: tuple[str, ...] = ()
    network: bool = False
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    memory_bytes: int = 0
    address_bytes: int = 2 * 1024 * 1024 * 1024
    processes: int = 0
    open_files: int = 0
    file_bytes: int = 0
    cpu_seconds: int = 0
    scratch_bytes: int = 64 * 1024 * 1024
    shared_memory_bytes: int = 64 * 1024 * 1024

    @property
    def has_namespaces(self) -> bool:
        """Whether the run has a system of its own."""
        return Isolation(self.level).has_namespaces


def part(confinement: Confinement) -> None:
    """Leave the present system; processes started from now on are in the new one.

    The process must have one thread and be no leader of a group.

    Raises:
        OSError: A step is not allowed here.
    """
    os.setsid()
    if not confinement.has_namespaces:
        return
    user, group = os.getuid(), os.getgid()
    new = _NEW_USERS | _NEW_MOUNTS | _NEW_IPC | _NEW_NAMES | _NEW_PIDS
    system.unshare(new if confinement.network else new | _NEW_NETWORK)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    _furnish(confinement)
    socket.sethostname(HOSTNAME)
    if not confinement.network:
        _raise_loopback()


def _furnish(confinement: Confinement) -> None:
    system.mount("", "/", "", system.MS_REC | system.MS_PRIVATE)
    _bind(confinement.folder, WORK)
    _memory("/tmp", confinement.scratch_bytes)
    _memory("/dev/shm", confinement.shared_memory_bytes)
    for path in confinement.hidden:
        _cover(path)


def settle(confinement: Confinement) -> None:
    """As the first process of the new system: see its processes only, and be seen by none.

    Raises:
        OSError: A step is not allowed here.
    """
    if not confinement.has_namespaces:
        system.prctl(system.PR_SET_CHILD_SUBREAPER, 1)
        return
    quiet = system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC
    system.mount("proc", "/proc", "proc", quiet)
    if confinement.processes:
        _bound_numbers(confinement.processes)
    for name in SETTINGS_OF_THE_MACHINE:
        if os.path.exists(path := f"/proc/{name}"):
            _bind(path, path)
            _read_only(path)
    for name in _SECRETS_OF_THE_MACHINE:
        if os.access(path := f"/proc/{name}", os.R_OK):
            _cover(path)
    if os.path.isdir(SPARE_PROC):
        _cover(SPARE_PROC)
    system.prctl(system.PR_SET_DUMPABLE, 0)


def _bound_numbers(processes: int) -> None:
    """Let there be no more processes than there are numbers for them, whoever they belong to.

    `RLIMIT_NPROC` does not count root's. A system of its own has numbers of its own since Linux
    6.14; before, they are the whole machine's, which root would change for everybody, and what is
    beyond is seen from outside, some time after.
    """
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if found is None or (int(found[1]), int(found[2])) < _OWN_NUMBERS_SINCE:
        return
    with suppress(OSError):
        _write("/proc/sys/kernel/pid_max", str(max(processes, _FEWEST_NUMBERS)))


def confine(confinement: Confinement) -> None:
    """Give up for good what agents' code may not have; the last step before it.

    Raises:
        OSError: A step is not allowed here.
        NotImplementedError: The machine's system calls are not known here.
    """
    _limit(confinement)
    if confinement.level == Isolation.NONE:
        return
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    system.drop_capabilities()
    system.prctl(system.PR_SET_DUMPABLE, 1)
    system.die_with_parent(signal.SIGKILL)
    walled = confinement.has_namespaces
    if walled and landlock.version() >= landlock.VERSION_OF_SCOPES:
        landlock.restrict(readable=(), writable=(), network=True, files=False)
    if not walled:
        landlock.restrict(
            readable=(*confinement.readable, *_shown_of_the_machine()),
            writable=(*confinement.writable, *DEVICES),
            network=confinement.network,
        )
    seccomp.install(_filter(confinement))


DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))
"""Devices that programs cannot do without."""

_MACHINE = (
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/uptime", "/proc/loadavg"),
    *("/proc/version", "/proc/filesystems", "/proc/sys/vm/overcommit_memory"),
    # How many processors and how much memory there are; DuckDB aborts where it may not know.
    *("/sys/devices/system/cpu", "/sys/fs/cgroup"),
)


def _shown_of_the_machine() -> Iterable[str]:
    # Its own process by number: Landlock follows the link once, now.
    return (f"/proc/{os.getpid()}", *_MACHINE)


def _filter(confinement: Confinement) -> seccomp.Filter:
    if confinement.has_namespaces or confinement.network:
        return seccomp.Filter()
    return seccomp.Filter(
        families=(seccomp.UNIX,),
        missing=errno.EOPNOTSUPP,
        streams_only=True,
        shared=False,
        connects=False,
    )


def _limit(confinement: Confinement) -> None:
    seconds = confinement.cpu_seconds
    # What a kernel was forked with is shared with all others, and no memory the agent took.
    memory = confinement.memory_bytes and confinement.memory_bytes + _mapped()
    _lower(resource.RLIMIT_CORE, 0)
    bounds = {
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_AS: memory and _beyond(memory, confinement.address_bytes),
        resource.RLIMIT_NOFILE: confinement.open_files,
        resource.RLIMIT_FSIZE: confinement.file_bytes,
        # Without namespaces all the account's processes would count, the gateway's too.
        resource.RLIMIT_NPROC: confinement.processes if confinement.has_namespaces else 0,
    }
    for kind, bound in bounds.items():
        if bound:
            _lower(kind, bound)
    if seconds:
        _lower(resource.RLIMIT_CPU, seconds, seconds + _LAST_WORDS_SECONDS)


def _mapped() -> int:
    """How many bytes of private memory this process has mapped already."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"VmData:"):
                return int(line.split()[1]) * 1024
    return 0


def _beyond(memory: int, address: int) -> int:
    return memory + address if address else 0


def _lower(kind: int, soft: int, hard: int | None = None) -> None:
    highest = resource.getrlimit(kind)[1]
    hard = soft if hard is None else hard
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    resource.setrlimit(kind, (soft, hard))


def _write(path: str, text: str) -> None:
    place = os.open(path, os.O_WRONLY)
    try:
        os.write(place, text.encode())
    finally:
        os.close(place)


def _bind(source: str, target: str) -> None:
    system.mount(source, target, "", system.MS_BIND | system.MS_REC)


def _read_only(target: str) -> None:
    kept = system.MS_NOSUID | system.MS_NODEV | _kept_flags(target)
    system.mount("", target, "", system.MS_REMOUNT | system.MS_BIND | system.MS_RDONLY | kept)


def _kept_flags(target: str) -> int:
    # What a mount of another's was restricted to may be restricted further, never less.
    flags = os.statvfs(target).f_flag
    return (system.MS_NOEXEC if flags & os.ST_NOEXEC else 0) | _TIMES_KEPT & flags


def _memory(target: str, size: int) -> None:
    files = max(1024, size // (1024 * 1024) * _FILES_PER_MEGABYTE)
    data = f"size={size},nr_inodes={files},mode=1777" if size else "mode=1777"
    system.mount("tmpfs", target, "tmpfs", system.MS_NOSUID | system.MS_NODEV, data)


def _cover(path: str) -> None:
    if not os.path.isdir(path):
        _bind("/dev/null", path)
        return
    flags = system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC | system.MS_RDONLY
    system.mount("tmpfs", path, "tmpfs", flags, "size=4k,nr_inodes=2,mode=0555")


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        request = struct.pack("16sH14x", b"lo", 0)
        answer = fcntl.ioctl(asking, _GET_FLAGS, request)
        flags = struct.unpack("16sH14x", answer)[1]
        fcntl.ioctl(asking, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))
