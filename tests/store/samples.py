"""Nouns for the tests of this floor: each with only what a test cares about."""

import itertools
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from workbench.domain.access import Principal, Role, Token, User
from workbench.domain.agents import Agent
from workbench.domain.definitions import AgentFile, Case, Definition
from workbench.domain.parameters import Parameter
from workbench.domain.runs import Run, RunStatus
from workbench.domain.versions import Version

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROOT = Principal(user="root", role=Role.ADMIN)
ADA = Principal(user="ada", role=Role.AUTHOR)
BOB = Principal(user="bob", role=Role.AUTHOR)
EVE = Principal(user="eve", role=Role.VIEWER)

_numbers = itertools.count(1)


class Clock:
    """A clock that goes on by a millisecond whenever it is looked at."""

    def __init__(self, at=NOON):
        self.at = at

    def __call__(self):
        self.at += timedelta(milliseconds=1)
        return self.at


def new_id(at=NOON):
    """A UUIDv7 of that moment, later than every one before it."""
    n = next(_numbers)
    tail = secrets.token_hex(4)
    return f"{int(at.timestamp() * 1000):012x}7{n >> 28 & 0xFFF:03x}8{n & (1 << 28) - 1:07x}{tail}"


def a_definition(**what):
    return Definition(
        **{
            "fingerprint": "f" * 64,
            "parameters": (
                Parameter(name="city", type="str", schema={"type": "string"}, default="Seattle"),
                Parameter(name="days", schema={"enum": [1, 7]}, required=True, help="how many"),
            ),
            "input_schema": {"type": "object", "required": ["days"]},
            "cases": (Case(name="week", parameters={"days": 7}, expects=True, expected=[1, 2.5]),),
            "tags": ("weather",),
            "files": (AgentFile(path="data/x.csv", fingerprint="e" * 64, size=3),),
            **what,
        }
    )


def an_agent(owner="ada", name="weather", **what):
    at = what.pop("at", NOON)
    return Agent(
        **{
            "id": new_id(at),
            "owner": owner,
            "name": name,
            "description": "Says how it will be.",
            "draft": a_definition(),
            "metadata": {"colour": "blue", "n": [1, None]},
            "created_at": at,
            "updated_at": at,
            **what,
        }
    )


def published(agent, number="1.0.0", **what):
    """The agent with that version as its current one."""
    return replace(agent, current_version=number, published=agent.draft, **what)


def a_version(agent, number="1.0.0"):
    return Version(
        agent_id=agent.id,
        number=number,
        definition=agent.draft,
        changelog="new",
        published_by=agent.owner,
        published_at=NOON,
    )


def a_run(user="ada", owner="ada", at=NOON, **what):
    return Run(
        **{
            "id": new_id(at),
            "agent_id": "a" * 32,
            "owner": owner,
            "agent_name": "weather",
            "version": "1.0.0",
            "fingerprint": "f" * 64,
            "user": user,
            "parameters": {"days": 7},
            "created_at": at,
            **what,
        }
    )


def begun(run, at=NOON):
    return run.begin(at=at, isolation="process")


def completed(run, at=NOON, result=None):
    return run.settle(
        RunStatus.COMPLETED,
        at=at,
        result=result,
        resource_usage={"cpu_ms": 12, "files": 0},
        cells=[{"id": "a", "index": 0, "status": "completed", "ms": 1.5, "cpu_ms": 1.0}],
    )


def a_user(name, role=Role.AUTHOR):
    return User(name=name, role=role, created_at=NOON)


def a_token(user, public="1" * 16, **what):
    return Token(
        **{
            "id": public,
            "name": "laptop",
            "user": user,
            "digest": "d" * 64,
            "created_at": NOON,
            **what,
        }
    )
