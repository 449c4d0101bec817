"""A machine that fails: full and read-only disks, no descriptors left, a reboot, other people's locks."""

import asyncio
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import descriptors
from tests.faults.test_crashes import a_life
from workbench.app import utc_now
from workbench.store.home import Home
from workbench.store.store import Store

ROOT = Path(__file__).parents[2]
BWRAP = shutil.which("bwrap")
mounts = pytest.mark.skipif(
    BWRAP is None
    or subprocess.run([BWRAP, "--dev-bind", "/", "/", "true"], check=False).returncode != 0,
    reason="bwrap cannot make file systems here",
)


def inside(*mount, command):
    """What *command* says on file systems of its own."""
    return subprocess.run(
        [BWRAP, "--dev-bind", "/", "/", *mount, "--chdir", str(ROOT), sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@mounts
def test_a_disk_that_is_full_for_a_while_refuses_loses_nothing_and_recovers(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()

    done = inside(
        "--size", "30000000", "--tmpfs", str(disk), command=["-m", "tests.faults.filling", disk]
    )

    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert said["refused"] > 0
    assert said["waiting_for_the_disk"] > 0
    assert {status for status, _ in said["ended"]} <= {"completed", "failed"}
    assert {reason for _, reason in said["ended"]} <= {None, "internal_error"}
    assert said["afterwards"] == "completed"
    assert said["index"]


@mounts
def test_a_home_on_a_read_only_disk_is_refused_in_words(home):
    done = inside(
        "--ro-bind", str(home), str(home),
        command=["-m", "workbench", "serve", "--home", str(home), "--port", "0"],
    )  # fmt: skip

    assert done.returncode == 3
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.gateway
def test_without_descriptors_it_refuses_and_with_them_again_it_goes_on(gateway_on, marks):
    gateway = gateway_on()
    pid = gateway.process.pid
    run = gateway.ask("POST", "/agents/ada/once/runs", {}).json
    open_now = len(os.listdir(f"/proc/{pid}/fd"))
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now + 2, hard))
    plugs = []
    for _ in range(30):
        plugs.append(socket.create_connection(("127.0.0.1", gateway.port), timeout=5))
        plugs[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    for plug in plugs:
        plug.close()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))

    assert gateway.wait(run["id"])["status"] == "completed"
    again = gateway.ask("POST", "/agents/ada/once/runs", {}).json
    assert gateway.wait(again["id"])["status"] == "completed"
    assert gateway.ask("GET", "/healthz").status == 200


@pytest.mark.gateway
def test_after_a_reboot_nothing_of_the_life_before_is_in_the_way(home, marks, gateway_on):
    told = a_life(home, marks, 1, "run.executed", 4, lines=100_000)
    # Pids are given out anew, sockets and folders are left lying about.
    lock = home / "owner.lock"
    lock.write_text(json.dumps({"home": 1, "pid": os.getpid(), "url": "http://127.0.0.1:1"}))
    stray = home / "scratch" / "runs" / "abc"
    stray.mkdir(parents=True)
    (stray / "data.csv").write_text("1")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stray / "s"))
    (home / "runs" / ".tmp-half").write_bytes(b"half")

    gateway = gateway_on()

    assert gateway.ask("GET", "/healthz").status == 200
    for _, run in (line for line in told if line[0] == "accepted"):
        assert gateway.wait(run)["status"] in ("completed", "failed", "cancelled")
    assert not list(home.rglob(".tmp-*"))


@pytest.mark.gateway
@pytest.mark.kernel
def test_what_a_dead_gateways_runs_left_in_their_folders_is_removed(home, marks, start):
    stray = home / "scratch" / "runs" / "abc"
    stray.mkdir(parents=True)
    (stray / "data.csv").write_text("1")

    start(home.name)

    assert not stray.exists()


def test_an_index_that_another_program_has_open_is_made_anew(home):
    expected = rows(home)
    program = f"import duckdb; c = duckdb.connect({str(home / 'index.duckdb')!r}); print(); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    other.stdout.readline()
    try:
        assert rows(home) == expected
    finally:
        other.communicate("\n")
    assert rows(home) == expected


def test_a_home_that_cannot_be_opened_leaves_no_descriptor(home):
    before = descriptors()
    owner = Home(home)
    owner.claim()
    with pytest.raises(Exception, match="in use"):
        rows(home)
    owner.release()

    assert descriptors() == before


def rows(home):
    async def dump():
        async with await Store.open(home, clock=utc_now) as store:
            return await store.dump()

    return asyncio.run(dump())
