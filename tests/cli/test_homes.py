"""A home can be put into a file and taken out of it, and its index made anew, while nobody owns it."""

import pytest

pytestmark = pytest.mark.kernel


@pytest.fixture
def used(ask, home, greeter):
    """A home with an agent and a run in it, and what its lists say."""
    ask("agents", "add", greeter, "--publish", "--home", home)
    ask("run", "greeter", "--home", home)
    return home


def lists(ask, home):
    return [
        ask(*what.split(), "--home", home, "--json").json
        for what in ("agents list", "runs list", "runs list --test", "token list")
    ]


def test_what_was_restored_says_what_was_backed_up(ask, used, tmp_path, elsewhere):
    archive, other = elsewhere / "home.tar", tmp_path / "other"

    saved = ask("backup", archive, "--home", used, "--json")
    restored = ask("restore", archive, "--home", other, "--json")

    assert saved.json == {
        "home": str(used),
        "file": str(archive),
        "bytes": archive.stat().st_size,
    }
    assert restored.json == {"home": str(other), "file": str(archive)}
    assert lists(ask, other) == lists(ask, used)
    assert ask("run", "greeter", "--home", other).code == 0


def test_a_rebuilt_index_says_what_it_said_before(ask, used):
    before = lists(ask, used)

    answer = ask("rebuild", "--home", used, "--json")

    assert answer.code == 0
    assert answer.json["rows"] > 0
    assert lists(ask, used) == before


def test_an_index_that_is_lost_is_made_anew(ask, used):
    before = lists(ask, used)
    (used / "index.duckdb").write_bytes(b"garbage")

    assert lists(ask, used) == before


def refused(answer):
    return answer.code, answer.json["error"]["code"]


@pytest.mark.parametrize("command", [("rebuild",), ("backup", "home.tar")])
def test_there_has_to_be_a_home(ask, home, command):
    assert refused(ask(*command, "--home", home, "--json")) == (2, "NotFound")
    assert not home.exists()


def test_nothing_is_restored_over_a_home(ask, used):
    ask("backup", "home.tar", "--home", used)

    assert refused(ask("restore", "home.tar", "--home", used, "--json")) == (2, "InvalidRequest")


def test_nothing_is_restored_from_what_is_no_archive(ask, home, elsewhere):
    (elsewhere / "home.tar").write_bytes(b"garbage")

    assert refused(ask("restore", "home.tar", "--home", home, "--json")) == (3, "HomeUnreadable")
    assert refused(ask("restore", "gone.tar", "--home", home, "--json")) == (2, "NotFound")
    assert not home.exists()


def test_an_archive_is_not_put_into_the_home_itself(ask, used):
    answer = ask("backup", used / "home.tar", "--home", used, "--json")

    assert refused(answer) == (2, "InvalidRequest")


@pytest.mark.gateway
def test_a_home_that_a_gateway_owns_is_left_alone(ask, owned, elsewhere):
    (elsewhere / "home.tar").write_bytes(b"garbage")

    for command in (("rebuild",), ("backup", "new.tar"), ("restore", "home.tar")):
        answer = ask(*command, "--home", owned, "--json")

        assert refused(answer) == (3, "HomeInUse")
        assert str(answer.json["error"]["details"]["pid"]) in answer.err


@pytest.mark.gateway
def test_a_second_gateway_is_refused_and_the_first_named(start, owned):
    second = start("serve", "--port", 0, "--home", owned)

    out, said = second.communicate(timeout=60)

    assert second.returncode == 3
    assert out == ""
    assert "in use: process" in said
    assert "http://127.0.0.1:" in said


def test_a_sweep_throws_away_what_nothing_speaks_of_any_more(ask, used):
    before = lists(ask, used)
    part = next(path for path in (used / "objects").iterdir())
    left = part / (part.name + "0" * 62)
    left.write_bytes(b"left by a purge that was killed")

    assert ask("rebuild", "--home", used, "--json").json["swept"] is None
    assert left.exists()
    assert ask("rebuild", "--sweep", "--home", used, "--json").json["swept"] == {
        "objects": 1,
        "runs": 0,
    }
    assert not left.exists()
    assert lists(ask, used) == before
