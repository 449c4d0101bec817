"""A ticket opens one address once, for the one who asked, within a minute."""

from datetime import UTC, datetime, timedelta

import pytest

from workbench.errors import InvalidRequest, ResourceExhausted, Unauthenticated
from workbench.services.ticketing import GOOD_FOR, MOST_TICKETS, Ticketing

EVENTS = "/runs/0123/events?after=3"


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def ticketing(watch):
    return Ticketing(clock=watch)


def test_a_ticket_opens_for_the_one_who_asked(ticketing, ada):
    ticket, text = ticketing.issue(ada, EVENTS)

    assert ticketing.redeem(text, EVENTS) == ada
    assert text not in repr(ticket) + repr(vars(ticketing))


def test_a_ticket_opens_once(ticketing, ada):
    _, text = ticketing.issue(ada, EVENTS)
    ticketing.redeem(text, EVENTS)

    with pytest.raises(Unauthenticated):
        ticketing.redeem(text, EVENTS)


@pytest.mark.parametrize(
    "other", ["/runs/0123/events", "/runs/0123/events?after=4", "/runs/0124/events?after=3", ""]
)
def test_a_ticket_for_something_else_opens_nothing_and_is_used_up(ticketing, ada, other):
    _, text = ticketing.issue(ada, EVENTS)

    for target in (other, EVENTS):
        with pytest.raises(Unauthenticated):
            ticketing.redeem(text, target)


def test_a_ticket_is_good_for_a_minute(ticketing, watch, ada):
    ticket, text = ticketing.issue(ada, EVENTS)
    _, other = ticketing.issue(ada, EVENTS)

    watch.now += GOOD_FOR - timedelta(milliseconds=1)
    assert ticketing.redeem(text, EVENTS) == ada
    watch.now += timedelta(milliseconds=1)
    assert watch.now == ticket.expires_at
    with pytest.raises(Unauthenticated):
        ticketing.redeem(other, EVENTS)


@pytest.mark.parametrize("text", ["", "x", "\udfff", "A" * 43])
def test_what_was_never_given_out_opens_nothing(ticketing, ada, text):
    ticketing.issue(ada, EVENTS)

    with pytest.raises(Unauthenticated):
        ticketing.redeem(text, EVENTS)


def test_nobody_hoards_tickets_and_expired_ones_are_forgotten(ticketing, watch, ada, bob):
    for _ in range(MOST_TICKETS):
        ticketing.issue(ada, EVENTS)
    with pytest.raises(ResourceExhausted):
        ticketing.issue(ada, EVENTS)
    ticketing.issue(bob, EVENTS)

    watch.now += GOOD_FOR
    ticketing.issue(ada, EVENTS)


@pytest.mark.parametrize(
    "target", ["", "runs", "https://x/runs", "/a b", "/ü", "/a\n", "/a#b", "/" + "a" * 2_000]
)
def test_what_is_no_path_gets_no_ticket(ticketing, ada, target):
    with pytest.raises(InvalidRequest):
        ticketing.issue(ada, target)
