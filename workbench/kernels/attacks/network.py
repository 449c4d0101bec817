"""Attacks by sockets: on this machine's services, on other runs, on the network, by any family."""

from __future__ import annotations

import contextlib
import errno
import socket

from workbench.kernels.attacks.means import SECONDS, Bait, attack, makes, read, talk


@attack
def _(bait: Bait) -> object:
    """Connect to a service on this machine."""
    return talk(socket.AF_INET, ("127.0.0.1", bait["port"]))


@attack
def _(bait: Bait) -> object:
    """Send a datagram to a service on this machine."""
    return talk(socket.AF_INET, ("127.0.0.1", bait["datagram_port"]), socket.SOCK_DGRAM)


@attack
def _(bait: Bait) -> object:
    """Connect to a service of another run."""
    return talk(socket.AF_INET, ("127.0.0.1", bait["other_port"]))


@attack
def _(bait: Bait) -> object:
    """Connect to a nameless socket of the machine."""
    return talk(socket.AF_UNIX, "\0" + bait["abstract"])


@attack
def _(bait: Bait) -> object:
    """Connect to a nameless socket of another run."""
    return talk(socket.AF_UNIX, "\0" + bait["other_abstract"])


@attack
def _(bait: Bait) -> object:
    """Connect to a socket in a folder of the account."""
    return talk(socket.AF_UNIX, bait["socket"])


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
    return talk(socket.AF_UNIX, f"{bait['other_folder']}/s")


@attack
def _(bait: Bait) -> object:
    """Connect to another run's kernel."""
    with socket.socket(socket.AF_UNIX) as talking:
        talking.settimeout(SECONDS)
        talking.connect(bait["other_kernel"])
        return True


@attack
def _(bait: Bait) -> object:
    """Read another run's connection file."""
    return read(bait["other_connection"])


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
    return makes(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


@attack
def _(bait: Bait) -> object:
    """Listen to packets on the wire."""
    return makes(17, socket.SOCK_RAW, 0x0300)


@attack
def _(bait: Bait) -> object:
    """Talk to the machine below this one."""
    return makes(40, socket.SOCK_STREAM)


@attack
def _(bait: Bait) -> object:
    """Use the kernel's cryptography."""
    return makes(38, socket.SOCK_SEQPACKET)


@attack
def _(bait: Bait) -> object:
    """Talk to the kernel's packet filter."""
    return makes(16, socket.SOCK_RAW, 12)


@attack
def _(bait: Bait) -> object:
    """Hear of the machine's devices."""
    return makes(16, socket.SOCK_RAW, 15)


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
