"""What a run gets is what its agent asks for, within what the administrator allows."""

from dataclasses import fields

import pytest

from workbench.domain.caps import SETTINGS, Caps
from workbench.domain.definitions import Definition
from workbench.domain.limits import BOUNDLESS, DECLARABLE, Limits
from workbench.domain.network import Network
from workbench.errors import InvalidAgentConfig
from workbench.settings import Settings

MOST = BOUNDLESS


def asking(**asked):
    return Definition(fingerprint="0" * 64, **asked)


def test_what_nobody_asks_for_is_as_it_was():
    assert Limits().granting({}, most=MOST) == Limits()


def test_an_agent_gets_what_it_asks_for():
    granted = Limits().granting({"memory_bytes": 2**31, "processes": 300}, most=MOST)

    assert (granted.memory_bytes, granted.processes) == (2**31, 300)
    assert granted.folder_bytes == Limits().folder_bytes


def test_nothing_is_above_a_cap_that_was_lowered():
    most = Limits(memory_bytes=2**29, seconds=10)

    granted = Limits().granting({"memory_bytes": 2**31, "seconds": 100}, most=most)

    assert (granted.memory_bytes, granted.seconds) == (2**29, 10)


def test_a_longer_run_may_use_the_processor_all_the_while_unless_it_says_otherwise():
    assert Limits().granting({"seconds": 600.0}, most=MOST).cpu_seconds == 600
    assert Limits().granting({"seconds": 1.0}, most=MOST).cpu_seconds == Limits().cpu_seconds
    asked = {"seconds": 600.0, "cpu_seconds": 5.0}
    assert Limits().granting(asked, most=MOST).cpu_seconds == 5
    assert (
        Limits().granting({"seconds": 600.0}, most=Limits(cpu_seconds=300, seconds=900)).cpu_seconds
        == 300
    )


def test_no_more_output_is_kept_than_is_allowed():
    granted = Limits().granting({"output_bytes": 5_000}, most=MOST)

    assert (granted.output_bytes, granted.kept_output_bytes) == (5_000, 5_000)


def test_no_cap_is_below_what_everybody_gets():
    assert Limits(memory_bytes=1).at_least(Limits()) == Limits()


def test_every_limit_an_agent_may_ask_for_has_a_cap_and_a_setting():
    assert set(SETTINGS) == {*DECLARABLE, "seconds"} <= {f.name for f in fields(Limits)}
    assert set(SETTINGS.values()) <= {f.name for f in fields(Settings)}


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        (
            {"limits": {"memory_bytes": 2**33}},
            "limits.memory_bytes",
            "8,589,934,592; the administrator allows at most 1,073,741,824 (most_memory_bytes)",
        ),
        ({"timeout_seconds": 61.0}, "timeout_seconds", "at most 60.0 (longest_run_seconds)"),
        ({"network": Network.OPEN}, "network", "open; the administrator allows at most allow-list"),
    ],
)
def test_more_than_the_cap_is_refused_with_the_cap(asked, field, said):
    with pytest.raises(InvalidAgentConfig, match="administrator") as refused:
        Caps().check(asking(**asked))

    assert said in str(refused.value)
    assert refused.value.details["field"] == f"metadata.workbench.{field}"
    assert "most" in refused.value.details


def test_all_that_is_too_much_is_told_at_once():
    greedy = asking(timeout_seconds=1e4, limits={"processes": 10**4}, network=Network.OPEN)

    assert len(list(Caps().refusals(greedy))) == 3


def test_as_much_as_the_cap_is_no_excess():
    Caps().check(
        asking(timeout_seconds=60.0, limits={"processes": 256}, network=Network.ALLOW_LIST)
    )
    Caps(network=Network.OPEN).check(asking(network=Network.OPEN))
