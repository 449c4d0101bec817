"""How far a run is kept apart from everything else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workbench.errors import Unavailable


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What runs get here, and the least that the administrator lets them begin with.

    Attributes:
        level: How far they are kept apart; None if this machine gives nothing that was asked for.
        minimum: What no run may have less of.
        cure: What would make it more.
    """

    level: Isolation | None
    minimum: Isolation = Isolation.NONE
    cure: str = ""

    def check(self, least: str = "") -> None:
        """Make sure that a run may begin which needs *least*, or nothing in particular.

        Raises:
            Unavailable: It gets less here; the message says what to do.
        """
        if self.level is None:
            raise Unavailable(
                f"Agents' code is not run here, because nothing would contain it. {self.cure}"
                " Where everybody who writes agents is trusted: set isolation to none.".lstrip(),
                isolation=None,
            )
        needed = max(self.minimum, Isolation(least or self.minimum), key=lambda it: it.height)
        if not self.level.meets(needed):
            whose = "This agent" if needed is not self.minimum else "Every run here"
            raise Unavailable(
                f"{whose} needs isolation {needed}, and this machine gives {self.level}."
                f" {self.cure or 'The setting isolation says no more.'}",
                isolation=str(self.level),
                isolation_needed=str(needed),
            )
