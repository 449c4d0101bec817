"""The life of a gateway, from the opened home to the last answer."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from workbench.app import App
from workbench.domain.runs import Run
from workbench.errors import InvalidRequest
from workbench.gateway.application import WorkbenchGateway
from workbench.gateway.brokerage import Brokerage
from workbench.gateway.front import Front
from workbench.gateway.hub import Hub
from workbench.gateway.identity import Identity
from workbench.gateway.logs import speak, tell_of
from workbench.gateway.metering import Metering
from workbench.gateway.tls import shown
from workbench.services.executing import Watch
from workbench.services.lending import Door
from workbench.settings import Settings

log = logging.getLogger("workbench.gateway")

LAST_WORDS_SECONDS = 1.0
"""How long those may still be told who wait when all runs have ended."""

_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Opening(Protocol):
    """A way to open the app that is served."""

    def __call__(self, settings: Settings, *, door: Door | None, watch: Watch) -> Awaitable[App]:
        """The app, with the runs of an earlier life taken up; they ask models at *door*."""
        ...


def serve(settings: Settings, *, configuration: Path, opening: Opening = App.open) -> int:
    """Serve until a signal says to stop, or a second one says at once; 0 is a good end.

    *configuration* is the folder of our Jupyter configuration, *opening* what gives the app.

    Raises:
        InvalidRequest: The settings would open the gateway to others without TLS.
        HomeInUse: Another process owns the home.
        HomeUnreadable: What lies there is of a newer workbench, or none of ours.
        Unavailable: The port is not to be had.
    """
    for secret in ("WORKBENCH_TOKEN", "WORKBENCH_MASTER_KEY"):
        os.environ.pop(secret, None)
    asyncio.run(_serve(settings, configuration, opening))
    return 0


async def _serve(settings: Settings, configuration: Path, opening: Opening) -> None:
    gateway = WorkbenchGateway(settings, configuration=configuration)
    gateway.configure()
    speak(settings.log_format)
    check_reach(settings, tls=gateway.scheme == "https")
    metering = Metering()

    def moved(run: Run) -> None:
        metering.moved(run)
        tell_of(run)

    async with (
        _signals() as (stop, hurry),
        _brokerage() as brokerage,
        await opening(settings, door=brokerage.door, watch=moved) as app,
    ):
        metering.attach(app)
        identity = Identity(app.admitting, app.lending, hub=_hub(settings))
        front = Front(app=app, identity=identity, metering=metering)
        brokerage.serve(front)
        made = await app.admitting.welcome(settings.token)
        try:
            gateway.listen(front)
            url = f"{gateway.scheme}://{_spoken(settings.host)}:{gateway.port}"
            front.url = url
            app.store.home.announce(url, front.identity.local_token, shown(settings))
            _tell([f"token: {made}"] if made else [], f"gateway: {url}")
            await stop.wait()
            await _leave(app, front, hurry)
        finally:
            await gateway.close()


def check_reach(settings: Settings, *, tls: bool) -> None:
    """Refuse to talk to other machines in the clear.

    Raises:
        InvalidRequest: The host is not this machine's own and nothing encrypts.
    """
    if not (tls or settings.insecure_host or _is_loopback(settings.host)):
        raise InvalidRequest(
            f"--host {settings.host} is open to other machines, and without TLS every token can be"
            " read on the way. Name a certificate, or say --insecure-host if a proxy provides TLS.",
            setting="host",
        )


@asynccontextmanager
async def _signals() -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
    """Two events: somebody asked to stop, and somebody asked again."""
    stop, hurry = asyncio.Event(), asyncio.Event()

    def asked() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in _STOPS:
        loop.add_signal_handler(number, asked)
    try:
        yield stop, hurry
    finally:
        for number in _STOPS:
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _brokerage() -> AsyncIterator[Brokerage]:
    """Where runs ask for models, until the last of them has ended."""
    brokerage = Brokerage()
    try:
        yield brokerage
    finally:
        await brokerage.close()


async def _leave(app: App, front: Front, hurry: asyncio.Event) -> None:
    """Take no more runs, let those under way end, tell everybody how it went."""
    log.warning("stopping: %d runs are under way", app.dispatching.running)
    draining = asyncio.ensure_future(app.dispatching.drain(app.settings.drain_seconds))
    hurried = asyncio.ensure_future(hurry.wait())
    await asyncio.wait({draining, hurried}, return_when=asyncio.FIRST_COMPLETED)
    if hurry.is_set():
        await app.dispatching.stop()
    hurried.cancel()
    await draining
    if not await front.empty(seconds=LAST_WORDS_SECONDS):
        front.dismiss()
        await front.empty(seconds=LAST_WORDS_SECONDS)


def _hub(settings: Settings) -> Hub | None:
    return Hub(settings.hub_url, service=settings.hub_service) if settings.hub_url else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _spoken(host: str) -> str:
    """*host* as it stands in an address that this machine can call."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "127.0.0.1"
    if address.is_unspecified:
        return "127.0.0.1"
    return f"[{host}]" if address.version == 6 else host


def _tell(before: list[str], line: str) -> None:
    sys.stdout.write("".join(f"{text}\n" for text in (*before, line)))
    sys.stdout.flush()
