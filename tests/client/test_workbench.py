"""The SDK does against a real gateway what it says, whether it is waited for or awaited."""

import json
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

import workbench
from workbench import Workbench
from workbench.client.requests import Request
from workbench.errors import (
    AgentNotFound,
    ExecutionFailed,
    ExecutionTimeout,
    IllegalMove,
    InvalidAgentConfig,
    InvalidInput,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    Unavailable,
)

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

GREETER = """\
# %% [markdown]
# # Greets <b>somebody</b>
# %% tags=["parameters"]
name: str = "Ada"  # whom to greet
times: int = 1
# %%
from workbench import agent

print("about to greet", name)
agent.file("greeting.txt", "hello")
agent.result({"text": f"hello {name}" * times, "test": agent.test})
"""
SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(600)"


def test_an_agent_is_made_published_and_run(wb, agent):
    made = agent(GREETER, publish=False)
    assert made.address == f"admin/{made.about['agent_name']}"
    assert made.description == "Greets <b>somebody</b>"
    assert [p["name"] for p in made.parameters] == ["name", "times"]
    assert made.current_version is None
    assert made.test() == {"text": "hello Ada", "test": True}

    assert made.publish("2.0.0", changelog="first", force=True)["version"] == "2.0.0"

    assert made.current_version == "2.0.0"
    assert [v["version"] for v in made.versions()] == ["2.0.0"]
    assert made.run(name="Eve", times=2) == {"text": "hello Evehello Eve", "test": False}
    assert wb.agents.get(made.address).run() == {"text": "hello Ada", "test": False}
    assert made.notebook()["nbformat"] == 4


def test_versions_are_compared_rolled_back_and_deprecated(wb, agent, notebook):
    made = agent(notebook("1"))
    made.save(notebook("2"))
    made.publish("2.0.0", force=True)

    assert made.compare("1.0.0", "2.0.0")
    made.roll_back("1.0.0")
    assert made.current_version == "1.0.0"
    deprecated = made.deprecate("2.0.0", "Use 1.0.0.")
    assert (deprecated["stage"], deprecated["deprecation_note"]) == ("deprecated", "Use 1.0.0.")
    assert [v["stage"] for v in made.versions()] == ["deprecated", "published"]


def test_a_run_is_started_followed_and_looked_into(wb, agent, tmp_path):
    run = agent(GREETER).start({"name": "Eve"})
    assert not run.status.settled

    events = list(run.events())

    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("run.started", "run.completed")
    assert list(run.events(after=len(events) - 1)) == events[-1:]
    assert run.wait() == "completed"
    assert run.result()["text"] == "hello Eve"
    assert run.logs() == ["about to greet Eve"]
    assert [f["path"] for f in run.files()] == ["greeting.txt"]
    assert run.download("greeting.txt", tmp_path).read_text() == "hello"
    assert run.download("greeting.txt", tmp_path / "new" / "x.txt").read_text() == "hello"
    assert run.notebook()["cells"]
    again = wb.runs.get(run.id)
    assert (again.id, again.status, again.reason) == (run.id, "completed", None)


def test_waiting_ends_in_time_and_a_run_is_called_off(agent):
    run = agent(SLOW).start()
    assert next(iter(run.events()))["type"] == "run.started"

    assert run.wait(0.2) == "running"
    with pytest.raises(Unavailable, match="goes on"):
        run.result(0.1)
    assert run.refresh() == "running"

    run.cancel()
    assert run.wait() == "cancelled"
    with pytest.raises(IllegalMove, match="called off"):
        run.result()


def test_a_run_that_fails_raises_where_its_result_is_wanted(agent):
    made = agent("1 / 0")

    with pytest.raises(ExecutionFailed, match="division") as raised:
        made.run()

    assert type(raised.value) is ExecutionFailed
    assert raised.value.details["ename"] == "ZeroDivisionError"
    assert raised.value.details["cell"]["source"] == "1 / 0"
    run = made.start()
    assert (run.wait(), run.reason) == ("failed", "agent_error")


def test_a_run_that_takes_too_long_is_told_from_one_that_fails(agent, notebook):
    made = agent(notebook("import time; time.sleep(60)", timeout_seconds=0.5))

    with pytest.raises(ExecutionTimeout):
        made.run()


def test_a_draft_is_saved_unless_somebody_else_was_faster(wb, agent, notebook, written):
    first = agent(GREETER)
    second = wb.agents.get(first.address)

    first.save(notebook("from workbench import agent\nagent.result(1)"))
    assert first.test() == 1
    assert first.run()["text"] == "hello Ada"
    with pytest.raises(PreconditionFailed):
        second.save(written("other.ipynb", "2"))

    first.attach("data.csv", b"1,2")
    first.publish(force=True)
    assert first.run() == 1
    assert first.about["files"] == [{"path": "data.csv", "size": 3}]


def test_lists_are_read_page_by_page_as_far_as_they_are_gone_through(wb, agent):
    made = agent(GREETER)
    ids = [made.start().id for _ in range(3)]

    listed = made.runs()
    assert [run.id for run in listed] == ids[::-1]
    assert [run.id for run in listed] == ids[::-1]
    assert made.address in [a.address for a in wb.agents.list("greets")]
    assert [run.id for run in wb.runs.list(agent=made.address)] == ids[::-1]
    assert list(made.runs(test=True)) == []


def test_more_than_a_page_is_listed_whole(wb):
    pages = {None: (["a", "b"], "2"), "2": (["c"], None)}

    class Paged:
        def page(self, cursor=None):
            yield Request(path="/healthz")
            return pages[cursor]

    assert list(wb.listed(Paged())) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda wb: wb.agents.get("nobody/nothing"), AgentNotFound),
        (lambda wb: wb.agents.get("nothing"), InvalidRequest),
        (lambda wb: wb.runs.get("0" * 32), NotFound),
        (lambda wb: wb.runs.get("../agents"), NotFound),
        (lambda wb: wb.agents.create("Not A Name", "1"), InvalidAgentConfig),
        (lambda wb: list(wb.runs.list(status="odd")), InvalidRequest),
    ],
    ids=["no agent", "no address", "no run", "no id", "no name", "no status"],
)
def test_what_is_refused_is_raised_as_it_was_there(wb, ask, kind):
    with pytest.raises(kind):
        ask(wb)


def test_wrong_parameters_are_refused_before_a_run(agent):
    made = agent(GREETER)

    with pytest.raises(InvalidInput):
        made.run(nonsense=1)
    assert list(made.runs()) == []


def test_a_notebook_is_examined_without_being_kept(wb, tmp_path):
    path = tmp_path / "greeter.py"
    path.write_text(GREETER)

    assert wb.agents.validate(path)["valid"] is True
    assert wb.agents.validate("def (:")["valid"] is False


def test_a_wrong_token_is_unknown(connect, gateway):
    with pytest.raises(Unauthenticated):
        list(connect(gateway[1].url, "wrong").agents.list())


def test_a_gateway_of_the_same_user_is_found_by_its_home(connect, gateway, monkeypatch, tmp_path):
    home, found = gateway
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    assert connect().url == found.url
    list(connect().agents.list())
    list(connect(found.url).agents.list())

    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    with pytest.raises(Unavailable, match="workbench serve"):
        connect()
    with pytest.raises(Unauthenticated, match="WORKBENCH_TOKEN"):
        connect(found.url)

    monkeypatch.setenv("WORKBENCH_URL", found.url)
    monkeypatch.setenv("WORKBENCH_TOKEN", found.token)
    list(connect().agents.list())


def test_tokens_are_listed_over_all_pages_and_usage_is_told_by_what_is_asked(wb):
    made = [wb.make_token(f"one of many {n}")["id"] for n in range(51)]

    listed = [token["id"] for token in wb.tokens()]

    assert [one for one in listed if one in made] == made[::-1]
    assert wb.usage(by="model") == []
    with pytest.raises(InvalidRequest):
        wb.usage(by="colour")


def test_nothing_shows_the_token(wb, gateway, agent):
    made = agent("1")
    run = made.start()

    shown = f"{wb!r} {made!r} {run!r} {gateway[1]!r}"

    assert gateway[1].token not in shown
    assert gateway[1].url in shown
    assert made.address in shown
    assert run.id in shown


def test_what_stands_in_a_notebook_is_escaped(gateway):
    with Workbench(gateway[1].url, gateway[1].token) as wb:
        made = wb.agents.create("escaped", GREETER)
        run = made.start({"name": "<script>alert(1)</script>"}, test=True)
        run.wait()

        shown = made._repr_html_() + run._repr_html_() + wb.agents.list()._repr_html_()
        shown += made.runs(test=True)._repr_html_() + made.runs()._repr_html_()

    assert "Greets &lt;b&gt;somebody" in shown
    assert "<b>" not in shown
    assert "<script>" not in shown
    assert 'data-status="completed"' in shown
    assert "There are none." in shown


def test_it_shows_itself_in_a_notebook(gateway, monkeypatch):
    home, _ = gateway
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    cells = [
        "from workbench import Workbench\nwb = Workbench()",
        "shown = wb.agents.create('shown', 'def agent_main():\\n    return 1', publish=True)\nshown",
        "shown.run()",
        "shown.runs()",
    ]
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])

    done = NotebookClient(document, timeout=60, kernel_name="python3").execute()

    agent, result, runs = (cell.outputs[0].data for cell in done.cells[1:])
    assert "admin/shown" in agent["text/html"]
    assert agent["text/plain"] == "<Agent admin/shown: published 1.0.0>"
    assert result["text/plain"] == "1"
    assert 'data-status="completed"' in runs["text/html"]


def test_the_public_names_are_these():
    assert workbench.__all__ == ["AsyncWorkbench", "Workbench", "agent"]
    assert set(workbench.__all__) <= set(dir(workbench))
    for name in workbench.__all__:
        assert getattr(workbench, name) is not None
    with pytest.raises(AttributeError):
        _ = workbench.nonsense


@pytest.mark.parametrize(
    ("statement", "unloaded"),
    [
        ("import workbench", ["workbench.client", "json", "http.client", "asyncio"]),
        ("from workbench import Workbench", ["IPython", "nbformat", "duckdb", "tornado", "click"]),
    ],
)
def test_importing_it_loads_nothing_that_is_not_needed(statement, unloaded):
    probe = (
        "import sys; before = set(sys.modules)\n"
        f"{statement}\n"
        "new = sorted(set(sys.modules) - before)\n"
        "import json; print(json.dumps(new))"
    )

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    loaded = json.loads(done.stdout)
    assert "workbench" in loaded
    assert not set(unloaded) & set(loaded)
