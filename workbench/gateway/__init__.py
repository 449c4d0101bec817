"""The HTTP face: a Kernel Gateway with our personality.

A request is read here into the arguments of one service call, and what comes back is written out
as the contract names it. Nothing is decided here that another face would have to decide again:
who may do what, what a run needs and what becomes of it are the services' business. Store, kernels
and notebook are never imported; what they refuse arrives as an error of `workbench.errors`.
"""

from __future__ import annotations

# First of all: Kernel Gateway imports nbformat, and only below the notebook floor is that cheap.
import workbench.app  # noqa: F401
