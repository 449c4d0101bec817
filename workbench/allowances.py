"""What the administrator allows runs and agents, as the settings say it."""

from __future__ import annotations

from workbench.domain.caps import Caps
from workbench.domain.isolation import Isolation, Protection
from workbench.domain.limits import Limits
from workbench.domain.network import Network
from workbench.kernels.ground import Ground
from workbench.settings import Settings


def limits_of(settings: Settings) -> Limits:
    """The budgets of a run, as the administrator has set them."""
    return Limits(
        seconds=settings.run_seconds,
        cpu_seconds=settings.cpu_seconds,
        memory_bytes=settings.memory_bytes,
        processes=settings.processes,
        open_files=settings.open_files,
        file_bytes=settings.file_bytes,
        folder_bytes=settings.folder_bytes,
        output_bytes=settings.output_bytes,
        kept_output_bytes=min(settings.output_bytes, Limits().kept_output_bytes),
        result_bytes=settings.result_bytes,
    )


def caps_of(settings: Settings) -> Caps:
    """The most that agents may ask for, as the administrator has set it."""
    most = Limits(
        seconds=settings.longest_run_seconds,
        cpu_seconds=settings.most_cpu_seconds,
        memory_bytes=settings.most_memory_bytes,
        processes=settings.most_processes,
        open_files=settings.most_open_files,
        file_bytes=settings.most_file_bytes,
        folder_bytes=settings.most_folder_bytes,
        scratch_bytes=settings.most_memory_bytes,
        shared_memory_bytes=settings.most_memory_bytes,
        output_bytes=settings.most_output_bytes,
        result_bytes=settings.most_result_bytes,
    )
    default = limits_of(settings)
    reach = Network(settings.network)
    return Caps(limits=most.at_least(default), network=reach, shell=settings.shell)


def protection_of(settings: Settings, ground: Ground) -> Protection:
    """What runs get on *ground*, and what the administrator asks for."""
    return Protection(
        level=None if ground.wall is None else ground.wall.level,
        minimum=Isolation(settings.isolation_minimum),
        cure=ground.cure,
    )
