"""The first thing that runs behind a wall: it confines itself and becomes the program.

    python -I -S behind.py CONFINEMENT -- PROGRAM ARGUMENTS…

What it gave up stays given up in the program and in whatever that starts.
"""

from __future__ import annotations

import json
import os
import sys
import types

_ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))


def _find_the_package() -> None:
    sys.path.append(_ROOT)
    # The floor above brings papermill along, which is not wanted here and may not even be there.
    floor = types.ModuleType("workbench.kernels")
    floor.__path__ = [os.path.join(_ROOT, "workbench", "kernels")]
    sys.modules[floor.__name__] = floor


def main() -> None:
    """Become the program."""
    words, program = sys.argv[1], sys.argv[3:]
    _find_the_package()
    from workbench.kernels.inside.confinement import Confinement, confine

    confine(Confinement(**json.loads(words)))
    os.execvp(program[0], program)


if __name__ == "__main__":
    main()
