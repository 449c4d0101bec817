"""What ends a run at once, whatever its cells are doing."""

from __future__ import annotations

from workbench.domain.runs import Reason


class Fault(Exception):
    """The run cannot go on; `str(fault)` is for people."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def broken(what: str) -> Fault:
    """The fault of a kernel that breaks the Jupyter protocol by *what*."""
    return Fault(Reason.KERNEL_PROTOCOL, f"The kernel broke the Jupyter protocol: {what}.")
