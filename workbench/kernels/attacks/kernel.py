"""Attacks on the system's kernel: for privileges, systems of one's own, and calls no agent needs."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import socket
import termios

from workbench.kernels.attacks.means import (
    REFUSED,
    X86,
    Bait,
    attack,
    call,
    in_a_child,
    reached,
    read,
)


@attack
def _(bait: Bait) -> object:
    """Hold a capability."""
    held = read("/proc/self/status").partition("CapEff:")[2].split()[0]
    return int(held, 16)


@attack
def _(bait: Bait) -> object:
    """Gain privileges by a program that has them."""
    return read("/proc/self/status").partition("NoNewPrivs:")[2].split()[0] == "0"


@attack
def _(bait: Bait) -> object:
    """Raise its own limits."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[0], before[1] + 1))
    return True


def _unshared(flags: int) -> bool:
    return in_a_child(lambda: call(272 if X86 else 97, flags) == 0)


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
        child = call(56 if X86 else 220, flags, None, None, None, None)
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return True

    return in_a_child(start)


@attack
def _(bait: Bait) -> object:
    """Enter the system of another process."""

    def enter() -> bool:
        place = os.open(f"/proc/{bait['process']}/ns/uts", os.O_RDONLY)
        return call(308 if X86 else 268, place, 0) == 0

    return in_a_child(enter)


@attack
def _(bait: Bait) -> object:
    """Enter the system of the first process."""

    def enter() -> bool:
        place = os.open("/proc/1/ns/mnt", os.O_RDONLY)
        return call(308 if X86 else 268, place, 0) == 0

    return in_a_child(enter)


@attack
def _(bait: Bait) -> object:
    """Mount memory over a folder."""
    os.makedirs("mounted", exist_ok=True)
    call(165 if X86 else 40, b"none", b"mounted", b"tmpfs", ctypes.c_ulong(0), None)
    call(166 if X86 else 39, b"mounted", 2)
    return True


@attack
def _(bait: Bait) -> object:
    """Take a mount away to see what it covers."""
    return reached(166, 39, b"/nowhere", 0)


@attack
def _(bait: Bait) -> object:
    """Mount in the newer way."""
    return reached(428, 428, -1, b"/nowhere", 0) or reached(430, 430, b"tmpfs", 0)


@attack
def _(bait: Bait) -> object:
    """Change what the root folder is."""
    return reached(161, 51, b"/nowhere") or reached(155, 41, b"/nowhere", b"/nowhere")


@attack
def _(bait: Bait) -> object:
    """Load a program into the kernel."""
    return reached(321, 280, 0, None, 0)


@attack
def _(bait: Bait) -> object:
    """Measure the kernel."""
    return reached(298, 241, None, 0, -1, -1, 0)


@attack
def _(bait: Bait) -> object:
    """Handle page faults of the kernel."""
    return reached(323, 282, 0)


@attack
def _(bait: Bait) -> object:
    """Queue calls where no filter sees them."""
    return reached(425, 425, 0, None)


@attack
def _(bait: Bait) -> object:
    """Read the kernel's keys."""
    return reached(250, 219, 0, -3, 0, 0, 0)


@attack
def _(bait: Bait) -> object:
    """Load a module into the kernel."""
    return reached(313, 273, -1, b"", 0)


@attack
def _(bait: Bait) -> object:
    """Start another kernel."""
    return reached(246, 104, 0, 1 << 20, None, 0xFFFF0000)


@attack
def _(bait: Bait) -> object:
    """Restart the machine."""
    return reached(169, 142, 0, 0, 0, None)


@attack
def _(bait: Bait) -> object:
    """Set the clock."""
    return reached(227, 112, 0, None)


@attack
def _(bait: Bait) -> object:
    """Rename the machine."""
    name = socket.gethostname().encode()
    return reached(170, 161, name, len(name))


@attack
def _(bait: Bait) -> object:
    """Swap memory to a file."""
    return reached(167, 224, b"/nowhere", 0)


@attack
def _(bait: Bait) -> object:
    """Watch every file of the machine."""
    return reached(300, 262, 0, 0)


@attack
def _(bait: Bait) -> object:
    """Type on somebody's terminal."""
    ours, theirs = os.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSTI, b"x")
    except OSError as error:
        return error.errno not in (*REFUSED, errno.EIO)
    finally:
        os.close(ours)
        os.close(theirs)
    return True


@attack
def _(bait: Bait) -> object:
    """Switch the protection of addresses off."""

    def switch() -> bool:
        return call(135 if X86 else 92, 0x0040000) >= 0

    return in_a_child(switch)


@attack
def _(bait: Bait) -> object:
    """Call the kernel as a program of another architecture."""
    if not X86:
        return False

    def by_interrupt() -> bool:
        code = bytes.fromhex("b814000000cd80c3")  # mov eax, 20 (getpid); int 0x80; ret
        place = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        place.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(place))
        return int(ctypes.CFUNCTYPE(ctypes.c_int)(address)()) > 0

    return in_a_child(by_interrupt)
