"""The templates of one environment: the one that is asked, and those that are only waited for.

A template that has died is replaced when the next kernel is asked for. One whose environment has
changed since is replaced at once and let go when the last of its kernels has ended. The first of
all is there in the time that ipykernel's import takes; one that has imported more, which may take
ten times as long, replaces it as soon as it is ready.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import KernelLost
from workbench.kernels.environments import Interpreter
from workbench.kernels.inside.orders import Recipe
from workbench.kernels.zygote import Launch, Zygote

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How templates of one environment are made.

    Attributes:
        interpreter: The Python.
        launch: The command that starts one.
        environment: The environment it is started in.
        recipe: What it is told to be.
    """

    interpreter: Interpreter
    launch: Launch
    environment: Mapping[str, str]
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Template:
    """One template, and the packages it was made from."""

    zygote: Zygote
    packages: object


class Templates:
    """The templates of one environment.

    Attributes:
        walled: Whether each of their kernels has a system of its own, which ends as a whole.
    """

    def __init__(
        self, making: Making, *, walled: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.walled = walled
        self._making = making
        self._clock = clock
        self._template: Template | None = None
        self._booting: asyncio.Task[Template] | None = None
        self._doing: set[asyncio.Task[None]] = set()
        self._alive: set[Zygote] = set()
        self._used_at = clock()

    @property
    def idle_seconds(self) -> float:
        """How long nothing was asked of it and none of its kernels lives; 0 if one does."""
        zygote = self._template.zygote if self._template else None
        if self._booting or self._doing or (zygote and zygote.children):
            return 0.0
        return self._clock() - self._used_at

    def is_current(self, template: Template) -> bool:
        """Whether *template* is what a new kernel would be forked from."""
        return (
            template is self._template
            and not template.zygote.dead.done()
            and template.packages == self._making.interpreter.packages
        )

    async def current(self) -> Template:
        """The template that new kernels are forked from.

        Raises:
            KernelLost: There is none, and none can be started.
        """
        self._used_at = self._clock()
        if self._template is not None and self.is_current(self._template):
            return self._template
        if self._booting is None:
            self._booting = asyncio.ensure_future(self._boot())
            self._booting.add_done_callback(self._booted)
        return await asyncio.shield(self._booting)

    def _booted(self, task: asyncio.Task[Template]) -> None:
        self._booting = None
        if not task.cancelled():
            task.exception()  # whoever asked has been told

    async def _boot(self) -> Template:
        self._retire()
        recipe = self._making.recipe
        self._template = await self._made(replace(recipe, preload=()))
        if recipe.preload:
            self._do(self._improve(self._template, recipe))
        return self._template

    async def _improve(self, template: Template, recipe: Recipe) -> None:
        try:
            better = await self._made(recipe)
        except KernelLost as error:
            _log.warning("Kernels have to import everything themselves: %s", error)
            return
        if self._template is template:
            self._retire()
            self._template = better
        else:
            await asyncio.shield(better.zygote.close())

    async def _made(self, recipe: Recipe) -> Template:
        packages = self._making.interpreter.packages
        try:
            zygote = Zygote(self._making.launch, environment=self._making.environment)
        except OSError as error:
            raise KernelLost(f"No kernels can be forked: {error}.") from None
        self._alive.add(zygote)
        zygote.dead.add_done_callback(lambda _: self._alive.discard(zygote))
        try:
            await zygote.boot(recipe)
        except BaseException:
            await asyncio.shield(zygote.close())
            raise
        return Template(zygote, packages)

    def _retire(self) -> None:
        if self._template is None:
            return
        zygote, self._template = self._template.zygote, None
        if zygote.dead.done():
            _log.warning("The template of kernels died and is replaced: %s", zygote.dead.result())
            return
        self._do(_see_out(zygote))

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    async def close(self) -> None:
        """End them, and whatever they have forked."""
        tasks: set[asyncio.Task[Any]] = {*self._doing}
        if self._booting is not None:
            tasks.add(self._booting)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._template = None
        for zygote in list(self._alive):
            await zygote.close()


async def _see_out(zygote: Zygote) -> None:
    await zygote.childless()
    await zygote.close()
