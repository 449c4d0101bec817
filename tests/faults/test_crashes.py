"""Killed wherever it hurts: nothing accepted is lost, nothing ends twice, nothing begins twice."""

import random
import subprocess
import sys

import pytest

# Every point that a run, or what is told of it, passes on its way to the disk.
POINTS = [
    "journal.written",
    "journal.flushed",
    "index.applied",
    "index.journaled",
    "index.committed",
    "notebook.written",
    "run.opened",
    "run.begun",
    "run.executed",
    "run.kept",
    "run.recorded",
    "run.told",
]


def a_life(home, marks, seed, *how, lines):
    """Let a process work on the home; kill it after so many lines if it does not do so itself."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "tests.faults.crashing",
            str(home), str(marks), str(seed), *map(str, how),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    told = []
    for line in process.stdout:
        told.append(line.split())
        if len(told) == lines:
            process.kill()
    _, complaints = process.communicate()
    assert process.returncode == -9, complaints
    return told


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_commit_point(home, marks, reckon, point):
    told = a_life(home, marks, point, point, 3 + POINTS.index(point), lines=100_000)

    toll = reckon(told)

    assert toll.runs > 0


def test_killed_at_random_life_after_life(home, marks, reckon):
    told = []
    for life in range(3):
        told += a_life(home, marks, life, lines=random.Random(life).randrange(20, 150))

    assert reckon(told).completed > 0


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_killed_at_every_commit_point_again_and_again(home, marks, reckon, record_property):
    told, rounds = [], 0
    for nth in (1, 2, 5, 11, 23):
        for point in POINTS:
            told += a_life(home, marks, f"{point}{nth}", point, nth, lines=100_000)
            rounds += 1

    toll = reckon(told)

    record_property("kill_rounds", rounds)
    record_property("kill_runs", toll.runs)


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_a_hundred_kills_at_random(home, marks, reckon, record_property):
    told = []
    for life in range(100):
        told += a_life(home, marks, life, lines=random.Random(life).randrange(5, 200))
        if life % 10 == 9:
            toll = reckon(told)

    record_property("kill_rounds", 100)
    record_property("kill_runs", toll.runs)
