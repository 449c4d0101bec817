"""ipykernel's own tests, on the lean kernel.

    python tests/kernels/ipykernel_suite/run.py [PYTEST ARGUMENTS…]

Fetches the sources of the installed ipykernel from the package index and runs those of its tests
that start a kernel, with ours in its place; needs pytest-asyncio and flaky beside pytest. A version belongs into `lean.TESTED` when all that
fails is listed in `CANNOT` and for the reason given there.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

STARTING_A_KERNEL = (
    "test_async.py",
    "test_kernel.py",
    "test_message_spec.py",
    "test_connect.py",
    "test_io.py",
)

CANNOT = {
    "tests/test_message_spec.py::test_kernel_info_request": "it asks for subshells",
    "tests/test_message_spec.py::test_subshell": "there are no subshells",
    "tests/test_message_spec.py::test_connect_request": "it asks for the heartbeat's port",
    "tests/test_message_spec.py::test_history_tail": "no history is kept",
    "tests/test_message_spec.py::test_history_search": "no history is kept",
    "tests/test_kernel.py::test_sys_path_profile_dir": "it gives arguments, which nobody reads",
    "tests/test_kernel.py::test_interrupt_with_message": "an interrupt is a signal",
}
"""Tests that cannot pass, and why: what they ask for is what was left out."""


def fetch(folder: Path) -> Path:
    """The unpacked sources of the ipykernel that is installed."""
    name = f"ipykernel=={version('ipykernel')}"
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
    command += ["--no-binary", "ipykernel", "-d", str(folder), name]
    subprocess.run(command, check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def main() -> int:
    """How pytest ended."""
    with tempfile.TemporaryDirectory() as folder:
        sources = fetch(Path(folder))
        spec = Path(folder) / "jupyter" / "kernels" / "python3"
        spec.mkdir(parents=True)
        launch = str(Path(__file__).with_name("launch.py"))
        argv = [sys.executable, launch, "-f", "{connection_file}"]
        (spec / "kernel.json").write_text(
            json.dumps({"argv": argv, "display_name": "lean", "language": "python"})
        )
        return subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *("-o", "asyncio_default_fixture_loop_scope=function"),
                *(f"--deselect={name}" for name in CANNOT),
                *(f"tests/{name}" for name in STARTING_A_KERNEL),
                *sys.argv[1:],
            ],
            cwd=sources,
            check=False,
            env={**os.environ, "JUPYTER_PATH": str(Path(folder) / "jupyter")},
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
