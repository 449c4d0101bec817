"""Where a kernel lives: its folders, and what it finds in its environment.

A kernel that is put up `apart` inherits nothing but what is listed here. The gateway's environment
holds its administrator's token and the keys of model providers, and agents' code reads
`os.environ` like anything else. One that runs `at_home` has what its user has, as under papermill.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.kernels.removal import remove

INHERITED = frozenset(
    {
        "PATH",
        "LANG",
        "LANGUAGE",
        "TZ",
        "LD_LIBRARY_PATH",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "CONDA_PREFIX",
        "VIRTUAL_ENV",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
    }
)
"""Names whose values describe the machine and not its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Where one kernel lives.

    Attributes:
        folder: Its current folder.
        environment: Its whole environment.
        root: What is removed when it has gone; None if nothing is.
    """

    folder: Path
    environment: Mapping[str, str]
    root: Path | None

    def clear(self) -> None:
        """Remove what was made for the kernel, as far as that is possible."""
        if self.root is not None:
            remove(self.root)


Housing = Callable[[], House]


def needful(inherited: Mapping[str, str]) -> dict[str, str]:
    """What of *inherited* a kernel needs that must not have all of it."""
    kept = {k: v for k, v in inherited.items() if k in INHERITED or k.startswith("LC_")}
    # A kernel that finds no locale falls back to ASCII for file names and pipes.
    kept["PYTHONUTF8"] = "1"
    return kept


def apart(*, work: Path, cache: Path, inherited: Mapping[str, str]) -> Housing:
    """Houses below *work*, each new and empty, with nothing in the environment but the needful.

    *cache* is shared by all of them: matplotlib alone would take a second per run to look through
    the fonts again.
    """
    kept = needful(inherited)
    kept["XDG_CACHE_HOME"] = str(cache)
    kept["MPLCONFIGDIR"] = str(cache / "matplotlib")

    def house() -> House:
        root = Path(tempfile.mkdtemp(prefix="k", dir=work))
        folder, scratch, ipython = root / "work", root / "tmp", root / "ipython"
        for path in (folder, scratch, ipython):
            path.mkdir(mode=0o700)
        own = {"HOME": str(folder), "TMPDIR": str(scratch), "IPYTHONDIR": str(ipython)}
        return House(folder=folder, environment={**kept, **own}, root=root)

    work.mkdir(parents=True, exist_ok=True)
    (cache / "matplotlib").mkdir(parents=True, exist_ok=True)
    return house


def at_home(*, folder: Path, inherited: Mapping[str, str]) -> Housing:
    """The house of whoever calls: their current folder, and all of their environment but ours."""
    kept = {k: v for k, v in inherited.items() if not k.startswith("WORKBENCH_")}

    def house() -> House:
        return House(folder=folder, environment=kept, root=None)

    return house
