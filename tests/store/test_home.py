"""A home has one owner at a time, who can be found while alive and leaves nothing when dead."""

import json
import os
import signal
import subprocess
import sys

import pytest

from workbench.errors import HomeInUse, HomeUnreadable
from workbench.store.home import Home, Owner, owner

_CLAIM = """
import sys, pathlib
from workbench.store.home import Home
home = Home(pathlib.Path(sys.argv[1]))
home.claim()
home.announce("http://127.0.0.1:8888", "secret")
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def neighbour(home):
    """Another process that owns the home."""
    process = subprocess.Popen(
        [sys.executable, "-c", _CLAIM, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "claimed\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_owner_is_refused_and_told_who_the_first_is(home, neighbour):
    with pytest.raises(HomeInUse) as refusal:
        Home(home).claim()

    assert refusal.value.details == {"pid": neighbour.pid, "url": "http://127.0.0.1:8888"}
    assert str(neighbour.pid) in str(refusal.value)


def test_the_owner_can_be_found_and_spoken_to(home, neighbour):
    assert owner(home) == Owner(pid=neighbour.pid, url="http://127.0.0.1:8888", token="secret")


def test_what_a_dead_owner_wrote_counts_no_more(home, neighbour):
    neighbour.send_signal(signal.SIGKILL)
    neighbour.wait()

    assert owner(home) is None
    Home(home).claim()


def test_nobody_owns_what_is_not_there(home):
    assert owner(home) is None


def test_two_in_one_process_do_not_share_a_home(home):
    first = Home(home)
    first.claim()

    with pytest.raises(HomeInUse):
        Home(home).claim()

    first.release()
    Home(home).claim()


def test_a_home_is_open_to_its_owner_only_whatever_the_umask(home):
    before = os.umask(0)
    try:
        Home(home).claim()
    finally:
        os.umask(before)

    modes = {p.name: p.stat().st_mode & 0o777 for p in [home, *home.iterdir()]}
    assert modes == {
        "home": 0o700,
        "owner.lock": 0o600,
        "journal": 0o700,
        "objects": 0o700,
        "runs": 0o700,
    }


def test_claiming_sweeps_unfinished_files_and_nothing_else(home):
    deep = home / "objects" / "ab"
    deep.mkdir(parents=True)
    (deep / ".tmp-0123").write_bytes(b"half")
    (deep / "whole").write_bytes(b"whole")

    Home(home).claim()

    assert [p.name for p in deep.iterdir()] == ["whole"]


def test_a_home_of_a_newer_workbench_is_refused_and_left_alone(home):
    home.mkdir()
    said = json.dumps({"home": 2, "pid": 1})
    (home / "owner.lock").write_text(said)

    with pytest.raises(HomeUnreadable, match="newer"):
        Home(home).claim()

    assert [p.name for p in home.iterdir()] == ["owner.lock"]
    assert (home / "owner.lock").read_text() == said


def test_a_home_that_cannot_be_a_folder_is_refused(home):
    home.write_text("a file")

    with pytest.raises(HomeUnreadable):
        Home(home).claim()
