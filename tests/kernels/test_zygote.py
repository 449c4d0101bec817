"""The process of a template, from outside."""

import asyncio
import os
import sys

from workbench.kernels.zygote import Zygote

# A wall that is being put up is two processes, of which the second waits for the first.
HALF_A_WALL = """
import os, time
if os.fork() == 0:
    time.sleep(600)
time.sleep(600)
"""


def alive(group):
    """The processes of *group* that are there."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if os.getpgid(int(name)) == group:
                found.append(int(name))
        except ProcessLookupError:
            continue
    return found


def test_a_wall_that_is_killed_while_it_is_put_up_is_gone_as_a_whole():
    async def story():
        zygote = Zygote(
            lambda fd: [sys.executable, "-c", HALF_A_WALL, str(fd)], environment=dict(os.environ)
        )
        while len(alive(zygote.pid)) < 2:
            await asyncio.sleep(0)
        await zygote.close()
        async with asyncio.timeout(10):
            while alive(zygote.pid):
                await asyncio.sleep(0)

    asyncio.run(story())
