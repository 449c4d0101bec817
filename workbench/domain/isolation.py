"""How far a run is kept apart from everything else."""

from __future__ import annotations

from enum import StrEnum


class Isolation(StrEnum):
    """A level of isolation; each keeps away all that the one before it does, and more.

    Attributes:
        NONE: A process and a folder of its own; it reaches whatever the account reaches.
        LANDLOCK: Files, network and signals are refused by the kernel, in the same system.
        NAMESPACES: A system of its own: no other process, no network, none of the user's files.
        NAMESPACES_CGROUP: The same, and memory and processes counted for the run as a whole.
    """

    NONE = "none"
    LANDLOCK = "landlock"
    NAMESPACES = "namespaces"
    NAMESPACES_CGROUP = "namespaces+cgroup"

    @property
    def height(self) -> int:
        """Its place among the levels, the weakest being 0."""
        return tuple(Isolation).index(self)

    def meets(self, least: Isolation) -> bool:
        """Whether it is at least *least*."""
        return self.height >= least.height

    @property
    def has_namespaces(self) -> bool:
        """Whether a run has a system of its own."""
        return self.meets(Isolation.NAMESPACES)
