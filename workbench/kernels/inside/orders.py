"""What the workbench and a template say to each other: one JSON object to a datagram.

The workbench sends a template its `Recipe`, once, and then an `Order` for every kernel, with the
end of a channel of the kernel's own. On that channel its processes answer: `parted`, with the
pidfd of the namespace's first process; `born`, with the kernel's own; `ready`; or `failed` and
why. The kernel's own sockets are sent along too, listening already, so that it needs no folder for
them. The template itself says `prepared`, or why it is not, and of every namespace that it is
`gone`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from workbench.kernels.inside.confinement import Confinement

LONGEST = 256 * 1024
"""How many bytes a datagram may have."""

CHANNELS = ("shell", "iopub", "stdin", "control")
"""What a kernel is spoken to by, in the order in which their sockets are sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a template is to be.

    Attributes:
        environment: The whole environment of the kernels it forks.
        preload: Modules that are imported once for all of them, where they are installed.
        scratch: A folder that it may write to while it is prepared.
        path: Folders of packages, where it finds them.
    """

    environment: Mapping[str, str]
    preload: Sequence[str]
    scratch: str
    path: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A kernel that is asked for.

    Attributes:
        confinement: What it is held in.
        folder: Its current folder, as it sees it.
        key: What its messages are signed with.
        environment: What its environment has besides the template's.
        ports: The ports of its loopback that lead to the sockets sent along, in their order.
    """

    confinement: Confinement
    folder: str
    key: str
    environment: Mapping[str, str]
    ports: Sequence[int] = ()


def say(value: Recipe | Order | Mapping[str, object]) -> bytes:
    """*value* as a datagram."""
    return json.dumps(value if isinstance(value, Mapping) else asdict(value)).encode()


def recipe(datagram: bytes) -> Recipe:
    """The recipe that *datagram* is."""
    return Recipe(**json.loads(datagram))


def order(datagram: bytes) -> Order:
    """The order that *datagram* is."""
    said = json.loads(datagram)
    held = said.pop("confinement")
    held["hidden"] = tuple(held["hidden"])
    return Order(confinement=Confinement(**held), **said)
