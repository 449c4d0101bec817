"""Attacks on what a run is given: a secret or a descriptor left in it, and more than it may have."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time

from workbench.kernels.attacks.means import Bait, attack, in_a_child, last_attack

_UNNOTICED_SECONDS = 8.0


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
    return in_a_child(lambda: bytearray(bait["memory_bytes"]))


@attack
def _(bait: Bait) -> object:
    """Leave a core of its memory on the disk."""
    return resource.getrlimit(resource.RLIMIT_CORE)[1]
