"""A run that is watched is what its events have told, in whatever pieces they come."""

from workbench.panels.following import Cell, Followed, Line, lines_of, steps_of

RUN = {"status": "running", "completed_at": None, "execution_time_ms": None}


def event(seq, type_, **data):
    return {"seq": seq, "type": type_, **data}


def heeded(*events):
    followed = Followed()
    for one in events:
        followed = followed.heed(one)
    return followed


def test_cells_begin_end_and_are_shown_with_those_to_come():
    followed = heeded(
        event(1, "run.started"),
        event(2, "cell.started", cell="a", index=0, of=3),
        event(3, "cell.finished", cell="a", status="completed", ms=1200.0),
        event(4, "cell.started", cell="b", index=1, of=3),
    )

    assert followed.seq == 4
    assert followed.cells == (
        Cell(id="a", index=0, state="completed", ms=1200.0),
        Cell(id="b", index=1),
    )
    assert [one["state"] for one in followed.segments()] == ["completed", "running", "pending"]


def test_progress_is_what_the_agent_says_of_itself():
    followed = heeded(event(1, "progress", fraction=0.5, message="half way"))

    assert (followed.fraction, followed.doing) == (0.5, "half way")
    assert steps_of(RUN, followed)["doing"] == "half way …"


def test_a_run_that_waits_says_so_and_one_that_ended_says_how_long_it_took():
    waiting = {**RUN, "status": "pending"}
    ended = {"status": "failed", "completed_at": "2026", "execution_time_ms": 3.0}

    assert steps_of(waiting, Followed())["doing"] == "Waiting for its turn …"
    assert steps_of(ended, Followed())["ms"] == 3.0
    assert not steps_of(ended, Followed())["busy"]
    assert steps_of(None, Followed())["status"] is None


def test_what_is_printed_and_logged_are_lines():
    printed = event(1, "output", kind="stream", name="stdout", text="a\nb\n")
    logged = event(2, "log", level="error", message="oh")

    assert lines_of(printed) == [Line(text="a"), Line(text="b")]
    assert lines_of(logged) == [Line(text="oh", tone="bad")]
    assert lines_of(event(3, "output", kind="display_data", data={})) == []
