"""Nobody's thousand runs hold up somebody else's one, neither in the line nor at the kernels."""

from contextlib import ExitStack

import pytest

from workbench.errors import ResourceExhausted
from workbench.services.queueing import Line


def a_line(limit=1_000, **waiting):
    line = Line(limit=limit)
    for user, count in waiting.items():
        for n in range(count):
            line.join(user, f"{user}{n}")
    return line


def test_users_take_turns_and_each_of_them_in_order():
    line = a_line(ada=3, bob=2)

    assert [line.next() for _ in range(6)] == ["ada0", "bob0", "ada1", "bob1", "ada2", None]


def test_who_has_fewest_under_way_goes_first():
    line = a_line(ada=10)
    taken = [line.next() for _ in range(4)]  # ada alone: nothing is left unused for nobody
    for n in range(10):
        line.join("bob", f"bob{n}")

    # Each time a kernel becomes free it is bob's, until both have as many.
    for _ in range(2):
        line.ended("ada")
        taken.append(line.next())
    assert taken[4:] == ["bob0", "bob1"]
    line.ended("bob")
    assert line.next() == "bob2"
    line.ended("ada")
    assert line.next() == "ada4"


def test_at_saturation_kernels_are_shared_whoever_has_more_waiting():
    line = a_line(ada=5_000, bob=50, eve=50)
    under_way, shares = [], {"a": 0, "b": 0, "e": 0}
    for _ in range(8):
        under_way.append(line.next())
    for n in range(120):
        ended = under_way.pop(n * 7 % len(under_way))
        line.ended({"a": "ada", "b": "bob", "e": "eve"}[ended[0]])
        taken = line.next()
        under_way.append(taken)
        shares[taken[0]] += 1

    assert all(30 <= share <= 50 for share in shares.values()), shares


def test_a_run_that_leaves_is_not_taken():
    line = a_line(ada=2)
    line.leave("ada", "ada0")
    line.leave("ada", "ada0")
    line.leave("eve", "nothing")

    assert (len(line), line.next(), line.next(), len(line)) == (1, "ada1", None, 0)


def test_a_full_line_refuses_who_filled_it_and_takes_others_still():
    line = a_line(limit=10, ada=10)

    with pytest.raises(ResourceExhausted), line.place("ada"):
        pass
    for n in range(5):  # half of the line each, now that they are two
        with line.place("bob"):
            line.join("bob", f"bob{n}")
    with pytest.raises(ResourceExhausted), line.place("bob"):
        pass
    with line.place("eve"):
        pass


def test_however_many_come_the_line_has_an_end():
    line, taken = a_line(limit=10), 0
    for n in range(1_000):
        try:
            with line.place(f"user{n}"):
                line.join(f"user{n}", f"run{n}")
                taken += 1
        except ResourceExhausted:
            continue

    assert 10 <= taken <= 20


def test_runs_on_their_way_in_take_up_room():
    line = Line(limit=2)
    with ExitStack() as coming:
        coming.enter_context(line.place("ada"))
        coming.enter_context(line.place("ada"))
        with pytest.raises(ResourceExhausted), line.place("ada"):
            pass
    with line.place("ada"):
        pass
