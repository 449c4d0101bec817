"""A real gateway whose runs do nothing but leave a mark.

    python -m tests.faults.serving --port N --home HOME --marks FOLDER [--kill POINT NTH]
                                   [--seconds S]

At the NTH passing of POINT it kills itself. A run takes at most twice S, by chance.
"""

import argparse
import os
import signal
from pathlib import Path

from tests.faults.marking import open_marking
from workbench.cli.shipped import shipped
from workbench.gateway.server import serve
from workbench.settings import read


def main():
    reader = argparse.ArgumentParser()
    reader.add_argument("--port", type=int)
    reader.add_argument("--home", type=Path)
    reader.add_argument("--marks", type=Path)
    reader.add_argument("--seconds", type=float, default=0.01)
    reader.add_argument("--kill", nargs=2, default=("", "0"))
    asked = reader.parse_args()
    what, left = asked.kill[0], int(asked.kill[1])

    def at(point):
        nonlocal left
        if point == what:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    async def opening(settings, *, door, watch):
        return await open_marking(settings, asked.marks, at=at, seconds=asked.seconds, watch=watch)

    settings = read(os.environ, home=asked.home, port=asked.port)
    return serve(settings, configuration=shipped("server_config"), opening=opening)


if __name__ == "__main__":
    raise SystemExit(main())
