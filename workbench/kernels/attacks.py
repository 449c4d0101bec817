"""What agents' code must not get at, tried one by one; `probing` runs this text inside a kernel.

Each attack returns something if it got what it was after, and raises or returns nothing if not.
The text of this module is a cell of a notebook: it knows the standard library and what `bait`
says of the host, and attacks with the means any agent has.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Bait = Mapping[str, Any]
"""Where on the host there is what: paths, numbers of processes, ports and names of sockets."""

Attack = Callable[[Bait], object]

ATTACKS: dict[str, Attack] = {}
"""Every attack under its name, in order."""

ALONE: set[str] = set()
"""Attacks after which a run may be over."""

_SECONDS = 2.0
_UNNOTICED_SECONDS = 8.0
_REFUSED = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS})
_X86 = os.uname().machine == "x86_64"
_libc = ctypes.CDLL(None, use_errno=True)


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


def _call(number: int, *arguments: object) -> int:
    """What a system call gives back.

    Raises:
        OSError: It failed.
    """
    result = int(_libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _reached(x86_64: int, aarch64: int, *arguments: object) -> bool:
    """Whether a call was let through, if only to find that *arguments* make no sense."""
    try:
        _call(x86_64 if _X86 else aarch64, *arguments)
    except OSError as error:
        return error.errno not in _REFUSED
    return True


def _in_a_child(work: Callable[[], object]) -> bool:
    """Whether *work* got something, in a process that may break on it."""
    child = os.fork()
    if child == 0:
        got = False
        with contextlib.suppress(BaseException):
            got = bool(work())
        os._exit(0 if got else 1)
    return os.waitpid(child, 0)[1] == 0


def _text(path: str) -> str:
    with open(path, errors="replace") as file:
        return file.read(4096)


def _opens(path: str, how: int) -> bool:
    os.close(os.open(path, how))
    return True


def _talk(family: int, address: Any, kind: int = socket.SOCK_STREAM) -> bytes:
    with socket.socket(family, kind) as talking:
        talking.settimeout(_SECONDS)
        talking.connect(address)
        talking.send(b"?")
        return talking.recv(16)


# Files of the account.


@attack
def _(bait: Bait) -> object:
    """List the home folder."""
    return os.listdir(bait["home"])


@attack
def _(bait: Bait) -> object:
    """Read a private key in the home folder."""
    return _text(f"{bait['home']}/.ssh/id_ed25519")


@attack
def _(bait: Bait) -> object:
    """Learn the size of a file in the home folder."""
    return os.stat(f"{bait['home']}/.ssh/id_ed25519").st_size


@attack
def _(bait: Bait) -> object:
    """Write into the home folder."""
    with open(f"{bait['home']}/.profile-{os.getpid()}", "w") as file:
        return file.write("malice")


@attack
def _(bait: Bait) -> object:
    """Change a file in the home folder."""
    with open(f"{bait['home']}/changed", "a") as file:
        return file.write("malice")


@attack
def _(bait: Bait) -> object:
    """Delete a file in the home folder."""
    os.unlink(f"{bait['home']}/deleted")
    return True


@attack
def _(bait: Bait) -> object:
    """Make a file in the home folder executable."""
    os.chmod(f"{bait['home']}/changed", 0o755)
    return True


@attack
def _(bait: Bait) -> object:
    """Read a private key through a symbolic link."""
    os.symlink(f"{bait['home']}/.ssh/id_ed25519", "innocent")
    try:
        return _text("innocent")
    finally:
        os.unlink("innocent")


@attack
def _(bait: Bait) -> object:
    """Make a hard link to a private key."""
    os.link(f"{bait['home']}/.ssh/id_ed25519", "innocent")
    os.unlink("innocent")
    return True


@attack
def _(bait: Bait) -> object:
    """Read a private key by way of dot-dot."""
    way = "/".join([".."] * 40) + f"{bait['home']}/.ssh/id_ed25519"
    return _text(way)


@attack
def _(bait: Bait) -> object:
    """Read a private key through the root of process 1."""
    return _text(f"/proc/1/root{bait['home']}/.ssh/id_ed25519")


@attack
def _(bait: Bait) -> object:
    """Open a file by its handle, past all paths."""
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0) + b"\0" * 128)
    mount = ctypes.c_int()
    _call(303 if _X86 else 264, -100, b"/usr", handle, ctypes.byref(mount), 0)
    place = os.open("/", os.O_RDONLY)
    return _call(304 if _X86 else 265, place, handle, os.O_RDONLY)


# Files of the workbench.


@attack
def _(bait: Bait) -> object:
    """Read the journal of the workbench."""
    return _text(bait["journal"])


@attack
def _(bait: Bait) -> object:
    """Write into the journal of the workbench."""
    with open(bait["journal"], "a") as file:
        return file.write("{}")


@attack
def _(bait: Bait) -> object:
    """Read the index of the workbench."""
    return _text(bait["index"])


@attack
def _(bait: Bait) -> object:
    """Read somebody's notebook among the objects."""
    return _text(bait["object"])


@attack
def _(bait: Bait) -> object:
    """Read the gateway's own token."""
    return _text(bait["token"])


@attack
def _(bait: Bait) -> object:
    """List the folders of all runs."""
    return [name for name in os.listdir(bait["runs"]) if not os.getcwd().startswith(name)]


@attack
def _(bait: Bait) -> object:
    """Read what another run has in its working folder."""
    return _text(f"{bait['other_folder']}/secret.txt")


@attack
def _(bait: Bait) -> object:
    """Write into another run's working folder."""
    with open(f"{bait['other_folder']}/planted.txt", "w") as file:
        return file.write("malice")


@attack
def _(bait: Bait) -> object:
    """Change the workbench's own code."""
    place = os.open(str(sys.modules["workbench"].__file__), os.O_WRONLY | os.O_APPEND)
    os.close(place)
    return True


@attack
def _(bait: Bait) -> object:
    """Add to the installed packages."""
    path = f"{os.path.dirname(os.path.dirname(os.__file__))}/malice.pth"
    with open(path, "w") as file:
        file.write("")
    os.unlink(path)
    return True


# Files of the system.


@attack
def _(bait: Bait) -> object:
    """Read the passwords of the system."""
    return _text("/etc/shadow")


@attack
def _(bait: Bait) -> object:
    """Read who has an account."""
    return bait["account"] in _text("/etc/passwd")


@attack
def _(bait: Bait) -> object:
    """Write into a folder of programs."""
    path = "/usr/local/bin/malice"
    with open(path, "w") as file:
        file.write("")
    os.unlink(path)
    return True


@attack
def _(bait: Bait) -> object:
    """Write into the configuration of the system."""
    path = "/etc/malice.conf"
    with open(path, "w") as file:
        file.write("")
    os.unlink(path)
    return True


@attack
def _(bait: Bait) -> object:
    """Read what others keep in the folder for temporary files."""
    return _text(bait["temporary"])


@attack
def _(bait: Bait) -> object:
    """Open a disk."""
    for device in bait["disks"]:
        os.close(os.open(device, os.O_RDONLY))
        return True
    return False


@attack
def _(bait: Bait) -> object:
    """Make a device for a disk."""
    for device in bait["disk_numbers"]:
        os.mknod("disk", 0o600 | 0o060000, os.makedev(*device))
        os.unlink("disk")
        return True
    return False


@attack
def _(bait: Bait) -> object:
    """Open the memory of the machine."""
    return _opens("/dev/mem", os.O_RDONLY)


@attack
def _(bait: Bait) -> object:
    """Read the log of the kernel."""
    size = 1 << 12
    return _call(103 if _X86 else 116, 3, ctypes.create_string_buffer(size), size)


@attack
def _(bait: Bait) -> object:
    """Set which program handles crashes of others."""
    return _opens("/proc/sys/kernel/core_pattern", os.O_WRONLY)


@attack
def _(bait: Bait) -> object:
    """Press the machine's emergency keys."""
    return _opens("/proc/sysrq-trigger", os.O_WRONLY)


@attack
def _(bait: Bait) -> object:
    """Make a control group of its own."""
    for mount in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
        with contextlib.suppress(FileNotFoundError):
            path = f"{mount}/malice-{os.getpid()}"
            os.mkdir(path)
            os.rmdir(path)
            return True
    return False


# Other processes.


@attack
def _(bait: Bait) -> object:
    """See which processes there are."""
    return any(
        str(bait["gateway"]) in os.listdir(view)
        for view in ("/proc", "/.proc")
        if os.path.isdir(view)
    )


@attack
def _(bait: Bait) -> object:
    """Read the command line of another process."""
    return bait["marker"] in _text(f"/proc/{bait['process']}/cmdline")


@attack
def _(bait: Bait) -> object:
    """Read the environment of another process."""
    return bait["secret"] in _text(f"/proc/{bait['process']}/environ")


@attack
def _(bait: Bait) -> object:
    """Read the environment of the gateway."""
    return _text(f"/proc/{bait['gateway']}/environ")


@attack
def _(bait: Bait) -> object:
    """Read the environment of another run."""
    return _text(f"/proc/{bait['other_process']}/environ")


@attack
def _(bait: Bait) -> object:
    """Reach another run's folder through its process."""
    return os.listdir(f"/proc/{bait['other_process']}/cwd/")


@attack
def _(bait: Bait) -> object:
    """Read the environment of the first process of its own system."""
    if os.getpid() == 1:
        return False
    return _text("/proc/1/environ")


@attack
def _(bait: Bait) -> object:
    """Reach the open files of the gateway."""
    return os.listdir(f"/proc/{bait['gateway']}/fd")


@attack
def _(bait: Bait) -> object:
    """Read the memory of another process as a file."""
    return _opens(f"/proc/{bait['process']}/mem", os.O_RDWR)


@attack
def _(bait: Bait) -> object:
    """Read the memory of another process by a call."""
    return _reached(310, 270, bait["process"], None, 0, None, 0, 0)


@attack
def _(bait: Bait) -> object:
    """Follow another process as a debugger."""

    def follow() -> bool:
        _call(101 if _X86 else 117, 0x4206, bait["process"], None, None)  # PTRACE_SEIZE
        return True

    return _in_a_child(follow)


@attack
def _(bait: Bait) -> object:
    """Take an open file of another process."""
    place = os.pidfd_open(bait["process"])
    return _call(438, place, 1, 0)


@attack
def _(bait: Bait) -> object:
    """Send a signal to another process."""
    os.kill(bait["process"], 0)
    return True


@attack
def _(bait: Bait) -> object:
    """Send a signal to another run."""
    os.kill(bait["other_process"], 0)
    return True


@attack
def _(bait: Bait) -> object:
    """Send a signal to the gateway."""
    os.kill(bait["gateway"], 0)
    return True


@attack
def _(bait: Bait) -> object:
    """Hold another process by a descriptor."""
    os.close(os.pidfd_open(bait["process"]))
    return True


@attack
def _(bait: Bait) -> object:
    """Slow another process down."""
    os.setpriority(os.PRIO_PROCESS, bait["process"], 5)
    return True


@attack
def _(bait: Bait) -> object:
    """Tie another process to one processor."""
    os.sched_setaffinity(bait["process"], {min(os.sched_getaffinity(0))})
    return True


@attack
def _(bait: Bait) -> object:
    """Lower the limits of another process."""
    resource.prlimit(bait["process"], resource.RLIMIT_CORE, (0, 0))
    return True


@attack
def _(bait: Bait) -> object:
    """Have another process killed first when memory runs out."""
    with open(f"/proc/{bait['process']}/oom_score_adj", "w") as file:
        return file.write("900")


@attack
def _(bait: Bait) -> object:
    """Attach shared memory of the machine."""
    _libc.shmat.restype = ctypes.c_void_p
    found = _libc.shmat(bait["shared_memory"], None, 0o10000)
    return found not in (None, ctypes.c_void_p(-1).value)


@attack
def _(bait: Bait) -> object:
    """Open named shared memory of the machine."""
    return _text(bait["named_memory"])


# The network and other sockets.


@attack
def _(bait: Bait) -> object:
    """Connect to a service on this machine."""
    return _talk(socket.AF_INET, ("127.0.0.1", bait["port"]))


@attack
def _(bait: Bait) -> object:
    """Send a datagram to a service on this machine."""
    return _talk(socket.AF_INET, ("127.0.0.1", bait["datagram_port"]), socket.SOCK_DGRAM)


@attack
def _(bait: Bait) -> object:
    """Connect to a service of another run."""
    return _talk(socket.AF_INET, ("127.0.0.1", bait["other_port"]))


@attack
def _(bait: Bait) -> object:
    """Connect to a nameless socket of the machine."""
    return _talk(socket.AF_UNIX, "\0" + bait["abstract"])


@attack
def _(bait: Bait) -> object:
    """Connect to a nameless socket of another run."""
    return _talk(socket.AF_UNIX, "\0" + bait["other_abstract"])


@attack
def _(bait: Bait) -> object:
    """Connect to a socket in a folder of the account."""
    return _talk(socket.AF_UNIX, bait["socket"])


@attack
def _(bait: Bait) -> object:
    """Send a datagram to a socket in a folder of the account."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        return sending.sendto(b"?", bait["datagram_socket"])


@attack
def _(bait: Bait) -> object:
    """Send a datagram through a pair of sockets to somewhere else."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        return one.sendmsg([b"?"], [], 0, bait["datagram_socket"])


@attack
def _(bait: Bait) -> object:
    """Connect to a socket of another run."""
    return _talk(socket.AF_UNIX, f"{bait['other_folder']}/s")


@attack
def _(bait: Bait) -> object:
    """Connect to another run's kernel."""
    with socket.socket(socket.AF_UNIX) as talking:
        talking.settimeout(_SECONDS)
        talking.connect(bait["other_kernel"])
        return True


@attack
def _(bait: Bait) -> object:
    """Read another run's connection file."""
    return _text(bait["other_connection"])


@attack
def _(bait: Bait) -> object:
    """Send something to the internet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.connect(("192.0.2.1", 53))
        return sending.send(b"?")


@attack
def _(bait: Bait) -> object:
    """Send something to the internet by version 6."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sending:
        sending.connect(("2001:db8::1", 53))
        return sending.send(b"?")


@attack
def _(bait: Bait) -> object:
    """Look a name up."""
    return socket.getaddrinfo("example.com", 443)


@attack
def _(bait: Bait) -> object:
    """Read the addresses of the machine."""
    names = [name for _, name in socket.if_nameindex()]
    return sorted(set(names) - {"lo"})


@attack
def _(bait: Bait) -> object:
    """Read which connections the machine has."""
    with open("/proc/net/tcp") as listed:
        return f"{bait['port']:04X}" in listed.read()


@attack
def _(bait: Bait) -> object:
    """Take a port of the machine."""
    with socket.socket(socket.AF_INET) as taking:
        try:
            taking.bind(("127.0.0.1", bait["port"]))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


@attack
def _(bait: Bait) -> object:
    """Make packets by hand."""
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    return True


@attack
def _(bait: Bait) -> object:
    """Listen to packets on the wire."""
    socket.socket(17, socket.SOCK_RAW, 0x0300).close()
    return True


@attack
def _(bait: Bait) -> object:
    """Talk to the machine below this one."""
    socket.socket(40, socket.SOCK_STREAM).close()
    return True


@attack
def _(bait: Bait) -> object:
    """Use the kernel's cryptography."""
    socket.socket(38, socket.SOCK_SEQPACKET).close()
    return True


@attack
def _(bait: Bait) -> object:
    """Talk to the kernel's packet filter."""
    socket.socket(16, socket.SOCK_RAW, 12).close()
    return True


@attack
def _(bait: Bait) -> object:
    """Hear of the machine's devices."""
    socket.socket(16, socket.SOCK_RAW, 15).close()
    return True


@attack
def _(bait: Bait) -> object:
    """Make a socket of any other family."""
    made = []
    for family in range(3, 46):
        if family in (socket.AF_INET6, 16):
            continue
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            with contextlib.suppress(OSError):
                socket.socket(family, kind).close()
                made.append(family)
    return made


# The kernel and privileges.


@attack
def _(bait: Bait) -> object:
    """Hold a capability."""
    held = _text("/proc/self/status").partition("CapEff:")[2].split()[0]
    return int(held, 16)


@attack
def _(bait: Bait) -> object:
    """Gain privileges by a program that has them."""
    return _text("/proc/self/status").partition("NoNewPrivs:")[2].split()[0] == "0"


@attack
def _(bait: Bait) -> object:
    """Raise its own limits."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[0], before[1] + 1))
    return True


def _unshared(flags: int) -> bool:
    return _in_a_child(lambda: _call(272 if _X86 else 97, flags) == 0)


@attack
def _(bait: Bait) -> object:
    """Become root in a system of its own."""
    return _unshared(0x10000000)


@attack
def _(bait: Bait) -> object:
    """Make mounts of its own."""
    return _unshared(0x00020000)


@attack
def _(bait: Bait) -> object:
    """Make a network of its own."""
    return _unshared(0x40000000)


@attack
def _(bait: Bait) -> object:
    """Start a process as root in a system of its own."""

    def start() -> bool:
        flags = 0x10000000 | signal.SIGCHLD
        child = _call(56 if _X86 else 220, flags, None, None, None, None)
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return True

    return _in_a_child(start)


@attack
def _(bait: Bait) -> object:
    """Enter the system of another process."""

    def enter() -> bool:
        place = os.open(f"/proc/{bait['process']}/ns/uts", os.O_RDONLY)
        return _call(308 if _X86 else 268, place, 0) == 0

    return _in_a_child(enter)


@attack
def _(bait: Bait) -> object:
    """Enter the system of the first process."""

    def enter() -> bool:
        place = os.open("/proc/1/ns/mnt", os.O_RDONLY)
        return _call(308 if _X86 else 268, place, 0) == 0

    return _in_a_child(enter)


@attack
def _(bait: Bait) -> object:
    """Mount memory over a folder."""
    os.makedirs("mounted", exist_ok=True)
    _call(165 if _X86 else 40, b"none", b"mounted", b"tmpfs", ctypes.c_ulong(0), None)
    _call(166 if _X86 else 39, b"mounted", 2)
    return True


@attack
def _(bait: Bait) -> object:
    """Take a mount away to see what it covers."""
    return _reached(166, 39, b"/nowhere", 0)


@attack
def _(bait: Bait) -> object:
    """Mount in the newer way."""
    return _reached(428, 428, -1, b"/nowhere", 0) or _reached(430, 430, b"tmpfs", 0)


@attack
def _(bait: Bait) -> object:
    """Change what the root folder is."""
    return _reached(161, 51, b"/nowhere") or _reached(155, 41, b"/nowhere", b"/nowhere")


@attack
def _(bait: Bait) -> object:
    """Load a program into the kernel."""
    return _reached(321, 280, 0, None, 0)


@attack
def _(bait: Bait) -> object:
    """Measure the kernel."""
    return _reached(298, 241, None, 0, -1, -1, 0)


@attack
def _(bait: Bait) -> object:
    """Handle page faults of the kernel."""
    return _reached(323, 282, 0)


@attack
def _(bait: Bait) -> object:
    """Queue calls where no filter sees them."""
    return _reached(425, 425, 0, None)


@attack
def _(bait: Bait) -> object:
    """Read the kernel's keys."""
    return _reached(250, 219, 0, -3, 0, 0, 0)


@attack
def _(bait: Bait) -> object:
    """Load a module into the kernel."""
    return _reached(313, 273, -1, b"", 0)


@attack
def _(bait: Bait) -> object:
    """Start another kernel."""
    return _reached(246, 104, 0, 1 << 20, None, 0xFFFF0000)


@attack
def _(bait: Bait) -> object:
    """Restart the machine."""
    return _reached(169, 142, 0, 0, 0, None)


@attack
def _(bait: Bait) -> object:
    """Set the clock."""
    return _reached(227, 112, 0, None)


@attack
def _(bait: Bait) -> object:
    """Rename the machine."""
    name = socket.gethostname().encode()
    return _reached(170, 161, name, len(name))


@attack
def _(bait: Bait) -> object:
    """Swap memory to a file."""
    return _reached(167, 224, b"/nowhere", 0)


@attack
def _(bait: Bait) -> object:
    """Watch every file of the machine."""
    return _reached(300, 262, 0, 0)


@attack
def _(bait: Bait) -> object:
    """Type on somebody's terminal."""
    import fcntl
    import termios

    ours, theirs = os.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSTI, b"x")
    except OSError as error:
        return error.errno not in (*_REFUSED, errno.EIO)
    finally:
        os.close(ours)
        os.close(theirs)
    return True


@attack
def _(bait: Bait) -> object:
    """Switch the protection of addresses off."""

    def switch() -> bool:
        return _call(135 if _X86 else 92, 0x0040000) >= 0

    return _in_a_child(switch)


@attack
def _(bait: Bait) -> object:
    """Call the kernel as a program of another architecture."""
    if not _X86:
        return False
    import mmap

    def call() -> bool:
        code = bytes.fromhex("b814000000cd80c3")  # mov eax, 20 (getpid); int 0x80; ret
        place = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        place.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(place))
        return int(ctypes.CFUNCTYPE(ctypes.c_int)(address)()) > 0

    return _in_a_child(call)


# What it is given.


@attack
def _(bait: Bait) -> object:
    """Find a key or token in its environment."""
    return [name for name, value in os.environ.items() if bait["secret"] in value]


@attack
def _(bait: Bait) -> object:
    """Find a descriptor that somebody left open."""
    left = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{number}")
            outside = target.startswith("/") and not target.startswith(
                ("/dev/", "/proc/", "/memfd:")
            )
            if outside and not target.startswith(os.getcwd()):
                left.append(target)
    return left


@last_attack
def _(bait: Bait) -> object:
    """Make more processes than it may."""
    children: list[int] = []
    try:
        for _ in range(bait["processes"] + 40):
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
        time.sleep(_UNNOTICED_SECONDS)  # where nothing counts them at once, somebody looks
    except OSError:
        return False
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return True


@last_attack
def _(bait: Bait) -> object:
    """Fill the folder for temporary files."""
    folder = os.environ.get("TMPDIR", "/tmp")
    path, block = f"{folder}/filler", b"x" * (1 << 20)
    with open(path, "wb") as file:
        try:
            for _ in range((bait["scratch_bytes"] >> 20) + 2):
                file.write(block)
            file.flush()
        finally:
            os.unlink(path)
    return True


@attack
def _(bait: Bait) -> object:
    """Write a file larger than it may."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open("large", "wb") as file:
        try:
            os.truncate(file.fileno(), bait["file_bytes"] + 1)
        finally:
            os.unlink("large")
    return True


@last_attack
def _(bait: Bait) -> object:
    """Take more memory than it may."""
    return _in_a_child(lambda: bytearray(bait["memory_bytes"]))


@attack
def _(bait: Bait) -> object:
    """Leave a core of its memory on the disk."""
    return resource.getrlimit(resource.RLIMIT_CORE)[1]


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
