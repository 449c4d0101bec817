"""Levels stand in order, and a run that needs more than there is does not begin."""

import pytest

from workbench.domain.isolation import Isolation, Protection
from workbench.errors import Unavailable


def test_each_level_meets_itself_and_those_below():
    levels = list(Isolation)

    for place, level in enumerate(levels):
        assert [level.meets(least) for least in levels] == [
            other <= place for other in range(len(levels))
        ]


@pytest.mark.parametrize(
    ("level", "minimum", "least", "refused"),
    [
        ("namespaces", "none", "", False),
        ("namespaces", "namespaces", "landlock", False),
        ("landlock", "none", "namespaces", True),
        ("landlock", "namespaces", "", True),
        ("namespaces", "namespaces+cgroup", "none", True),
        ("none", "none", "landlock", True),
        (None, "none", "", True),
        (None, "none", "none", True),
    ],
)
def test_a_run_begins_with_no_less_than_it_needs(level, minimum, least, refused):
    protection = Protection(
        level=level and Isolation(level), minimum=Isolation(minimum), cure="Allow namespaces."
    )

    if not refused:
        protection.check(least)
        return
    with pytest.raises(Unavailable, match="Allow namespaces."):
        protection.check(least)
