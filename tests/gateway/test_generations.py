"""Over HTTP, with real kernels: a description becomes a draft, in the sandbox or not at all."""

import json
import time

import pytest

from tests.gateway.conftest import Gateway
from tests.services.writing import PLAN, RESULT, cells, repair

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

WISH = {"agent_name": "doubler", "description": "Double a number"}


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    """A gateway whose scripted model writes agents: what it says depends on what is described."""
    folder = tmp_path_factory.mktemp("writer")
    canary = folder / "canary"
    hostile = f"open({str(canary)!r}, 'w').write('here')\ndoubled = n * 2"
    greedy = f"import os\ndoubled = sorted(os.listdir({str(folder.parent)!r}))"
    said = {
        "Plan an agent": PLAN,
        "n * 3": repair("doubled = n * 2"),
        "Repair these": repair(give_up=True),
        "===\nhostile": cells(hostile),
        "===\ngreedy": cells(greedy),
        "===\nslow": cells("while True:\n    pass\ndoubled = 1"),
        "===\nDouble": cells("doubled = n * 3"),
    }
    script = [
        {"when": {"last_user": words}, "reply": {"json": value}} for words, value in said.items()
    ]
    gateway = Gateway(folder / "home", env={"WORKBENCH_MODELS": json.dumps({"script": script})})
    gateway.canary = canary
    yield gateway
    code, _ = gateway.stop()
    log = gateway.log.read_text(errors="replace")
    assert code == 0, log[-3000:]
    assert "Traceback" not in log, log[-3000:]


def settled(gateway, body, *, token=""):
    begun = gateway.ask("POST", "/agents/generate", body, token=token)
    assert begun.status == 202, begun.body
    assert begun.headers["Location"] == f"/generations/{begun.json['id']}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        said = gateway.ask("GET", f"{begun.headers['Location']}?wait=20", token=token)
        assert set(said.json) == set(begun.json)
        if said.json["status"] != "pending":
            assert "Retry-After" not in said.headers
            return said.json
        assert said.headers["Retry-After"] == "1"
    raise AssertionError(said.json)


def test_a_description_is_planned_written_tried_repaired_and_kept_as_a_draft(writer):
    done = settled(writer, WISH)

    assert (done["status"], done["verified"], done["error"]) == ("drafted", True, None)
    assert (done["agent"], done["source"], done["calls"]) == ("admin/doubler", "model", 3)
    first, second = done["rounds"]
    assert [p["code"] for p in first["problems"]] == ["CaseFailed"]
    assert (first["problems"][0]["expected"], first["problems"][0]["result"]) == (6, 9)
    assert [(c["id"], c["change"]) for c in second["changes"]] == [("cell-1", "changed")]
    assert [line["op"] for line in second["changes"][0]["lines"]] == ["-", "+"]
    assert second["problems"] == []

    about = writer.ask("GET", "/agents/admin/doubler/about").json
    assert (about["stage"], about["current_version"], about["cases"]) == ("draft", None, ["three"])
    # Each case was a test run like any other, of a draft like any other.
    runs = writer.ask("GET", "/runs?test=true&agent=admin/doubler").json["items"]
    assert [(run["status"], run["version"]) for run in runs] == [("completed", "draft")] * 2
    assert writer.ask("GET", "/agents/admin/doubler?test=true&n=21").json == 42
    assert writer.ask("POST", "/agents/admin/doubler/versions").json["version"] == "1.0.0"
    usage = writer.ask("GET", "/usage?by=user").json["items"]
    assert next(one for one in usage if one["user"] == "admin")["calls"] >= 3


def test_a_plan_is_shown_first_changed_and_gone_on_from(writer):
    planned = settled(writer, {**WISH, "agent_name": "planned", "plan_only": True})
    assert (planned["status"], planned["agent"], planned["calls"]) == ("planned", None, 1)
    assert writer.ask("GET", "/agents/admin/planned/about").status == 404

    plan = planned["plan"]
    plan["title"] = "My doubler"
    plan["cases"].append({"name": "none", "parameters": {"n": 0}, "expect": 0})
    done = settled(writer, {"agent_name": "planned", "description": "Double it", "plan": plan})

    assert (done["status"], done["verified"], done["plan"]) == ("drafted", True, plan)
    notebook = writer.ask("GET", "/agents/admin/planned/notebook").json
    assert notebook["cells"][0]["source"].startswith("# My doubler")
    assert len(notebook["metadata"]["workbench"]["cases"]) == 2


@pytest.mark.parametrize("words", ["hostile", "greedy"])
def test_what_a_model_writes_runs_behind_the_wall_alone(writer, words):
    done = settled(writer, {"agent_name": words, "description": words})

    assert not writer.canary.exists()
    [only] = done["rounds"]
    assert (done["status"], done["verified"], only["tried"]) == ("drafted", False, True)
    # What lies in the folder that holds the home is not to be seen.
    message = only["problems"][0]["message"]
    assert words == "hostile" or "FileNotFoundError" in message or "PermissionError" in message


def test_it_can_be_given_up(writer):
    begun = writer.ask("POST", "/agents/generate", {"agent_name": "slow", "description": "slow"})
    path = begun.headers["Location"]
    while writer.ask("GET", path).json["step"] != "trying":
        time.sleep(0.02)

    given_up = writer.ask("POST", f"{path}/cancel")

    assert (given_up.status, given_up.json["status"]) == (202, "cancelled")
    assert writer.ask("GET", path).json == given_up.json
    [run] = writer.ask("GET", "/runs?test=true&agent=admin/slow").json["items"]
    assert writer.wait(run["id"])["status"] == "cancelled"


def test_without_a_model_a_starter_is_filled_tried_and_says_so(gateway):
    done = settled(gateway, {"agent_name": "sums", "description": "Sum the rows of a table."})

    assert (done["source"], done["status"], done["verified"]) == ("starter", "drafted", True)
    assert (done["calls"], len(done["rounds"])) == (0, 1)
    assert gateway.ask("GET", "/agents/admin/sums?test=true&rows=[1,2]").json["sum"] == 3.0
    talks = settled(gateway, {"agent_name": "talks", "description": "Translate what I write."})
    assert talks["verified"]


def test_nobody_else_knows_of_it(gateway, ada, bob):
    done = settled(gateway, {"agent_name": "hers", "description": "Be kind."}, token=ada)

    assert done["agent"] == "ada/hers"
    for method, path in (("GET", ""), ("POST", "/cancel")):
        said = gateway.ask(method, f"/generations/{done['id']}{path}", token=bob)
        assert (said.status, said.code) == (404, "NotFound")
    viewer = gateway.newcomer("vera", "viewer")
    said = gateway.ask("POST", "/agents/generate", WISH, token=viewer)
    assert (said.status, said.code) == (403, "InsufficientPermissions")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "InvalidAgentConfig"),
        ({**WISH, "surprise": 1}, 400, "InvalidRequest"),
        ({**WISH, "agent_name": 1}, 400, "InvalidRequest"),
        ({**WISH, "agent_name": "No Name"}, 422, "InvalidAgentConfig"),
        ({**WISH, "agent_name": "greeter"}, 409, "DuplicateAgentName"),
        ({**WISH, "description": ""}, 400, "InvalidRequest"),
        ({**WISH, "plan": {"title": "x"}}, 400, "InvalidRequest"),
        ({**WISH, "plan": []}, 400, "InvalidRequest"),
        ({**WISH, "repairs": 6}, 400, "InvalidRequest"),
        ({**WISH, "repairs": True}, 400, "InvalidRequest"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(gateway, body, status, code):
    said = gateway.ask("POST", "/agents/generate", body)
    assert (said.status, said.code) == (status, code), said.body


def test_the_result_cell_is_the_one_that_was_written(writer):
    notebook = writer.ask("GET", "/agents/admin/doubler/notebook").json
    assert notebook["cells"][-1]["source"] == RESULT
