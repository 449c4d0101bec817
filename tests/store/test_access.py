"""Users are the administrator's to name; a token speaks for its owner only."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.samples import ADA, BOB, EVE, NOON, ROOT, a_token, a_user
from workbench.domain.access import Role
from workbench.domain.paging import write_cursor
from workbench.errors import InsufficientPermissions, InvalidRequest, NotFound


async def people(store):
    for name in ("ada", "bob"):
        await store.access.put_user(ROOT, a_user(name))


def test_users_come_back_after_a_restart(with_store):
    async def read(store):
        return await store.access.users(ROOT), await store.access.user("ada")

    with_store(people)
    assert with_store(read) == ([a_user("ada"), a_user("bob")], a_user("ada"))


def test_only_the_administrator_names_users_and_sees_them_all(with_store):
    async def story(store):
        await people(store)
        for who in (ADA, EVE):
            with pytest.raises(InsufficientPermissions):
                await store.access.put_user(who, a_user(who.user, Role.ADMIN))
        assert await store.access.users(ADA) == [a_user("ada")]
        assert await store.access.users(EVE) == []

    with_store(story)


def test_a_changed_user_counts_at_once(with_store):
    async def story(store):
        await people(store)
        await store.access.user("ada")
        viewer = await store.access.put_user(ROOT, a_user("ada", Role.VIEWER))
        assert await store.access.user("ada") == viewer

    with_store(story)


def test_a_revoked_token_counts_at_once_and_after_a_restart(with_store):
    token = a_token("ada", expires_at=NOON)

    async def revoke(store):
        await people(store)
        await store.access.put_token(ADA, token)
        assert await store.access.token(token.id) == token
        await store.access.put_token(ADA, replace(token, revoked_at=NOON))
        return await store.access.token(token.id)

    async def read(store):
        return await store.access.token(token.id)

    assert with_store(revoke) == with_store(read) == replace(token, revoked_at=NOON)


def test_nobody_makes_or_takes_a_token_of_somebody_else(with_store):
    async def story(store):
        await people(store)
        mine = await store.access.put_token(ADA, a_token("ada"))
        with pytest.raises(InsufficientPermissions):
            await store.access.put_token(BOB, a_token("ada", "2" * 16))
        with pytest.raises(InsufficientPermissions):
            await store.access.put_token(BOB, replace(mine, user="bob"))
        with pytest.raises(InsufficientPermissions):
            await store.access.put_token(BOB, replace(mine, revoked_at=NOON))
        other = await store.access.put_token(ROOT, a_token("bob", "3" * 16))

        assert (await store.access.tokens(ADA)).items == [mine]
        assert (await store.access.tokens(BOB)).items == [other]
        # Made in the same moment: the id decides.
        assert (await store.access.tokens(ROOT)).items == [other, mine]

    with_store(story)


def test_tokens_are_read_page_by_page_and_those_made_meanwhile_move_none(with_store):
    async def story(store):
        await people(store)
        made = [
            replace(a_token("ada", f"{n:016d}"), created_at=NOON + timedelta(seconds=n // 2))
            for n in range(7)
        ]
        for token in made:
            await store.access.put_token(ADA, token)
        first = await store.access.tokens(ADA, limit=3)
        await store.access.put_token(ADA, replace(a_token("ada"), created_at=NOON + timedelta(1)))
        second = await store.access.tokens(ADA, limit=3, cursor=first.next_cursor)
        third = await store.access.tokens(ADA, limit=3, cursor=second.next_cursor)

        assert [*first.items, *second.items, *third.items] == made[::-1]
        assert third.next_cursor is None
        bad = ("noon", "1"), ("1",), (NOON.isoformat(), "\ud800"), (NOON.isoformat(), "\0")
        for cursor in ("nonsense", *(write_cursor(*key) for key in bad)):
            with pytest.raises(InvalidRequest):
                await store.access.tokens(ADA, cursor=cursor)
        with pytest.raises(InvalidRequest):
            await store.access.tokens(ADA, limit=0)

    with_store(story)


def test_what_is_not_there_is_not_found(with_store):
    async def story(store):
        with pytest.raises(NotFound):
            await store.access.user("nobody")
        with pytest.raises(NotFound):
            await store.access.token("0" * 16)
        with pytest.raises(NotFound):
            await store.access.put_token(ROOT, a_token("nobody"))

    with_store(story)
