"""Which kernels a machine and a level give."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.domain.isolation import Isolation
from workbench.kernels import KernelSource
from workbench.kernels.cgroups import Cgroups
from workbench.kernels.environment import apart
from workbench.kernels.forked import ForkedKernels
from workbench.kernels.grouped import GroupedKernels
from workbench.kernels.ordinary import OrdinaryKernels
from workbench.kernels.places import Places
from workbench.kernels.walls import Wall


def kernels_behind(
    wall: Wall,
    *,
    work: Path,
    cache: Path,
    inherited: Mapping[str, str] = os.environ,
    preload: Sequence[str] = (),
    cgroups: Cgroups | None = None,
) -> KernelSource:
    """Kernels behind *wall*: forked where that is possible, ordinary ones elsewhere.

    Their folders are made below *work*; *cache* keeps what may be found out once for all of them,
    and *preload* names modules that are imported once for all. With *cgroups* each has a group.
    """
    housing = apart(work=work, cache=cache, inherited=inherited)
    ordinary = OrdinaryKernels(housing=housing, wall=wall)
    kernels: KernelSource = ordinary
    if can_fork() and wall.level is not Isolation.NONE:
        places = Places(wall=wall, work=work, cache=cache, inherited=inherited)
        kernels = ForkedKernels(places=places, others=ordinary, preload=preload)
    return kernels if cgroups is None else GroupedKernels(kernels, cgroups)


def can_fork() -> bool:
    """Whether a prepared Python can be forked here, and its forks be told apart from others."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")
