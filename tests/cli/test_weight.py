"""What a command does not need, it does not load."""

import json
import subprocess
import sys

import pytest

_PROBE = """\
import json, sys
sys.argv = ["workbench", *json.loads(sys.argv[1])]
from workbench.cli.main import main
try:
    main()
except SystemExit as left:
    code = left.code
loaded = sorted(name for name in json.loads(sys.stdin.read()) if sys.modules.get(name))
print(json.dumps([code, loaded]), file=sys.stderr)
"""

HEAVY = ["duckdb", "kernel_gateway", "papermill", "nbformat", "jupyter_client", "rich"]


def loaded(*arguments, of=HEAVY):
    process = subprocess.run(
        [sys.executable, "-c", _PROBE, json.dumps([str(a) for a in arguments])],
        input=json.dumps(of),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stderr.splitlines()[-1])


def test_help_loads_nothing_heavy():
    assert loaded("--help") == [0, []]


@pytest.mark.kernel
def test_running_a_notebook_needs_no_database_and_no_gateway(greeter):
    assert loaded("run", greeter, of=["duckdb", "kernel_gateway", "rfc3987_syntax"]) == [0, []]


@pytest.mark.gateway
def test_asking_a_gateway_needs_no_workbench_of_our_own(owned):
    assert loaded("agents", "list", "--home", owned) == [0, []]
