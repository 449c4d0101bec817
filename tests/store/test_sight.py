"""The index shows exactly the rows that the domain lets somebody see."""

from dataclasses import replace

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.samples import NOON, a_run, an_agent
from workbench.domain.access import Principal, Role, may_see_agent, may_see_run
from workbench.domain.agents import Visibility
from workbench.store.conditions import where
from workbench.store.migrations import migrate
from workbench.store.sight import agents_seen_by, runs_seen_by

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
def test_agents(index, principal, agents):
    index.execute("DELETE FROM agents")
    for a in agents:
        index.execute(
            "INSERT INTO agents VALUES ($1, $2, $3, '', '{}', $4, NULL, $5, '{}', '', $6, $6, $7)",
            [
                a.id,
                a.owner,
                a.name,
                a.current_version,
                str(a.visibility),
                "2026-11-20",
                a.archived_at,
            ],
        )

    assert seen(index, agents_seen_by(principal), "agents") == {
        agent.id for agent in agents if may_see_agent(principal, agent)
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
