"""A token is shown once, proves who somebody is, and stops doing so at once when taken back."""

from __future__ import annotations

import pytest

from workbench.domain.access import Principal, Role
from workbench.errors import InsufficientPermissions, InvalidRequest, NotFound, Unauthenticated
from workbench.services.admitting import TokenWish

CHOSEN = "a-token-somebody-chose"


@pytest.fixture
def admitted(desk, run):
    """Carries a story out on the admitting service of a fresh home."""

    def tell(story):
        async def on_a_desk():
            async with desk() as (app, _):
                return await story(app.admitting, app.store)

        return run(on_a_desk())

    return tell


def test_the_first_administrator_is_made_once(admitted):
    async def story(admitting, _):
        first = await admitting.welcome("")
        return first, await admitting.welcome(""), await admitting.who(first)

    first, second, who = admitted(story)

    assert first.startswith("wb_")
    assert second is None
    assert who == Principal(user="admin", role=Role.ADMIN)


def test_a_chosen_token_replaces_the_one_chosen_before(admitted):
    async def story(admitting, _):
        await admitting.welcome(CHOSEN)
        await admitting.welcome(CHOSEN + "-2")
        with pytest.raises(Unauthenticated):
            await admitting.who(CHOSEN)
        return await admitting.who(CHOSEN + "-2")

    assert admitted(story).is_admin


@pytest.mark.parametrize("text", ["short", "with blanks in it, long", "nicht-ASCII-ä-aber-lang"])
def test_a_chosen_token_must_be_hard_to_guess_and_fit_a_header(admitted, text):
    async def story(admitting, _):
        with pytest.raises(InvalidRequest, match="WORKBENCH_TOKEN"):
            await admitting.welcome(text)

    admitted(story)


def test_no_token_is_kept_in_clear(admitted, tmp_path):
    async def story(admitting, store):
        text = await admitting.welcome("")
        _, other = await admitting.issue(
            Principal(user="admin", role=Role.ADMIN), TokenWish(name="x", user="ada")
        )
        return [text, other]

    secrets = [text.rsplit("_", 1)[1].encode() for text in admitted(story)]

    found = [p for p in (tmp_path / "home").rglob("*") if p.is_file()]
    assert found
    assert not [p for p in found for secret in secrets if secret in p.read_bytes()]


def test_a_token_for_a_new_user_makes_an_author(admitted, admin):
    async def story(admitting, _):
        token, text = await admitting.issue(admin, TokenWish(name="laptop", user="ada"))
        return token, await admitting.who(text)

    token, who = admitted(story)

    assert (token.name, token.user) == ("laptop", "ada")
    assert who == Principal(user="ada", role=Role.AUTHOR)


def test_the_administrator_stays_one_whoever_names_them_first(admitted, admin):
    async def story(admitting, _):
        _, text = await admitting.issue(admin, TokenWish(name="x", user="admin"))
        return await admitting.who(text)

    assert admitted(story).is_admin


def test_nobody_makes_tokens_for_others(admitted, ada):
    async def story(admitting, _):
        with pytest.raises(InsufficientPermissions):
            await admitting.issue(ada, TokenWish(name="x", user="bob"))

    admitted(story)


def test_a_revoked_token_is_refused_at_once(admitted, admin):
    async def story(admitting, _):
        token, text = await admitting.issue(admin, TokenWish(name="x", user="ada"))
        await admitting.who(text)
        await admitting.revoke(admin, token.id)
        with pytest.raises(Unauthenticated):
            await admitting.who(text)

    admitted(story)


def test_an_expired_token_is_refused(admitted, admin):
    async def story(admitting, _):
        ten_seconds = 10 / 86_400
        _, text = await admitting.issue(admin, TokenWish(name="x", user="ada", days=ten_seconds))
        await admitting.who(text)
        with pytest.raises(Unauthenticated):
            for _ in range(20):
                await admitting.who(text)

    admitted(story)


def test_tokens_are_seen_and_taken_back_by_their_owner_and_the_administrator(
    admitted, admin, ada, bob
):
    async def story(admitting, _):
        token, _ = await admitting.issue(admin, TokenWish(name="x", user="ada"))
        await admitting.issue(admin, TokenWish(name="y", user="bob"))
        with pytest.raises(NotFound):
            await admitting.revoke(bob, token.id)
        await admitting.revoke(ada, "x")
        return [{t.name for t in (await admitting.tokens(who)).items} for who in (ada, bob, admin)]

    assert admitted(story) == [{"x"}, {"y"}, {"x", "y"}]


@pytest.mark.parametrize("text", ["", "wb_", "wb_0123456789abcdef_" + "x" * 43, "nonsense " * 50])
def test_what_is_no_token_is_refused_in_the_same_words(admitted, text):
    async def story(admitting, _):
        with pytest.raises(Unauthenticated, match="not known here"):
            await admitting.who(text)

    admitted(story)
