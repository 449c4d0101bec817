"""Whatever three people do, none sees or changes what is not theirs to see or change."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from tests.store.samples import (
    ADA,
    BOB,
    EVE,
    NOON,
    ROOT,
    Clock,
    a_run,
    a_token,
    a_user,
    a_version,
    an_agent,
    published,
)
from workbench.domain.agents import Visibility
from workbench.domain.queries import AgentQuery, RunQuery
from workbench.errors import Denied, NotFound
from workbench.store.store import Store

PEOPLE = (ROOT, ADA, BOB, EVE)
ANYBODY = st.sampled_from(PEOPLE)


class Secrecy(RuleBasedStateMachine):
    """The model is two dictionaries, and who may see what in words of its own."""

    agents = Bundle("agents")
    runs = Bundle("runs")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.store = self.open()
        for who in PEOPLE:
            self.do(self.store.access.put_user(ROOT, a_user(who.user, who.role)))
        self.known = {}
        self.ran = {}
        self.numbers = 0

    def do(self, what):
        return self.runner.run(what)

    def open(self):
        return self.do(Store.open(Path(self.folder.name, "home"), clock=Clock()))

    def teardown(self):
        self.do(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def number(self):
        self.numbers += 1
        return self.numbers

    def sees(self, who, agent):
        if who is ROOT or who.user == agent.owner:
            return True
        usable = agent.archived_at is None and agent.published is not None
        return usable and agent.visibility is Visibility.PUBLIC

    def owns(self, who, agent):
        return who is ROOT or who.user == agent.owner

    @rule(target=agents, who=ANYBODY, owner=st.sampled_from(["ada", "bob", "eve"]))
    def create(self, who, owner):
        agent = an_agent(owner=owner, name=f"a{self.number()}")
        try:
            self.do(self.store.agents.create(who, agent))
        except Denied:
            assert who is EVE or who.user != owner
            return multiple()
        assert who is ROOT or (who.user == owner and who is not EVE)
        self.known[agent.id] = agent
        return agent.id

    @rule(
        who=ANYBODY,
        agent_id=agents,
        change=st.sampled_from(
            [
                {"visibility": Visibility.PUBLIC},
                {"visibility": Visibility.PRIVATE},
                {"archived_at": NOON},
                {"archived_at": None},
                {"description": "mine now"},
                {"owner": "eve"},
            ]
        ),
    )
    def change(self, who, agent_id, change):
        was = self.known[agent_id]
        agent = replace(was, **change)
        try:
            self.do(self.store.agents.replace(who, was, agent))
        except NotFound:
            assert not self.sees(who, was)
        except Denied:
            assert self.sees(who, was)
            assert not self.owns(who, was) or agent.owner != was.owner
        else:
            assert self.owns(who, was)
            assert agent.owner == was.owner
            self.known[agent_id] = agent

    @rule(who=ANYBODY, agent_id=agents)
    def publish(self, who, agent_id):
        was = self.known[agent_id]
        number = f"1.{self.number()}.0"
        agent = published(was, number)
        try:
            self.do(self.store.versions.publish(who, was, agent, a_version(was, number)))
        except NotFound:
            assert not self.sees(who, was)
        except Denied:
            assert self.sees(who, was)
            assert not self.owns(who, was)
        else:
            assert self.owns(who, was)
            self.known[agent_id] = agent

    @rule(target=runs, user=st.sampled_from(["ada", "bob", "eve"]), agent_id=agents)
    def run(self, user, agent_id):
        agent = self.known[agent_id]
        run = a_run(user=user, owner=agent.owner, agent_id=agent_id)
        self.do(self.store.runs.accept(run))
        self.ran[run.id] = run
        return run.id

    @rule(who=ANYBODY, speaks_for=st.sampled_from(PEOPLE))
    def make_token(self, who, speaks_for):
        token = a_token(speaks_for.user, f"{self.number():016x}")
        try:
            self.do(self.store.access.put_token(who, token))
        except Denied:
            assert who is not ROOT
            assert who is not speaks_for
        else:
            assert who in (ROOT, speaks_for)

    @rule(who=st.sampled_from([ADA, BOB, EVE]))
    def name_a_user(self, who):
        try:
            self.do(self.store.access.put_user(who, a_user(who.user, ROOT.role)))
        except Denied:
            return
        raise AssertionError("only the administrator names users")

    @rule(who=ANYBODY, agent_id=agents)
    def look_at_an_agent(self, who, agent_id):
        agent = self.known[agent_id]
        for look in (
            self.store.agents.by_id(who, agent_id),
            self.store.agents.get(who, agent.owner, agent.name),
            self.store.versions.list(who, agent),
        ):
            try:
                self.do(look)
            except NotFound:
                assert not self.sees(who, agent)
            else:
                assert self.sees(who, agent)

    @rule(who=ANYBODY, run_id=runs)
    def look_at_a_run(self, who, run_id):
        run = self.ran[run_id]
        try:
            assert self.do(self.store.runs.get(who, run_id)) == run
        except NotFound:
            assert who is not ROOT
            assert who.user not in (run.user, run.owner)
        else:
            assert who is ROOT or who.user in (run.user, run.owner)

    @rule(agent_id=consumes(agents))
    def restart(self, agent_id):
        self.do(self.store.close())
        self.store = self.open()

    @invariant()
    def lists_hold_what_each_may_see_and_nothing_else(self):
        who = PEOPLE[len(self.known) % 4]
        listed = self.do(self.store.agents.list(who, AgentQuery(limit=200))).items
        assert {(a.id, a.description) for a in listed} == {
            (a.id, a.description)
            for a in self.known.values()
            if a.archived_at is None and self.sees(who, a)
        }
        runs = self.do(self.store.runs.list(who, RunQuery(limit=200))).items
        assert {run.id for run in runs} == {
            r.id for r in self.ran.values() if who is ROOT or who.user in (r.user, r.owner)
        }
        tokens = self.do(self.store.access.tokens(who)).items
        assert who is ROOT or {token.user for token in tokens} <= {who.user}


Secrecy.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestSecrecy = Secrecy.TestCase
