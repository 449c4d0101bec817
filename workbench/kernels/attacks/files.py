"""Attacks on files: of the account, of the workbench and other runs, and of the system."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys

from workbench.kernels.attacks.means import X86, Bait, attack, call, opens, plants, read

# Files of the account.


@attack
def _(bait: Bait) -> object:
    """List the home folder."""
    return os.listdir(bait["home"])


@attack
def _(bait: Bait) -> object:
    """Read a private key in the home folder."""
    return read(f"{bait['home']}/.ssh/id_ed25519")


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
        return read("innocent")
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
    return read(way)


@attack
def _(bait: Bait) -> object:
    """Read a private key through the root of process 1."""
    return read(f"/proc/1/root{bait['home']}/.ssh/id_ed25519")


@attack
def _(bait: Bait) -> object:
    """Open a file by its handle, past all paths."""
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0) + b"\0" * 128)
    mount = ctypes.c_int()
    call(303 if X86 else 264, -100, b"/usr", handle, ctypes.byref(mount), 0)
    place = os.open("/", os.O_RDONLY)
    return call(304 if X86 else 265, place, handle, os.O_RDONLY)


# Files of the workbench.


@attack
def _(bait: Bait) -> object:
    """Read the journal of the workbench."""
    return read(bait["journal"])


@attack
def _(bait: Bait) -> object:
    """Write into the journal of the workbench."""
    with open(bait["journal"], "a") as file:
        return file.write("{}")


@attack
def _(bait: Bait) -> object:
    """Read the index of the workbench."""
    return read(bait["index"])


@attack
def _(bait: Bait) -> object:
    """Read somebody's notebook among the objects."""
    return read(bait["object"])


@attack
def _(bait: Bait) -> object:
    """Read the gateway's own token."""
    return read(bait["token"])


@attack
def _(bait: Bait) -> object:
    """List the folders of all runs."""
    return [name for name in os.listdir(bait["runs"]) if not os.getcwd().startswith(name)]


@attack
def _(bait: Bait) -> object:
    """Read what another run has in its working folder."""
    return read(f"{bait['other_folder']}/secret.txt")


@attack
def _(bait: Bait) -> object:
    """Write into another run's working folder."""
    with open(f"{bait['other_folder']}/planted.txt", "w") as file:
        return file.write("malice")


@attack
def _(bait: Bait) -> object:
    """Change the workbench's own code."""
    return opens(str(sys.modules["workbench"].__file__), os.O_WRONLY | os.O_APPEND)


@attack
def _(bait: Bait) -> object:
    """Add to the installed packages."""
    return plants(f"{os.path.dirname(os.path.dirname(os.__file__))}/malice.pth")


# Files of the system.


@attack
def _(bait: Bait) -> object:
    """Read the passwords of the system."""
    return read("/etc/shadow")


@attack
def _(bait: Bait) -> object:
    """Read who has an account."""
    return bait["account"] in read("/etc/passwd")


@attack
def _(bait: Bait) -> object:
    """Write into a folder of programs."""
    return plants("/usr/local/bin/malice")


@attack
def _(bait: Bait) -> object:
    """Write into the configuration of the system."""
    return plants("/etc/malice.conf")


@attack
def _(bait: Bait) -> object:
    """Read what others keep in the folder for temporary files."""
    return read(bait["temporary"])


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
    return opens("/dev/mem", os.O_RDONLY)


@attack
def _(bait: Bait) -> object:
    """Read the log of the kernel."""
    size = 1 << 12
    return call(103 if X86 else 116, 3, ctypes.create_string_buffer(size), size)


@attack
def _(bait: Bait) -> object:
    """Set which program handles crashes of others."""
    return opens("/proc/sys/kernel/core_pattern", os.O_WRONLY)


@attack
def _(bait: Bait) -> object:
    """Press the machine's emergency keys."""
    return opens("/proc/sysrq-trigger", os.O_WRONLY)


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
