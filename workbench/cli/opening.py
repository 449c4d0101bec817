"""Opening the desk of a home: the gateway's if one owns it, else our own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from workbench import settings as settings_module
from workbench.cli.desk import Desk
from workbench.client.finding import gateway_of
from workbench.settings import Settings


def read_settings(home: Path | None, **given: object) -> Settings:
    """The settings in force for a command.

    Raises:
        InvalidRequest: One of them makes no sense.
    """
    return settings_module.read(os.environ, home=home, **given)


@contextmanager
def desk(home: Path | None) -> Iterator[Desk]:
    """The desk of *home* for the length of a command.

    Raises:
        HomeInUse: A process that is no gateway owns the home, or one that is just starting.
    """
    settings = read_settings(home)
    found = _at(settings)
    try:
        yield found
    finally:
        found.close()


def _at(settings: Settings) -> Desk:
    gateway = gateway_of(settings.home)
    # Weight: only one of the two is needed, and one of them is the whole workbench.
    if gateway is not None:
        from workbench.cli.remote_desk import RemoteDesk

        return RemoteDesk(gateway)
    from workbench.cli.local_desk import LocalDesk

    # A command uses one kernel at most and should not start others for nobody.
    return LocalDesk(replace(settings, ready_kernels=0, most_ready_kernels=0, preload=()))
