"""The directory and the index show exactly what the domain lets somebody see."""

from dataclasses import replace

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.samples import NOON, a_run, an_agent
from workbench.domain.access import Principal, Role, may_see_agent, may_see_run
from workbench.domain.agents import Visibility
from workbench.domain.queries import AgentQuery
from workbench.store.agents import _row
from workbench.store.conditions import where
from workbench.store.directory import Directory
from workbench.store.migrations import migrate
from workbench.store.sight import runs_seen_by

USERS = st.sampled_from(["ada", "bob", "eve", "root", "' OR TRUE --", "{}", "$1"])
PRINCIPALS = st.builds(Principal, user=USERS, role=st.sampled_from(Role))
AGENTS = st.builds(
    lambda agent, **what: replace(agent, **what),
    st.builds(an_agent),
    owner=USERS,
    visibility=st.sampled_from(Visibility),
    current_version=st.sampled_from([None, "1.0.0"]),
    archived_at=st.sampled_from([None, NOON]),
)
RUNS = st.builds(a_run, user=USERS, owner=USERS)


@pytest.fixture(scope="module")
def index():
    with duckdb.connect(":memory:") as connection:
        migrate(connection)
        yield connection


def seen(index, condition, table):
    sql, values = where([condition])
    return {
        row[0] for row in index.execute(f"SELECT id FROM {table} WHERE {sql}", values).fetchall()
    }


@given(principal=PRINCIPALS, agents=st.lists(AGENTS, max_size=8))
def test_agents(principal, agents):
    directory = Directory()
    for agent in agents:
        directory.enter(_row(agent))

    ids, _ = directory.page(principal, AgentQuery(limit=200), None)

    assert set(ids) == {
        agent.id
        for agent in agents
        if may_see_agent(principal, agent) and agent.archived_at is None
    }


@given(principal=PRINCIPALS, runs=st.lists(RUNS, max_size=8))
def test_runs(index, principal, runs):
    index.execute("DELETE FROM runs")
    for r in runs:
        index.execute(
            "INSERT INTO runs (id, agent_id, owner, agent_name, version, fingerprint, user_name,"
            " parameters, test, status, result, error, attempt, isolation, resource_usage,"
            " created_at) VALUES ($1, '', $2, '', '', '', $3, '{}', false, 'pending', 'null',"
            " 'null', 0, '', '{}', '2026-11-20')",
            [r.id, r.owner, r.user],
        )

    assert seen(index, runs_seen_by(principal), "runs") == {
        run.id for run in runs if may_see_run(principal, run)
    }
