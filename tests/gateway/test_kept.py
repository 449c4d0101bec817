"""What is sent again is what would be written anew, and nobody gets what another was sent."""

import asyncio
import gzip

import pytest

from tests.store.samples import ADA, BOB, an_agent
from workbench.domain.access import Principal, Role
from workbench.errors import NotFound
from workbench.gateway.kept import Kept, Shelf
from workbench.gateway.responses import Answer

ASKED = (ADA, "/agents", "")


def says(text):
    async def write():
        return Answer(body=text.encode())

    return write


async def never():
    raise AssertionError("it was kept")


def test_an_answer_is_written_once_as_long_as_nothing_changes():
    async def story():
        kept = Kept()
        assert (await kept.answer(ASKED, 1, says("one"))).body == b"one"
        assert (await kept.answer(ASKED, 1, never)).body == b"one"
        assert (await kept.answer(ASKED, 2, says("two"))).body == b"two"

    asyncio.run(story())


@pytest.mark.parametrize(
    "asked",
    [
        (BOB, "/agents", ""),
        (Principal(user="ada", role=Role.VIEWER), "/agents", ""),
        (ADA, "/runs", ""),
        (ADA, "/agents", "limit=1"),
    ],
)
def test_who_asks_otherwise_is_answered_otherwise(asked):
    async def story():
        kept = Kept()
        await kept.answer(ASKED, 1, says("hers"))
        assert (await kept.answer(asked, 1, says("another"))).body == b"another"

    asyncio.run(story())


def test_many_who_ask_at_once_wait_for_one_answer():
    async def story():
        kept, written, go = Kept(), [], asyncio.Event()

        async def write():
            written.append(1)
            await go.wait()
            return Answer(body=b"slow")

        callers = [asyncio.create_task(kept.answer(ASKED, 1, write)) for _ in range(5)]
        later = asyncio.create_task(kept.answer(ASKED, 2, says("newer")))
        await asyncio.sleep(0)
        callers[0].cancel()
        go.set()
        bodies = [answer.body for answer in await asyncio.gather(*callers[1:])]

        assert (bodies, len(written)) == ([b"slow"] * 4, 1)
        assert (await later).body == b"newer"

    asyncio.run(story())


def test_a_refusal_is_not_kept():
    async def story():
        kept = Kept()

        async def refuse():
            raise NotFound("not yet")

        with pytest.raises(NotFound):
            await kept.answer(ASKED, 1, refuse)
        assert (await kept.answer(ASKED, 1, says("now"))).body == b"now"

    asyncio.run(story())


def test_an_agent_is_written_for_its_owner_and_for_others():
    kept, agent = Kept(), an_agent()
    hers, his = kept.agent(agent, ADA), kept.agent(agent, BOB)

    assert b'"writable": true' in hers and b'"writable": false' in his
    assert kept.agent(agent, ADA) is hers
    # The same agent as it stands later is another.
    assert kept.agent(an_agent(id=agent.id, description="changed"), ADA) != hers


def test_a_shelf_holds_as_much_as_there_is_room_for():
    shelf = Shelf(80)
    for n in range(20):
        shelf.put(n, str(n), 10)
    assert [n for n in range(20) if shelf.get(n)] == list(range(12, 20))

    shelf.get(12)
    shelf.put("new", "x", 10)
    assert (shelf.get(12), shelf.get(13)) == ("12", None)

    shelf.put(12, "as large as all", 80)
    assert shelf.get(12) is None
    shelf.put(14, "smaller", 1)
    shelf.put(20, "fits", 9)
    assert [shelf.get(14), shelf.get(20), shelf.get("new")] == ["smaller", "fits", "x"]


@pytest.mark.gateway
def test_every_list_tells_of_every_change(gateway, ada, bob):
    """After each change, each list is asked for again by everybody."""
    lists = [
        "/agents?q=changing",
        "/agents?owner=ada&limit=200",
        "/agents/ada/changing/versions",
        "/agents/ada/changing/revisions",
        "/agents/ada/changing/runs?test=true",
        "/runs?test=true&agent=ada/changing",
        "/openapi.json",
    ]

    def seen():
        return {
            (path, who): body_or_code(gateway.ask("GET", path, token=token))
            for path in lists
            for who, token in (("ada", ada), ("bob", bob), ("admin", ""))
        }

    def body_or_code(said):
        return said.body if said.status == 200 else said.code

    def after(method, path, body=None, **more):
        said = gateway.ask(method, path, body, token=ada, **more)
        assert said.status < 300, said.body
        now = seen()
        changed = {key for key in now if now[key] != before[key]}
        before.update(now)
        return {(lists.index(path), who) for path, who in changed}

    at = "/agents/ada/changing"
    gateway.add("changing", "x = 1", token=ada, publish=False)
    before = seen()
    owners = {"ada", "admin"}

    described = after("PATCH", at, {"description": "another"})
    assert described == {(n, who) for n in (0, 1, 6) for who in owners}
    saved = after("PUT", f"{at}/files/data.csv", b"1")
    assert {(n, who) for n in (0, 1, 3) for who in owners} <= saved
    assert not any(who == "bob" for _, who in saved)
    published = after("POST", f"{at}/versions?force=true")
    assert {(n, who) for n in (0, 1, 2, 6) for who in owners} <= published
    assert not any(who == "bob" for _, who in published)
    shown = after("PATCH", at, {"visibility": "public"})
    assert {(n, "bob") for n in (0, 1, 2, 4, 5, 6)} <= shown
    deprecated = after("POST", f"{at}/versions/1.0.0/deprecate", {"note": "old"})
    assert {(2, who) for who in ("ada", "admin", "bob")} <= deprecated
    hidden = after("PATCH", at, {"visibility": "private"})
    assert {(n, "bob") for n in (0, 1, 2, 4, 5, 6)} <= hidden
    archived = after("DELETE", at)
    assert {(n, who) for n in (0, 1, 6) for who in owners} <= archived
    assert not any(who == "bob" for _, who in archived)
    gateway.ask("DELETE", f"{at}?purge=true", token=ada)


@pytest.mark.gateway
@pytest.mark.kernel
def test_lists_of_runs_follow_their_runs(gateway, sources):
    gateway.add("followed", sources["sleeper"])
    path = "/agents/admin/followed/runs"

    def statuses():
        both = [gateway.ask("GET", p).json["items"] for p in (path, "/runs?agent=admin/followed")]
        assert [run["id"] for run in both[0]] == [run["id"] for run in both[1]]
        return [run["status"] for run in both[0]]

    assert statuses() == []
    run = gateway.ask("POST", path, {}).json
    assert statuses()[0] in ("pending", "running")
    gateway.ask("POST", f"/runs/{run['id']}/cancel")
    gateway.wait(run["id"])
    assert statuses() == ["cancelled"]
    assert gateway.ask("DELETE", "/agents/admin/followed?purge=true").status == 204
    assert gateway.ask("GET", path).status == 404
    assert run["id"] not in gateway.ask("GET", "/runs").body.decode()


@pytest.mark.gateway
def test_runs_of_an_agent_are_listed_under_its_former_name(gateway, ada, bob):
    gateway.add("maiden", "x = 1", token=ada, publish=False)
    assert (
        gateway.ask("PATCH", "/agents/ada/maiden", {"agent_name": "wed"}, token=ada).status == 200
    )

    assert gateway.ask("GET", "/runs?agent=ada/maiden", token=ada).json["items"] == []
    for who in (bob, ada):
        strange = gateway.ask("GET", "/runs?agent=ada/stranger", token=who)
        assert (strange.status, strange.code) == (404, "AgentNotFound")
    hidden = gateway.ask("GET", "/runs?agent=ada/maiden", token=bob)
    assert (hidden.status, hidden.code) == (404, "AgentNotFound")


@pytest.mark.gateway
def test_the_document_is_pressed_together_for_those_who_can_read_that(gateway):
    plain = gateway.ask("GET", "/openapi.json")
    pressed = gateway.ask("GET", "/openapi.json", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    refused = gateway.ask("GET", "/openapi.json", headers={"Accept-Encoding": "gzip;q=0"})

    assert "Content-Encoding" not in plain.headers
    assert pressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(pressed.body) == plain.body == refused.body
    assert 5 * len(pressed.body) < len(plain.body)
    assert pressed.headers["ETag"] != plain.headers["ETag"]
    for said, accepted in ((plain, "identity"), (pressed, "gzip")):
        headers = {"If-None-Match": said.headers["ETag"], "Accept-Encoding": accepted}
        again = gateway.ask("GET", "/openapi.json", headers=headers)
        assert (again.status, again.body) == (304, b"")


@pytest.mark.gateway
def test_what_depends_on_the_caller_says_so_to_other_origins_too(start):
    gateway = start(env={"WORKBENCH_ALLOW_ORIGIN": "https://pages.example"})
    said = gateway.ask("GET", "/openapi.json", headers={"Origin": "https://pages.example"})

    varies = {name.strip() for name in said.headers["Vary"].split(",")}
    assert varies == {"Authorization", "Accept-Encoding", "Origin"}


@pytest.mark.gateway
def test_the_list_of_tokens_tells_of_each_that_is_made_or_taken_back(gateway, ada, bob):
    def tokens(who):
        items = gateway.ask("GET", "/tokens", token=who).json["items"]
        return {token["name"]: token["revoked_at"] is None for token in items}

    before = [tokens(who) for who in (ada, bob)]
    made = gateway.ask("POST", "/tokens", {"name": "kept"}, token=ada).json
    assert [tokens(who) for who in (ada, bob)] == [{**before[0], "kept": True}, before[1]]
    gateway.ask("DELETE", f"/tokens/{made['id']}", token=ada)
    assert [tokens(who) for who in (ada, bob)] == [{**before[0], "kept": False}, before[1]]
