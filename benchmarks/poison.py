"""How much memory `while True: print(…)` costs whoever carries it out, against stock papermill.

Prints one JSON line. Each side has a process of its own, which is measured: ours carries out the
cell with the kernels that agents have on this machine and an endless budget of output, so that the
flood lasts as long as papermill's; papermill is given the same seconds as its `execution_timeout`.

    python benchmarks/poison.py [--rounds N] [--seconds S]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.modules.setdefault("rfc3987_syntax", None)  # its grammars take seconds to compile, unused

FLOOD = "while True:\n    print('x' * 1000)"
DOCUMENT = {
    "cells": [
        {
            "cell_type": "code",
            "id": "flood",
            "metadata": {},
            "source": FLOOD,
            "outputs": [],
            "execution_count": None,
        }
    ],
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


def ours(seconds: float, folder: Path) -> int:
    """How many bytes the executed notebook has."""
    from workbench.domain.limits import BOUNDLESS_BYTES, Limits
    from workbench.kernels import Task
    from workbench.kernels.executor import NotebookExecutor
    from workbench.kernels.ground import choose
    from workbench.kernels.sources import kernels_behind
    from workbench.notebook.document import dump, load

    limits = replace(Limits(), seconds=seconds, output_bytes=BOUNDLESS_BYTES)
    task = Task(run_id="flood", notebook=dump(load(json.dumps(DOCUMENT))), limits=limits)

    async def main() -> int:
        wall = choose("auto").wall or choose("none").wall
        assert wall is not None
        kernels = kernels_behind(wall, work=folder / "work", cache=folder / "cache", preload=())
        executor = NotebookExecutor(kernels=kernels)
        try:
            outcome = await executor.execute(
                task, report=lambda type, data: None, cancel=asyncio.Event()
            )
        finally:
            await executor.close()
        assert str(outcome.reason) == "timeout", outcome.error
        return len(outcome.notebook)

    return asyncio.run(main())


def papermill(seconds: float, folder: Path) -> int:
    """How many bytes the notebook has that papermill wrote."""
    from papermill import execute_notebook

    before, after = folder / "in.ipynb", folder / "out.ipynb"
    before.write_text(json.dumps(DOCUMENT))
    try:
        execute_notebook(
            str(before), str(after), execution_timeout=round(seconds), progress_bar=False
        )
    except Exception:  # noqa: BLE001 - however it gives up
        return after.stat().st_size
    return after.stat().st_size


SIDES: dict[str, Callable[[float, Path], int]] = {"ours": ours, "papermill": papermill}


def one(side: str, seconds: float) -> None:
    """Carry it out in this process, and say what that took."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        size = SIDES[side](seconds, Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peak_bytes": peak, "notebook_bytes": size}))


def measured(side: str, seconds: float) -> dict[str, int]:
    """What *side* took, in a process of its own."""
    said = subprocess.run(
        [sys.executable, __file__, "--side", side, "--seconds", str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        check=True,
        text=True,
    )
    return json.loads(said.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def main() -> None:
    """Measure both in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--side", choices=sorted(SIDES))
    given = parser.parse_args()
    if given.side:
        one(given.side, given.seconds)
        return
    rounds = [{side: measured(side, given.seconds) for side in SIDES} for _ in range(given.rounds)]

    def median(side: str, what: str) -> float:
        return statistics.median(taken[side][what] for taken in rounds)

    peaks = {side: median(side, "peak_bytes") for side in SIDES}
    figures = {
        "benchmark": "poison",
        "rounds": given.rounds,
        "seconds": given.seconds,
        "ours_peak_bytes": round(peaks["ours"]),
        "papermill_peak_bytes": round(peaks["papermill"]),
        "ours_notebook_bytes": round(median("ours", "notebook_bytes")),
        "papermill_notebook_bytes": round(median("papermill", "notebook_bytes")),
        "ratio": round(peaks["papermill"] / peaks["ours"], 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
