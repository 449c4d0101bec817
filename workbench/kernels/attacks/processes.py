"""Attacks on other processes: to see, read, lead, slow or end them, and on memory they share."""

from __future__ import annotations

import ctypes
import os
import resource

from workbench.kernels.attacks.means import (
    X86,
    Bait,
    attack,
    call,
    in_a_child,
    libc,
    opens,
    reached,
    read,
)


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
    return bait["marker"] in read(f"/proc/{bait['process']}/cmdline")


@attack
def _(bait: Bait) -> object:
    """Read the environment of another process."""
    return bait["secret"] in read(f"/proc/{bait['process']}/environ")


@attack
def _(bait: Bait) -> object:
    """Read the environment of the gateway."""
    return read(f"/proc/{bait['gateway']}/environ")


@attack
def _(bait: Bait) -> object:
    """Read the environment of another run."""
    return read(f"/proc/{bait['other_process']}/environ")


@attack
def _(bait: Bait) -> object:
    """Reach another run's folder through its process."""
    return os.listdir(f"/proc/{bait['other_process']}/cwd/")


@attack
def _(bait: Bait) -> object:
    """Read the environment of the first process of its own system."""
    if os.getpid() == 1:
        return False
    return read("/proc/1/environ")


@attack
def _(bait: Bait) -> object:
    """Reach the open files of the gateway."""
    return os.listdir(f"/proc/{bait['gateway']}/fd")


@attack
def _(bait: Bait) -> object:
    """Read the memory of another process as a file."""
    return opens(f"/proc/{bait['process']}/mem", os.O_RDWR)


@attack
def _(bait: Bait) -> object:
    """Read the memory of another process by a call."""
    return reached(310, 270, bait["process"], None, 0, None, 0, 0)


@attack
def _(bait: Bait) -> object:
    """Follow another process as a debugger."""

    def follow() -> bool:
        call(101 if X86 else 117, 0x4206, bait["process"], None, None)  # PTRACE_SEIZE
        return True

    return in_a_child(follow)


@attack
def _(bait: Bait) -> object:
    """Take an open file of another process."""
    place = os.pidfd_open(bait["process"])
    return call(438, place, 1, 0)


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
    libc.shmat.restype = ctypes.c_void_p
    found = libc.shmat(bait["shared_memory"], None, 0o10000)
    return found not in (None, ctypes.c_void_p(-1).value)


@attack
def _(bait: Bait) -> object:
    """Open named shared memory of the machine."""
    return read(bait["named_memory"])
