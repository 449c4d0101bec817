"""A page looked for near where it lies holds what one looked for everywhere would hold."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.store.landmarks import STRIDE, Landmarks
from workbench.store.recent import Recent


@given(n=st.integers(0, 40 * STRIDE), below=st.integers(0, 40 * STRIDE))
def test_below_the_nearest_floor_lie_enough_runs_or_none_is_named(n, below):
    landmarks = Landmarks(f"{i:08}" for i in range(STRIDE, n, STRIDE))
    floors = landmarks.floors(f"{min(below, n):08}")

    assert floors[-1] is None
    named = [int(floor) for floor in floors[:-1]]
    assert named == sorted(named, reverse=True)
    assert all(min(below, n) - floor >= STRIDE for floor in named)


def test_landmarks_are_kept_as_runs_pass_by():
    landmarks = Landmarks()
    for i in range(5 * STRIDE):
        landmarks.pass_by(f"{i:08}")

    assert landmarks.floors(None) == [f"{4 * STRIDE - 1:08}", None]


def test_what_was_read_never_hides_what_was_written():
    recent = Recent(limit=2)
    before = recent.epoch
    recent.write("a", "new")
    recent.learn("a", "old", epoch=before)
    assert recent.get("a") == "new"

    recent.learn("b", 1, epoch=recent.epoch)
    recent.learn("c", 2, epoch=recent.epoch)
    assert [recent.get(key) for key in "abc"] == [None, 1, 2]
