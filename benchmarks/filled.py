"""A home with as many agents and runs in it as are asked for, as the store itself would keep them."""

from __future__ import annotations

import asyncio
import bisect
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from workbench.domain.access import Role, Token, User, token_digest, token_id, token_text
from workbench.domain.agents import Agent, Visibility
from workbench.domain.definitions import Definition
from workbench.domain.runs import Reason, Run, RunStatus
from workbench.domain.versions import Version
from workbench.notebook.definition import define
from workbench.notebook.document import dump, fingerprint, load
from workbench.notebook.source import from_source
from workbench.notebook.words import words
from workbench.store import access, agents, revisions, versions
from workbench.store.cells import from_moment
from workbench.store.disk import make_folder
from workbench.store.home import Home
from workbench.store.objects import Objects
from workbench.store.runs import Runs
from workbench.store.segments import changes_text, create_segment, record_line
from workbench.store.tables import (
    AGENT_TEXTS,
    AGENTS,
    REVISIONS,
    RUNS,
    TOKENS,
    USERS,
    VERSIONS,
    Change,
    Row,
    put,
)

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=20)
USERS_OF_ALL = 20
ROWS_AT_ONCE = 100
AUTHOR = "user3"
TOKENS_OF = {
    user: token_text(f"{n:016x}", f"{n:043d}") for n, user in enumerate(["admin", AUTHOR], start=1)
}
"""What the administrator and one author prove themselves by."""
COMMON, RARE, ABSENT = "forecast", "xylophone", "nowhere0found"
"""A word of every agent, one of a single agent, one of none."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a filled home holds: all that a caller must know to ask for it."""

    agents: Sequence[str]
    busy_agent: str
    busy_id: str
    runs: Sequence[str]


def identifier(at: datetime, chance: random.Random) -> str:
    """An id as the workbench makes them: later ones sort behind earlier ones."""
    ms = int(at.timestamp() * 1000)
    return f"{ms:012x}7{chance.getrandbits(12):03x}8{chance.getrandbits(60):015x}"


def fill(home: Path, *, agents_wanted: int, runs_wanted: int) -> None:
    """Fill *home*, which must be empty, and leave a note of what is in it beside it."""
    owned = Home(home)
    owned.claim()
    try:
        chance = random.Random(7)
        made = list(_agents(agents_wanted, chance))
        objects = Objects(owned.objects, threads=None)
        make_folder(owned.objects)
        template = _template()
        objects.keep(template)
        ids: list[str] = []
        changes = itertools.chain(
            _people(), _catalog(made, template, chance), _runs(runs_wanted, made, chance, ids)
        )
        create_segment(
            owned.journal,
            number=1,
            journal="benchmark",
            after=0,
            snapshot=True,
            lines=_lines(changes),
        )
    finally:
        owned.release()
    note = {
        "agents": [agent.address for agent in made],
        "busy_agent": made[3].address,
        "busy_id": made[3].id,
        "runs": ids[:: max(1, len(ids) // 2000)],
    }
    note_of(home).write_text(json.dumps(note))


def note_of(home: Path) -> Path:
    """Where it is written what *home* was filled with."""
    return home.with_name(home.name + ".filled.json")


def filled(home: Path) -> Filled:
    """What *home* was filled with."""
    return Filled(**json.loads(note_of(home).read_text()))


def _lines(changes: Iterator[Change]) -> Iterator[bytes]:
    at = BEGAN.isoformat()
    for n in itertools.count(1):
        some = list(itertools.islice(changes, ROWS_AT_ONCE))
        if not some:
            return
        yield record_line(n, at, changes_text(some))


def _people() -> Iterator[Change]:
    for n in range(USERS_OF_ALL):
        user = User(name=f"user{n}", role=Role.AUTHOR, created_at=BEGAN)
        yield put(USERS, access._user_row(user))
    yield put(USERS, access._user_row(User(name="admin", role=Role.ADMIN, created_at=BEGAN)))
    for user, text in TOKENS_OF.items():
        token = Token(
            id=token_id(text),
            name="benchmark",
            user=user,
            digest=token_digest(text),
            created_at=BEGAN,
        )
        yield put(TOKENS, access._token_row(token))


def _template() -> bytes:
    source = (
        '# %% tags=["parameters"]\n'
        'city: str = "Seattle"  # which city\n'
        "days: int = 7  # how far to look ahead\n"
        "threshold: float = 0.5  # what counts as rain\n"
        'units: str = "metric"  # metric or imperial\n\n'
        "# %%\nimport csv\nimport statistics\n\n"
        "# %%\nfrom workbench import agent\n"
        'agent.result({"city": city, "mean": statistics.mean([days, threshold])})\n'
    )
    return dump(from_source(source))


def _definition(template: bytes) -> Definition:
    defined = define(load(template), fingerprint=fingerprint(template), files=())
    output = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "mean": {"type": "number"}},
        "required": ["city", "mean"],
    }
    return replace(defined, output_schema=output)


def _agents(wanted: int, chance: random.Random) -> Iterator[Agent]:
    """Half of them public; of everybody as many."""
    definition = _definition(_template())
    areas = ["weather", "sales", "fraud", "genome", "traffic", "energy", "prices", "news"]
    for n in range(wanted):
        at = BEGAN + APART * n
        area = areas[n % len(areas)]
        declared = replace(definition, tags=(area, f"team{n % 50}"))
        yield Agent(
            id=identifier(at, chance),
            owner=f"user{n % USERS_OF_ALL}",
            name=f"{area}-{n}",
            description=f"Looks at {area} of station {n} and says what is to come.",
            draft=declared,
            current_version="1.0.0",
            published=declared,
            visibility=Visibility.PUBLIC if n % 2 else Visibility.PRIVATE,
            created_at=at,
            updated_at=at,
        )


def _catalog(made: Sequence[Agent], template: bytes, chance: random.Random) -> Iterator[Change]:
    said = words(template)
    vocabulary = _vocabulary(chance)
    for n, agent in enumerate(made):
        yield put(AGENTS, agents._row(agent))
        yield put(AGENT_TEXTS, _text(agent, n, f"{said} {' '.join(vocabulary(600))}"))
        # The first few have a long past.
        for k in range(100 if n < 4 else 1):
            yield put(VERSIONS, versions._row(_version(agent, k)))
        for k in range(200 if n < 4 else 0):
            yield put(REVISIONS, _revision(agent, k + 1))


def _vocabulary(chance: random.Random):  # type: ignore[no-untyped-def]
    """Says as many words as are wanted: few of them often, most of them seldom, as people do."""
    letters = "aaabcdeeeefghiiijklmnooopqrstuvwxyz"
    known = ["".join(chance.choices(letters, k=chance.randint(3, 11))) for _ in range(50_000)]
    weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(len(known))))

    def said(number: int) -> list[str]:
        return [
            known[bisect.bisect(weights, chance.random() * weights[-1]) % len(known)]
            for _ in range(number)
        ]

    return said


def _text(agent: Agent, n: int, said: str) -> Row:
    published = f"{said} {COMMON}{f' {RARE}' if n == 5 else ''}"
    draft = f"{published} unpublished{n}" if n % 10 == 0 else ""
    return {"agent_id": agent.id, "owner": agent.owner, "draft": draft, "published": published}


def _version(agent: Agent, k: int) -> Version:
    assert agent.published is not None
    return Version(
        agent_id=agent.id,
        number=f"1.{k}.0",
        definition=agent.published,
        published_by=agent.owner,
        published_at=agent.created_at,
    )


def _revision(agent: Agent, number: int) -> Row:
    return revisions._row(agent, number, agent.draft, by=agent.owner)


def _runs(
    wanted: int, made: Sequence[Agent], chance: random.Random, ids: list[str]
) -> Iterator[Change]:
    """Half of them of a hundred busy agents; one in twelve failed, one in twenty a test."""
    # The row that the store itself would write, but for what is different from run to run.
    row_of = Runs.__new__(Runs)._row
    sample = _settled(made[0])
    row = asyncio.run(row_of(sample))
    failed = asyncio.run(row_of(_failed(made[0])))
    for n in range(wanted):
        at = BEGAN + APART * n
        agent = made[chance.randrange(min(100, len(made)) if n % 2 else len(made))]
        ids.append(identifier(at, chance))
        moment = from_moment(at)
        yield Change(
            RUNS,
            (ids[-1],),
            {
                **(failed if n % 12 == 5 else row),
                "id": ids[-1],
                "agent_id": agent.id,
                "owner": agent.owner,
                "agent_name": agent.name,
                "user_name": f"user{n * 7 % USERS_OF_ALL}",
                "test": n % 20 == 3,
                "version": "1.0.0",
                "created_at": moment,
                "started_at": moment,
                "completed_at": moment,
            },
        )


def _accepted(agent: Agent) -> Run:
    return Run(
        id="0" * 32,
        agent_id=agent.id,
        owner=agent.owner,
        agent_name=agent.name,
        version="1.0.0",
        fingerprint=agent.face.fingerprint,
        user=agent.owner,
        parameters={"city": "Seattle", "days": 3},
        created_at=BEGAN,
    )


def _settled(agent: Agent) -> Run:
    begun = _accepted(agent).begin(at=BEGAN, isolation="process")
    return begun.settle(
        RunStatus.COMPLETED,
        at=BEGAN,
        result={"city": "Seattle", "mean": 11.5},
        resource_usage={"cpu_ms": 40, "peak_bytes": 80_000_000},
    )


def _failed(agent: Agent) -> Run:
    begun = _accepted(agent).begin(at=BEGAN, isolation="process")
    error = {"code": "ExecutionFailed", "message": "A cell failed.", "details": {"cell": 2}}
    return begun.settle(
        RunStatus.FAILED, at=BEGAN, reason=Reason.AGENT_ERROR, error=error, resource_usage={}
    )
