"""How runs have gone is told of those the caller may see, and test runs never count."""

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


@pytest.fixture(scope="module")
def ran(gateway, ada):
    """Two completed runs of ada's agent and a failed one, of which bob asked for one."""
    gateway.add("counted", "# %% tags=['parameters']\nn: int = 1\n# %%\n1 / n", token=ada)
    gateway.ask("PATCH", "/agents/ada/counted", {"visibility": "public"}, token=ada)
    tokens = [(ada, 1), (ada, 0), (gateway.newcomer("carl"), 2)]
    for token, n in tokens:
        body = {"parameters": {"n": n}}
        run = gateway.ask("POST", "/agents/ada/counted/runs", body, token=token).json
        gateway.wait(run["id"], token=token)
    test = gateway.ask("POST", "/agents/ada/counted/runs", {"test": True}, token=ada).json
    gateway.wait(test["id"], token=ada)
    return tokens[2][0]


def test_runs_are_summed_up_as_a_whole_by_day_and_by_agent(gateway, ada, ran):
    said = gateway.ask("GET", "/statistics?agent=ada/counted&days=2", token=ada).json

    assert (said["runs"], said["completed"], said["failed"], said["cancelled"]) == (3, 2, 1, 0)
    assert said["success_rate"] == pytest.approx(2 / 3, abs=1e-3)
    assert 0 < said["p50_ms"] <= said["p95_ms"]
    assert sum(day["runs"] for day in said["days"]) == 3
    (agent,) = said["agents"]
    assert (agent["agent"], agent["runs"]) == ("ada/counted", 3)


def test_only_what_the_caller_may_see_counts(gateway, bob, ran):
    assert gateway.ask("GET", "/statistics", token=ran).json["runs"] == 1
    seen = gateway.ask("GET", "/statistics", token=bob).json["agents"]
    assert "ada/counted" not in {agent["agent"] for agent in seen}


def test_nothing_is_told_of_agents_one_may_not_know_of(gateway, ada, bob):
    gateway.add("uncounted", "1", token=ada)

    said = gateway.ask("GET", "/statistics?agent=ada/uncounted", token=bob)

    assert (said.status, said.code) == (404, "AgentNotFound")


@pytest.mark.parametrize("query", ["days=0", "days=367", "days=x", "days=-1", "hours=1"])
def test_a_span_that_makes_no_sense_is_refused(gateway, query):
    said = gateway.ask("GET", f"/statistics?{query}")

    assert (said.status, said.code) == (400, "InvalidRequest")


def test_who_one_is_is_told_to_those_with_a_token(gateway, ada):
    assert gateway.ask("GET", "/me", token=ada).json == {"user": "ada", "role": "author"}
    assert gateway.ask("GET", "/me", token=None).status == 401
