"""From what a run is allowed to what it is held to, in the words of each wall."""

from __future__ import annotations

import math
from collections.abc import Mapping

from workbench.domain.isolation import Isolation
from workbench.domain.limits import BOUNDLESS_BYTES, Limits
from workbench.kernels.inside.confinement import Confinement

_LAST_SECONDS = 1
"""How much later the kernel ends a run for its processor time than we do, who say why."""


def confinement_of(
    limits: Limits, *, level: Isolation, network: bool = False, own: bool = True
) -> Confinement:
    """What the kernel of a run with *limits* is held to at *level*.

    Only Python kernels of our *own* are bounded in what they map: other languages reserve
    address space by the terabyte and use none of it.
    """
    endless = math.isinf(limits.cpu_seconds)
    return Confinement(
        level=level.value,
        network=network,
        memory_bytes=_bounded(limits.memory_bytes),
        address_bytes=Confinement().address_bytes if own else 0,
        processes=limits.processes,
        open_files=limits.open_files,
        file_bytes=_bounded(limits.file_bytes),
        cpu_seconds=0 if endless else math.ceil(limits.cpu_seconds) + _LAST_SECONDS,
        scratch_bytes=_bounded(limits.scratch_bytes),
        shared_memory_bytes=_bounded(limits.shared_memory_bytes),
    )


def _bounded(size: int) -> int:
    return 0 if size >= BOUNDLESS_BYTES else size


def seen_inside(environment: Mapping[str, str], *, work: str) -> dict[str, str]:
    """*environment* for who finds the working folder at *work* and everything else in memory."""
    own = {"HOME": work, "TMPDIR": "/tmp", "IPYTHONDIR": "/tmp/.ipython"}
    return with_own_cache({**environment, **own, "USER": "agent", "LOGNAME": "agent"})


def with_own_cache(environment: Mapping[str, str]) -> dict[str, str]:
    """*environment* with a cache that no other run reads or writes."""
    cache = f"{environment['TMPDIR']}/.cache"
    return {**environment, "XDG_CACHE_HOME": cache, "MPLCONFIGDIR": f"{cache}/matplotlib"}
