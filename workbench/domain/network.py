"""What a run may reach: nothing, some hosts by name, or whatever its machine reaches."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from workbench.errors import InvalidRequest


class Network(StrEnum):
    """How far a run reaches, from nothing on."""

    NONE = "none"
    ALLOW_LIST = "allow-list"
    OPEN = "open"

    def within(self, most: Network) -> bool:
        """Whether an agent may have it where *most* is the most that any may have."""
        return _ORDER.index(self) <= _ORDER.index(most)


_ORDER = (Network.NONE, Network.ALLOW_LIST, Network.OPEN)

WEB_PORTS = frozenset({80, 443})
"""The ports of a host that is named without one."""

MAX_HOSTS = 50
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?P<host>{_LABEL}(\.{_LABEL})*)(:(?P<port>[0-9]{{1,5}}))?")

# Addresses of IPv6 that stand for one of IPv4, which may be anybody's.
_CARRIERS = tuple(
    ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host that may be reached, and on which ports.

    Attributes:
        name: In lower case, without a dot at its end.
        ports: 80 and 443, unless another one was named.
    """

    name: str
    ports: frozenset[int] = field(default=WEB_PORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What one run may reach.

    Attributes:
        network: How far.
        hosts: What of it, if that is an allow-list.
    """

    network: Network = Network.NONE
    hosts: tuple[Host, ...] = ()


NOWHERE = Reach()


def read_host(text: str) -> Host:
    """The host that `name` or `name:port` names; an IPv4 address is a name too.

    Raises:
        InvalidRequest: It names none, or a pattern, a scheme or a path.
    """
    found = _HOST.fullmatch(text.strip().lower())
    if found is None or len(found["host"]) > 253:
        raise InvalidRequest(
            f"{text!r:.100} is no host: write a name such as api.example.org,"
            " or with a port api.example.org:8443.",
            host=text[:100],
        )
    if found["port"] is None:
        return Host(name=found["host"])
    port = int(found["port"])
    if not 0 < port < 65_536:
        raise InvalidRequest(f"{port} is no port.", host=text[:100])
    return Host(name=found["host"], ports=frozenset({port}))


def allows(hosts: Iterable[Host], name: str, port: int) -> bool:
    """Whether one of *hosts* is the one called *name*, and *port* is one of its ports."""
    plain = name.lower().removesuffix(".")
    return any(host.name == plain and port in host.ports for host in hosts)


def is_public(address: str) -> bool:
    """Whether *address* is one of the internet's: no loopback, private, link-local or other."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.is_site_local or any(ip in carrier for carrier in _CARRIERS):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def read_hosts(texts: Sequence[str]) -> tuple[Host, ...]:
    """The hosts that *texts* name, in order.

    Raises:
        InvalidRequest: One names none.
    """
    return tuple(map(read_host, texts))
