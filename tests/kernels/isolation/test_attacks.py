"""What a hostile agent gets at each level, by the attacks that `workbench doctor` makes too."""

import asyncio
import os
from pathlib import Path

import pytest

from workbench.domain.isolation import Isolation
from workbench.kernels.attacks import ATTACKS
from workbench.kernels.environment import apart
from workbench.kernels.ground import choose
from workbench.kernels.ordinary import OrdinaryKernels
from workbench.kernels.probing import KNOWN, assail
from workbench.kernels.sources import kernels_behind

SECRET = "planted-7f3a9c"

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(180)]


@pytest.fixture
def inherited():
    """An environment with a key in it, as the gateway's has."""
    return {**os.environ, "OPENAI_API_KEY": SECRET}


def ground_of(level):
    ground = choose(level)
    if ground.wall is None:
        pytest.skip(f"{level} is not to be had here: {ground.cure}")
    return ground


def got(findings):
    return {finding.attack for finding in findings if not finding.denied}


def test_the_security_page_counts_the_attacks_as_they_are():
    page = (Path(__file__).parents[3] / "SECURITY.md").read_text()
    past_landlock = KNOWN[Isolation.LANDLOCK]

    assert len(ATTACKS) >= 100
    assert past_landlock < set(ATTACKS)
    assert f"{len(ATTACKS)} of {len(ATTACKS)}" in page
    assert f"{len(ATTACKS) - len(past_landlock)} of {len(ATTACKS)}" in page


@pytest.mark.parametrize("level", list(Isolation)[1:])
def test_forked_kernels_deny_what_their_level_says(level, tmp_path, inherited):
    ground = ground_of(level)
    source = kernels_behind(
        ground.wall,
        work=tmp_path / "work",
        cache=tmp_path / "cache",
        inherited=inherited,
        cgroups=ground.cgroups,
    )

    assert got(asyncio.run(assail(source, secret=SECRET))) <= KNOWN[level]


def test_ordinary_kernels_deny_what_their_level_says(tmp_path, inherited):
    level = Isolation.NAMESPACES
    housing = apart(work=tmp_path / "work", cache=tmp_path / "cache", inherited=inherited)
    source = OrdinaryKernels(housing=housing, wall=ground_of(level).wall)

    assert got(asyncio.run(assail(source, secret=SECRET))) <= KNOWN[level]


def test_the_attacks_succeed_where_nothing_denies_them(tmp_path, inherited):
    housing = apart(work=tmp_path / "work", cache=tmp_path / "cache", inherited=inherited)

    open_to_all = got(asyncio.run(assail(OrdinaryKernels(housing=housing), secret=SECRET)))

    assert len(open_to_all) >= 55
    assert KNOWN[Isolation.LANDLOCK] <= open_to_all
    # No level lets a kernel inherit a key.
    assert "find a key or token in its environment" not in open_to_all
