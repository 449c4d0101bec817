"""Who may see and change what depends on who they are and whose it is, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from workbench.domain.access import (
    Principal,
    Role,
    Token,
    may_see_agent,
    may_see_run,
    require_admin,
    require_author,
    require_owner,
    token_digest,
    token_id,
    token_text,
)
from workbench.domain.agents import Agent, Visibility
from workbench.domain.definitions import Definition
from workbench.domain.runs import Run
from workbench.errors import AgentAccessDenied, InsufficientPermissions

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
VIEWER = Principal(user="vic", role=Role.VIEWER)


@pytest.fixture
def draft():
    return Agent(
        id="1",
        owner="ada",
        name="weather",
        description="",
        draft=Definition(fingerprint="draft"),
        created_at=NOON,
        updated_at=NOON,
    )


@pytest.fixture
def published(draft):
    return replace(draft, current_version="1.0.0", published=Definition(fingerprint="one"))


def test_a_private_agent_is_its_owners(published, ada, bob, admin):
    seen = [may_see_agent(who, published) for who in (ada, admin, bob, VIEWER)]

    assert seen == [True, True, False, False]


def test_a_public_agent_is_everybodys_once_it_is_published(draft, published, ada, bob):
    public_draft = replace(draft, visibility=Visibility.PUBLIC)
    public = replace(published, visibility=Visibility.PUBLIC)

    assert [may_see_agent(who, public_draft) for who in (ada, bob, VIEWER)] == [True, False, False]
    assert [may_see_agent(who, public) for who in (ada, bob, VIEWER)] == [True, True, True]


def test_a_run_is_seen_by_who_asked_for_it_and_whose_agent_it_is(ada, bob, admin):
    run = Run(
        id="1",
        agent_id="1",
        owner="ada",
        agent_name="weather",
        version="1.0.0",
        fingerprint="one",
        user="bob",
        created_at=NOON,
    )

    assert [may_see_run(who, run) for who in (ada, bob, admin, VIEWER)] == [True, True, True, False]


def test_only_the_owner_changes_an_agent(draft, ada, bob, admin):
    require_owner(ada, draft)
    require_owner(admin, draft)

    with pytest.raises(AgentAccessDenied, match="ada/weather belongs to ada") as caught:
        require_owner(bob, draft)
    assert caught.value.details == {"agent": "ada/weather"}


def test_roles_are_asked_for(ada, admin):
    require_author(ada)
    require_author(admin)
    require_admin(admin)

    with pytest.raises(InsufficientPermissions, match="Only authors"):
        require_author(VIEWER)
    with pytest.raises(InsufficientPermissions, match="Only the administrator"):
        require_admin(ada)


def test_the_stage_and_the_face_of_an_agent_follow_what_was_published(draft, published):
    archived = replace(published, archived_at=NOON)

    assert [agent.stage for agent in (draft, published, archived)] == [
        "draft",
        "published",
        "archived",
    ]
    assert [agent.face.fingerprint for agent in (draft, published)] == ["draft", "one"]


@pytest.fixture
def token():
    text = token_text("0123456789abcdef", "s" * 43)
    return Token(
        id=token_id(text), name="t", user="ada", digest=token_digest(text), created_at=NOON
    )


def test_a_token_proves_itself_only(token):
    assert token.id == "0123456789abcdef"
    assert token.proves(token_text(token.id, "s" * 43), at=NOON)
    assert not token.proves(token_text(token.id, "t" * 43), at=NOON)
    assert not token.proves("", at=NOON)
    assert not token.proves("\ud800", at=NOON)


def test_a_token_stops_being_good(token):
    text = token_text(token.id, "s" * 43)
    expiring = replace(token, expires_at=NOON)

    assert expiring.proves(text, at=NOON - timedelta(seconds=1))
    assert not expiring.proves(text, at=NOON)
    assert not replace(token, revoked_at=NOON).proves(text, at=NOON)


@pytest.mark.parametrize("text", ["chosen", "wb_0123456789abcdef_short", "wb_x_" + "s" * 43, ""])
def test_a_token_somebody_chose_is_looked_up_by_its_digest(text):
    assert token_id(text) == token_digest(text)[:16]
