"""How long a killed gateway needs to serve again, and to have settled all it had accepted.

    python benchmarks/recovery.py [WAITING…]

Prints one line of JSON. For each number of waiting runs a gateway accepts them over HTTP, is killed
by `kill -9`, and is started again. What the runs do is left out (they leave a mark and end), so that
what is measured is the workbench: accepting, journal, line, events, notebooks, settling. The rivals
are measured in the same process: a start with nothing to take up, and the rate of the cheapest
request there is.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOKEN = "benchmark-" + "0" * 22
CALLERS = 4
LONG = "100000"


class Gateway:
    """A gateway whose runs cost nothing."""

    def __init__(self, folder: Path, *, seconds: str, at_once: int) -> None:
        environment = {
            **os.environ,
            "WORKBENCH_TOKEN": TOKEN,
            "WORKBENCH_RUNS_AT_ONCE": str(at_once),
            "WORKBENCH_QUEUE_LIMIT": "100000",
        }
        self.begun = time.perf_counter()
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "tests.faults.serving", "--port", "0", "--seconds", seconds,
                "--home", str(folder / "home"), "--marks", str(folder / "marks"),
            ],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = next(line for line in self._process.stdout if line.startswith("gateway:"))
        self._port = int(line.rsplit(":", 1)[1])
        self.serving_seconds = time.perf_counter() - self.begun

    def caller(self) -> Callable[..., tuple[int, bytes]]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)

        def call(method: str, path: str, body: object = None) -> tuple[int, bytes]:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            return answer.status, answer.read()

        return call

    def rate(self, method: str, path: str, body: object, times: int, status: int) -> float:
        """Answers a second that some callers get together."""

        def work() -> None:
            call = self.caller()
            for _ in range(times // CALLERS):
                assert call(method, path, body)[0] == status

        threads = [threading.Thread(target=work) for _ in range(CALLERS)]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return times // CALLERS * CALLERS / (time.perf_counter() - begun)

    def unsettled(self) -> int:
        runs = json.loads(self.caller()("GET", "/healthz")[1])["runs"]
        return int(runs["waiting"] + runs["running"])

    def memory(self) -> int:
        fields = Path(f"/proc/{self._process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def measure(waiting: int) -> dict[str, float]:
    """What becomes of *waiting* runs when their gateway is killed."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "marks").mkdir()
        first = Gateway(folder, seconds=LONG, at_once=1)
        call = first.caller()
        status, said = call("POST", "/agents", {"agent_name": "a", "agent_config": "1"})
        assert status == 201, said
        assert call("POST", "/agents/admin/a/versions?force=true", {})[0] == 201
        found["healthz_per_second"] = first.rate("GET", "/healthz", None, 400, 200)
        if waiting:
            before = first.memory()
            path = "/agents/admin/a/runs"
            found["accepted_per_second"] = first.rate("POST", path, {}, waiting, 202)
            found["bytes_per_waiting_run"] = (first.memory() - before) / waiting
        first.kill()
        second = Gateway(folder, seconds="0", at_once=4)
        found["serving_seconds"] = second.serving_seconds
        if waiting:
            while second.unsettled():
                time.sleep(0.05)
            found["settled_seconds"] = time.perf_counter() - second.begun
            found["accepted_marks"] = len(list((folder / "marks").iterdir()))
        second.kill()
    return {name: round(value, 2) for name, value in found.items()}


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [1_000, 10_000]
    idle = measure(0)
    found = {str(size): measure(size) for size in sizes}
    most = found[str(sizes[-1])]
    print(
        json.dumps(
            {
                "benchmark": "recovery",
                "serving_seconds_with_nothing": idle["serving_seconds"],
                "by_waiting": found,
                "serving_over_serving_with_nothing": round(
                    most["serving_seconds"] / idle["serving_seconds"], 2
                ),
                "accepted_over_healthz": round(
                    most["accepted_per_second"] / most["healthz_per_second"], 2
                ),
            }
        )
    )


if __name__ == "__main__":
    main()
