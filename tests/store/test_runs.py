"""An accepted run is there at once and for good, ends once, and one key makes one run."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.samples import ADA, BOB, EVE, NOON, ROOT, Clock, a_run, begun, completed
from workbench.domain.queries import RunQuery
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import IdempotencyMismatch, IllegalMove, InvalidRequest, NotFound
from workbench.store.run_images import INLINE_BYTES
from workbench.store.runs import Idempotency
from workbench.store.store import Store

KEY = Idempotency(key="k", fingerprint="body")


def failed(run):
    return begun(run).settle(
        RunStatus.FAILED,
        at=NOON,
        reason=Reason.AGENT_ERROR,
        error={"message": "no", "ename": "ValueError", "cell": {"index": 3}},
    )


def test_every_step_of_a_run_is_there_at_once_and_after_a_restart(with_store):
    done, broken, waiting = a_run(), a_run(), a_run()

    async def steps(store):
        for step in (done, broken, waiting):
            assert await store.runs.accept(step) == (step, False)
            assert await store.runs.get(ADA, step.id) == step
        for step in (begun(done), completed(begun(done), result={"mm": [1, 2.5, None]})):
            await store.runs.record(step)
            assert await store.runs.get(ADA, step.id) == step
        await store.runs.record(begun(broken))
        await store.runs.record(failed(broken))

    async def read(store):
        runs = [await store.runs.get(ADA, run.id) for run in (done, broken, waiting)]
        return runs, (await store.runs.list(ADA, RunQuery())).items, await store.runs.unsettled()

    with_store(steps)
    runs, listed, unsettled = with_store(read)

    assert runs == [
        completed(begun(done), result={"mm": [1, 2.5, None]}),
        failed(broken),
        waiting,
    ]
    assert listed == runs[::-1]
    assert unsettled == [waiting]


def test_progress_is_seen_before_and_after_it_reaches_the_index(with_store):
    async def story(store):
        run = a_run()
        await store.runs.accept(run)
        at_once = await store.runs.get(ADA, run.id)
        await store.flush()
        assert at_once == await store.runs.get(ADA, run.id) == run

    with_store(story, linger_seconds=3600)


def test_a_list_holds_what_was_accepted_a_moment_ago(with_store):
    async def story(store):
        for _ in range(5):
            run = a_run()
            await store.runs.accept(run)
            assert (await store.runs.list(ADA, RunQuery(limit=1))).items == [run]

    with_store(story, linger_seconds=3600)


def test_a_run_is_settled_once(with_store):
    run = a_run()

    async def settle(store):
        await store.runs.accept(run)
        await store.runs.record(begun(run))
        outcomes = await asyncio.gather(
            store.runs.record(completed(begun(run))),
            store.runs.record(failed(run)),
            return_exceptions=True,
        )
        assert outcomes[0] == completed(begun(run))
        assert isinstance(outcomes[1], IllegalMove)

    async def settle_again(store):
        with pytest.raises(IllegalMove):
            await store.runs.record(failed(run))
        assert await store.runs.get(ADA, run.id) == completed(begun(run))

    with_store(settle)
    with_store(settle_again)


def test_a_step_that_was_overtaken_does_not_undo_the_next(with_store):
    run = a_run(parameters={"text": "x" * INLINE_BYTES})

    async def story(store):
        await store.runs.accept(run)
        # Off to put away its large value, while the small one behind it is through at once.
        cancelled = replace(begun(run), parameters={}).settle(RunStatus.CANCELLED, at=NOON)
        outcomes = await asyncio.gather(
            store.runs.record(begun(run)), store.runs.record(cancelled), return_exceptions=True
        )
        assert isinstance(outcomes[0], IllegalMove)
        assert await store.runs.get(ADA, run.id) == cancelled
        assert await store.runs.unsettled() == []

    with_store(story)


def test_a_result_json_cannot_say_changes_nothing(with_store):
    async def story(store):
        run = a_run()
        await store.runs.accept(run)
        await store.runs.record(begun(run))
        with pytest.raises(ValueError, match="not JSON compliant"):
            await store.runs.record(completed(begun(run), result=float("nan")))
        await store.runs.record(failed(run))

    with_store(story)


def test_who_lost_a_run_cannot_speak_for_it(with_store):
    async def story(store):
        run = a_run()
        await store.runs.accept(run)
        await store.runs.record(replace(begun(run), attempt=2))
        with pytest.raises(IllegalMove):
            await store.runs.record(completed(begun(run)))

    with_store(story)


def test_a_run_nobody_accepted_cannot_move(with_store):
    async def story(store):
        with pytest.raises(NotFound):
            await store.runs.record(begun(a_run()))

    with_store(story)


def test_a_run_is_accepted_once(with_store):
    async def story(store):
        run = a_run()
        await store.runs.accept(run)
        with pytest.raises(IllegalMove):
            await store.runs.accept(run)

    with_store(story)


def test_fifty_requests_with_one_key_make_one_run(with_store):
    async def story(store):
        outcomes = await asyncio.gather(*(store.runs.accept(a_run(), key=KEY) for _ in range(50)))
        assert len({run.id for run, _ in outcomes}) == 1
        assert sorted(replayed for _, replayed in outcomes) == [False] + [True] * 49
        assert len((await store.runs.list(ADA, RunQuery())).items) == 1
        assert len(await store.runs.unsettled()) == 1

    with_store(story)


def test_a_key_gives_back_the_run_as_it_stands_now(with_store):
    run = a_run()

    async def first(store):
        await store.runs.accept(run, key=KEY)
        await store.runs.record(begun(run))
        await store.runs.record(completed(begun(run), result="x" * INLINE_BYTES))

    async def again(store):
        return await store.runs.accept(a_run(), key=KEY)

    with_store(first)
    assert with_store(again) == (completed(begun(run), result="x" * INLINE_BYTES), True)


def test_a_key_used_for_something_else_is_refused(with_store):
    async def story(store):
        await store.runs.accept(a_run(), key=KEY)
        before = await store.dump()
        with pytest.raises(IdempotencyMismatch):
            await store.runs.accept(a_run(), key=replace(KEY, fingerprint="other"))
        assert await store.dump() == before
        for strange in ("", "x" * 256, "\ud800"):
            with pytest.raises(InvalidRequest):
                await store.runs.accept(a_run(), key=replace(KEY, key=strange))

    with_store(story)


def test_keys_of_different_users_are_different(with_store):
    async def story(store):
        _, replayed = await store.runs.accept(a_run(user="ada"), key=KEY)
        _, bobs = await store.runs.accept(a_run(user="bob"), key=KEY)
        assert (replayed, bobs) == (False, False)

    with_store(story)


def test_a_key_is_forgotten_after_a_day(with_store, home):
    first = a_run()
    late, later = NOON + timedelta(hours=23, minutes=59), NOON + timedelta(hours=24)

    async def story(store):
        await store.runs.accept(first, key=KEY)
        assert await store.runs.accept(a_run(at=late), key=KEY) == (first, True)
        _, replayed = await store.runs.accept(a_run(at=later), key=KEY)
        assert not replayed

    async def keys():
        async with await Store.open(home, clock=Clock(later + timedelta(hours=25))) as store:
            return [line for line in await store.dump() if "idempotency" in line]

    with_store(story)
    assert asyncio.run(keys()) == []


def test_large_values_are_kept_beside_the_row(with_store):
    large = {"text": "x" * INLINE_BYTES, "marks": "@ü"}
    run = a_run(parameters={**large, "days": 7})

    async def write(store):
        await store.runs.accept(run)
        await store.runs.record(begun(run))
        await store.runs.record(completed(begun(run), result=large))
        assert await store.runs.get(ADA, run.id) == completed(begun(run), result=large)
        return await store.dump()

    async def read(store):
        listed = (await store.runs.list(ADA, RunQuery())).items
        assert listed == [await store.runs.get(ADA, run.id)]
        return listed

    assert len("".join(with_store(write))) < INLINE_BYTES
    assert with_store(read) == [completed(begun(run), result=large)]


@pytest.mark.parametrize("value", [None, "@" + "0" * 64, "", [], {}, False, 0, "ü\ud800\0"])
def test_any_json_value_comes_back_as_it_was(with_store, value):
    run = a_run(parameters={"value": value})

    async def write(store):
        await store.runs.accept(run)
        await store.runs.record(begun(run))
        await store.runs.record(completed(begun(run), result=value))

    async def read(store):
        return await store.runs.get(ADA, run.id)

    with_store(write)
    assert with_store(read) == completed(begun(run), result=value)


def test_a_run_is_seen_by_who_asked_and_whose_agent_it_is(with_store):
    async def story(store):
        run = a_run(user="bob", owner="ada")
        await store.runs.accept(run)
        for who in (ROOT, ADA, BOB):
            assert await store.runs.get(who, run.id) == run
            assert (await store.runs.list(who, RunQuery())).items == [run]
        with pytest.raises(NotFound):
            await store.runs.get(EVE, run.id)
        assert (await store.runs.list(EVE, RunQuery())).items == []

    with_store(story)


def test_pages_hold_every_run_once_newest_first(with_store):
    async def story(store):
        ids = []
        for n in range(5000):
            run = a_run(user=("ada", "bob")[n % 2], owner="eve", test=n % 5 == 0)
            ids.append(run)
        await asyncio.gather(*(store.runs.accept(run) for run in ids))
        for who, test in ((ROOT, False), (BOB, False), (BOB, True)):
            found, cursor = [], None
            while True:
                query = RunQuery(limit=200, cursor=cursor, test=test)
                page = await store.runs.list(who, query)
                found += [run.id for run in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    break
            wanted = [r.id for r in ids if r.test == test and (who is ROOT or r.user == who.user)]
            assert found == wanted[::-1]

    with_store(story)
    with_store(lambda store: store.runs.list(EVE, RunQuery(limit=7)))


def test_a_list_holds_what_was_asked_for(with_store):
    async def story(store):
        old = a_run(at=NOON - timedelta(days=1), agent_id="b" * 32, version="0.9.0")
        new, tried = a_run(), a_run(test=True)
        for run in (old, new, tried):
            await store.runs.accept(run)
        await store.runs.record(begun(new))

        async def ids(**query):
            page = await store.runs.list(ADA, RunQuery(**query))
            return [run.id for run in page.items]

        assert await ids() == [new.id, old.id]
        assert await ids(test=True) == [tried.id]
        assert await ids(since=NOON) == [new.id]
        assert await ids(until=NOON) == [old.id]
        assert await ids(since=NOON, until=NOON) == []
        assert await ids(version="0.9.0") == [old.id]
        assert await ids(version="draft") == []
        assert await ids(agent_id="b" * 32) == [old.id]
        assert await ids(status=RunStatus.RUNNING) == [new.id]
        assert await ids(status=RunStatus.RUNNING, agent_id="b" * 32) == []
        for strange in ({"limit": 0}, {"cursor": "%"}, {"cursor": "WyJcdWQ4MDAiXQ"}):
            with pytest.raises(InvalidRequest):
                await ids(**strange)
        with pytest.raises(InvalidRequest):
            await store.runs.get(ADA, "\ud800")

    with_store(story)
