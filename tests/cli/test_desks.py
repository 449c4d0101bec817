"""A command does the same whether a gateway owns the home or nobody does."""

import json
import signal
import time
import uuid

import pytest

from workbench.client.finding import gateway_of
from workbench.client.http import Gateway

pytestmark = pytest.mark.kernel

FAILS = "1 / 0"


@pytest.fixture
def at(ask, any_home):
    """Asks in a home that other tests have used, in JSON."""

    def at(*arguments):
        return ask(*arguments, "--home", any_home, "--json")

    return at


def left_by_a_run(home, name, process):
    """The file of that name in the working folder of a run, as soon as it is there.

    Nothing else of a run's is within our reach, nor anything of ours within a run's.
    """
    while not (found := list((home / "scratch" / "runs").glob(f"*/*/{name}"))):
        assert process.poll() is None
        time.sleep(0.02)
    return found[0]


@pytest.fixture
def own(greeter):
    """The greeter under a name that no other test uses; its name is `own.stem`."""
    return greeter.rename(greeter.with_name(f"greeter-{uuid.uuid4().hex[:8]}.py"))


@pytest.fixture
def published(at, own):
    """The name of the published greeter."""
    assert at("agents", "add", own, "--publish").code == 0
    return own.stem


def refused(answer):
    return answer.code, answer.json["error"]["code"]


def test_an_agent_is_added_listed_shown_and_published(at, own):
    added = at("agents", "add", own)
    assert (added.json["owner"], added.json["agent_name"]) == ("admin", own.stem)
    assert (added.json["stage"], added.json["created"]) == ("draft", True)

    listed = at("agents", "list").json
    assert listed["items"][0]["agent_name"] == own.stem

    shown = at("agents", "show", f"admin/{own.stem}").json
    assert [p["name"] for p in shown["parameters"]] == ["name", "times"]
    assert shown["description"] == "Greets somebody"

    version = at("agents", "publish", own.stem, "--version", "2.1.0", "--changelog", "first").json
    assert (version["agent"], version["version"]) == (f"admin/{own.stem}", "2.1.0")
    assert at("agents", "show", own.stem).json["current_version"] == "2.1.0"


def test_adding_again_changes_the_draft_and_publishing_makes_the_next_version(at, own):
    assert at("agents", "add", own, "--publish").json["current_version"] == "1.0.0"

    again = at("agents", "add", own, "--publish").json
    assert (again["created"], again["changed"]) == (False, False)
    assert again["current_version"] == "1.0.0"

    own.write_text(own.read_text().replace("hello", "goodbye"))
    changed = at("agents", "add", own).json
    assert (changed["changed"], changed["draft_differs"]) == (True, True)
    assert at("run", own.stem).json["result"]["text"] == "hello Ada"

    at("agents", "add", own, "--publish")
    assert at("run", own.stem).json["result"]["text"] == "goodbye Ada"
    assert at("run", f"{own.stem}@1.0.0").json["result"]["text"] == "hello Ada"
    assert at("run", f"{own.stem}@1.1.0").json["version"] == "1.1.0"


def test_files_travel_with_an_agent(at, written, elsewhere):
    (elsewhere / "data").mkdir()
    (elsewhere / "data" / "prices.csv").write_text("1,2,3")
    (elsewhere / "reader.py").write_text(
        "from workbench import agent\nagent.result(open('data/prices.csv').read())"
    )

    added = at("agents", "add", "reader.py", "--with", "data/prices.csv", "--publish")

    assert added.json["files"] == [{"path": "data/prices.csv", "size": 5}]
    assert at("run", "reader").json["result"] == "1,2,3"


def test_a_failing_case_keeps_an_agent_from_being_published(at, written):
    answer = at("agents", "add", written("bad.ipynb", FAILS), "--publish")

    assert answer.code == 1
    assert answer.json["error"]["code"] == "ChecksFailed"
    run_id = answer.json["error"]["details"]["cases"][0]["run_id"]
    assert at("runs", "show", run_id).json["error"]["ename"] == "ZeroDivisionError"
    assert at("agents", "show", "bad").json["stage"] == "draft"
    assert at("agents", "publish", "bad", "--force").json["version"] == "1.0.0"


def test_a_published_agent_runs_and_the_run_is_remembered(at, published):
    run = at("run", f"admin/{published}", "-p", "name", "Eve", "-p", "times", "2")

    assert run.code == 0
    assert run.json["result"] == {"text": "hello Evehello Eve", "test": False}
    assert {"run_id", "status", "reason", "result"} <= set(run.json)
    shown = at("runs", "show", run.json["run_id"]).json
    assert shown == run.json
    assert at("runs", "logs", run.json["run_id"]).json["lines"] == ["about to greet Eve"]


def test_the_executed_notebook_is_to_be_had_at_once_and_later(at, published, elsewhere):
    first, second = elsewhere / "first.ipynb", elsewhere / "second.ipynb"

    run = at("run", published, "-o", first).json
    assert at("runs", "notebook", run["run_id"], "-o", second).code == 0

    assert first.read_bytes() == second.read_bytes()
    assert json.loads(first.read_bytes())["nbformat"] == 4


def test_a_failed_run_of_an_agent_ends_with_1(at, written):
    at("agents", "add", written("failing.ipynb", FAILS), "--publish", "--force")

    run = at("run", "failing")

    assert (run.code, run.json["status"], run.json["reason"]) == (1, "failed", "agent_error")


def test_a_draft_runs_as_a_test_only(at, own):
    at("agents", "add", own)

    assert refused(at("run", own.stem)) == (2, "IllegalMove")
    assert at("run", own.stem, "--test").json["result"]["test"] is True
    assert at("run", f"{own.stem}@draft", "--test").json["version"] == "draft"


def test_a_changed_draft_takes_its_own_parameters(at, own, published):
    own.write_text(own.read_text().replace("times: int = 1", "times: int = 1\nloud: bool = False"))
    at("agents", "add", own)

    assert refused(at("run", published, "-p", "loud", "true")) == (2, "InvalidInput")
    run = at("run", f"{own.stem}@draft", "--test", "-p", "loud", "true")
    assert run.json["parameters"] == {"loud": True}


def test_test_runs_are_listed_by_themselves(at, published):
    run = at("run", published).json
    test = at("run", published, "--test").json

    listed = {r["id"] for r in at("runs", "list").json["items"]}
    assert run["run_id"] in listed
    assert test["run_id"] not in listed
    assert test["run_id"] in {r["id"] for r in at("runs", "list", "--test").json["items"]}


def test_runs_are_listed_by_agent_and_status_page_by_page(at, own, published):
    at("agents", "add", own, "--name", "other", "--publish")
    ids = [at("run", name).json["run_id"] for name in (published, "other", published)]

    assert [r["id"] for r in at("runs", "list").json["items"]][:3] == ids[::-1]
    assert [r["id"] for r in at("runs", "list", "--agent", "other").json["items"]] == [ids[1]]
    failed = at("runs", "list", "--agent", "other", "--status", "failed").json
    assert failed == {"items": [], "next_cursor": None}
    first = at("runs", "list", "--limit", "2").json
    rest = at("runs", "list", "--limit", "1", "--cursor", first["next_cursor"]).json
    assert [r["id"] for r in first["items"] + rest["items"]] == ids[::-1]


def test_agents_are_searched_page_by_page(at, own):
    for name in ("north", "south", "southwest"):
        at("agents", "add", own, "--name", name)

    found = at("agents", "list", "-q", "south").json["items"]
    assert [a["agent_name"] for a in found] == ["southwest", "south"]
    first = at("agents", "list", "--limit", "2").json
    rest = at("agents", "list", "--limit", "1", "--cursor", first["next_cursor"]).json
    names = [a["agent_name"] for a in first["items"] + rest["items"]]
    assert names == ["southwest", "south", "north"]


def test_a_deleted_agent_is_gone_from_the_list_and_cannot_be_run(at, published):
    assert at("agents", "delete", published).json == {
        "agent": f"admin/{published}",
        "stage": "archived",
    }

    listed = at("agents", "list").json["items"]
    assert published not in {a["agent_name"] for a in listed}
    assert at("run", published).code == 2


def test_tokens_are_made_listed_and_revoked(at):
    made = at("token", "create", "laptop", "--user", "ada", "--days", "7").json
    assert made["token"].startswith("wb_")
    assert (made["name"], made["user"]) == ("laptop", "ada")
    assert at("token", "create", "bob").json["user"] == "bob"

    listed = at("token", "list").json["items"]
    first = at("token", "list", "--limit", "1").json
    rest = at("token", "list", "--cursor", first["next_cursor"]).json
    assert [*first["items"], *rest["items"]] == listed
    assert rest["next_cursor"] is None
    assert {"laptop", "bob"} <= {t["name"] for t in listed}
    assert not any("token" in t or "digest" in t for t in listed)

    assert at("token", "revoke", "laptop").json["revoked_at"]
    assert refused(at("token", "revoke", "laptop")) == (2, "NotFound")
    assert at("token", "revoke", made["id"]).code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "nobody/nothing"), "AgentNotFound"),
        (("run", "greeter@9.9.9"), "NotFound"),
        (("run", "greeter", "-p", "nonsense", "1"), "InvalidInput"),
        (("run", "greeter", "-p", "times", "many"), "InvalidInput"),
        (("run", "greeter", "-p", "test", "true"), "InvalidInput"),
        (("agents", "show", "nobody/nothing"), "AgentNotFound"),
        (("agents", "show", "greeter@1.0.0"), "InvalidRequest"),
        (("agents", "show", "Not A Name"), "InvalidRequest"),
        (("agents", "publish", "nobody/nothing"), "AgentNotFound"),
        (("agents", "publish", "greeter", "--version", "1.0.0"), "VersionConflict"),
        (("agents", "publish", "greeter", "--version", "one"), "InvalidRequest"),
        (("agents", "delete", "nobody/nothing"), "AgentNotFound"),
        (("agents", "list", "--cursor", "nonsense"), "InvalidRequest"),
        (("agents", "add", "gone.ipynb"), "NotFound"),
        (("agents", "add", "broken.ipynb"), "InvalidAgentConfig"),
        (("agents", "add", "greeter.py", "--with", "gone.csv"), "NotFound"),
        (("agents", "add", "greeter.py", "--name", "Not A Name"), "InvalidAgentConfig"),
        (("agents", "add", "greeter.py", "--name", "execute"), "InvalidAgentConfig"),
        (("runs", "show", "nothing"), "NotFound"),
        (("runs", "show", "../../agents"), "NotFound"),
        (("runs", "logs", "nothing"), "NotFound"),
        (("runs", "cancel", "nothing"), "NotFound"),
        (("runs", "notebook", "nothing", "-o", "out.ipynb"), "NotFound"),
        (("runs", "list", "--agent", "nobody/nothing"), "AgentNotFound"),
        (("token", "create", "x" * 101, "--user", "ada"), "InvalidRequest"),
        (("token", "create", "x", "--user", "Not A Name"), "InvalidRequest"),
        (("token", "create", "x", "--days", "-1"), "InvalidRequest"),
        (("token", "revoke", "nothing"), "NotFound"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else value,
)
def test_a_wrong_request_ends_with_2(ask, unchanged_home, greeter, elsewhere, arguments, code):
    (elsewhere / "broken.ipynb").write_text("{")

    answer = ask(*arguments, "--home", unchanged_home, "--json")

    assert refused(answer) == (2, code)
    assert not (elsewhere / "out.ipynb").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_told_to_end_calls_the_run_off(at, any_home, start, written, number):
    tell = "import time\nopen('there', 'w').close()"
    at("agents", "add", written("slow.ipynb", tell, "time.sleep(600)"), "--publish", "--force")
    process = start("run", "slow", "--json", "--home", any_home)
    left_by_a_run(any_home, "there", process)

    process.send_signal(number)
    printed, said = process.communicate(timeout=30)

    assert process.returncode == 1, said
    run = json.loads(printed)
    assert (run["status"], run["reason"]) == ("cancelled", "cancelled_by_user")
    assert at("runs", "show", run["run_id"]).json["status"] == "cancelled"


def test_a_run_that_has_ended_cannot_be_called_off_but_nothing_breaks(at, published):
    run = at("run", published).json

    assert at("runs", "cancel", run["run_id"]).json["status"] == "completed"


@pytest.mark.gateway
def test_a_command_leaves_waiting_runs_to_the_next_gateway(
    ask, start, home, greeter, written, gateway_on
):
    one_at_a_time = {"WORKBENCH_RUNS_AT_ONCE": "1"}
    gateway = start("serve", "--port", 0, "--home", home, env=one_at_a_time)
    assert any(line.startswith("gateway: ") for line in gateway.stdout)
    slow = written("slow.ipynb", "import time; time.sleep(600)")
    ask("agents", "add", slow, "--publish", "--force", "--home", home)
    ask("agents", "add", greeter, "--publish", "--force", "--home", home)
    desk = Gateway(gateway_of(home).url, gateway_of(home).token)
    begun = desk.ask("POST", "/agents/admin/slow/runs", body={}).json()["id"]
    assert next(desk.events(begun))["type"] == "run.started"
    waiting = desk.ask("POST", "/agents/admin/greeter/runs", body={}).json()["id"]

    gateway.kill()
    gateway.wait()
    lost = ask("runs", "show", begun, "--home", home, "--json").json
    assert (lost["status"], lost["reason"]) == ("failed", "gateway_restarted")
    assert ask("runs", "show", waiting, "--home", home, "--json").json["status"] == "pending"
    assert ask("runs", "logs", waiting, "--home", home, "--json").json["lines"] == []

    with gateway_on(home):
        list(Gateway(gateway_of(home).url, gateway_of(home).token).events(waiting))
        assert ask("runs", "show", waiting, "--home", home, "--json").json["status"] == "completed"


@pytest.mark.gateway
def test_a_run_in_a_gateway_can_be_called_off_from_elsewhere(ask, owned, start, written):
    slow = written("slow.ipynb", "import time; time.sleep(600)")
    ask("agents", "add", slow, "--publish", "--force", "--home", owned)
    waiter = start("run", "slow", "--json", "--home", owned)
    desk = Gateway(gateway_of(owned).url, gateway_of(owned).token)
    while not (runs := desk.ask("GET", "/runs").json()["items"]):
        assert waiter.poll() is None
    (run,) = runs
    assert next(desk.events(run["id"]))["type"] == "run.started"

    assert ask("runs", "cancel", run["id"], "--home", owned).code == 0

    printed, _ = waiter.communicate(timeout=30)
    assert waiter.returncode == 1
    assert json.loads(printed)["status"] == "cancelled"


def test_a_home_that_another_command_is_using_is_refused(ask, home, start, written):
    wait = "while not os.path.exists('back'):\n    time.sleep(0.02)"
    busy = written("busy.ipynb", f"import os, time\nopen('there', 'w').close()\n{wait}")
    ask("agents", "add", busy, "--publish", "--force", "--home", home)
    process = start("run", "busy", "--home", home)
    there = left_by_a_run(home, "there", process)

    answer = ask("agents", "list", "--home", home, "--json")

    assert (answer.code, answer.json["error"]["code"]) == (3, "HomeInUse")
    assert answer.json["error"]["details"]["pid"] == process.pid
    there.with_name("back").touch()
    assert process.wait(30) == 0
