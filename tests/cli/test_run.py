"""A notebook on disk runs as papermill would run it, here and now, and leaves what was asked for."""

import json
import os
import signal

import pytest

pytestmark = pytest.mark.kernel


@pytest.fixture
def slow(written, elsewhere):
    """A notebook that tells its process over a pipe and goes on for ever, and the pipe."""
    pipe = elsewhere / "pipe"
    os.mkfifo(pipe)
    tell = f"import os, time\nwith open({str(pipe)!r}, 'w') as f:\n    f.write(str(os.getpid()))"
    return written("slow.ipynb", tell, "time.sleep(600)"), pipe


def output_of(path):
    cells = json.loads(path.read_bytes())["cells"]
    texts = [o["text"] for c in cells for o in c.get("outputs", ()) if o["output_type"] == "stream"]
    return "".join("".join(text) for text in texts)


def test_the_result_is_printed_and_nothing_else(ask, greeter):
    answer = ask("run", greeter)

    assert answer.code == 0
    assert json.loads(answer.out) == {"text": "hello Ada", "test": False}
    assert answer.err == ""


def test_json_is_one_object_with_the_names_of_the_contract(ask, greeter):
    answer = ask("run", greeter, "-p", "times", "2", "--json")

    assert answer.code == 0
    run = answer.json
    assert run.pop("run_id")
    assert run.pop("execution_time_ms") > 0
    assert run.pop("resource_usage")
    assert run == {
        "status": "completed",
        "reason": None,
        "test": False,
        "parameters": {"times": 2},
        "result": {"text": "hello Adahello Ada", "test": False},
        "error": None,
        "isolation": "none",
    }
    assert len(answer.out.splitlines()) == 1


def test_a_test_run_says_so(ask, greeter):
    assert ask("run", greeter, "--test", "--json").json["result"]["test"] is True


def test_a_notebook_that_never_heard_of_agents_runs_too(ask, written):
    answer = ask("run", written("plain.ipynb", "1 + 1"))

    assert (answer.code, answer.out) == (0, "null\n")


def test_the_executed_notebook_is_written(ask, greeter, elsewhere):
    out = elsewhere / "out.ipynb"

    assert ask("run", greeter, "-p", "name", "Eve", "-o", out).code == 0

    assert output_of(out) == "about to greet Eve\n"
    assert json.loads(out.read_bytes())["metadata"]["papermill"]["parameters"]["name"] == "Eve"


def test_it_runs_in_the_current_folder_and_sees_what_lies_there(ask, written, elsewhere):
    (elsewhere / "neighbour.py").write_text("answer = 42")
    (elsewhere / "data.txt").write_text("data")
    cell = """\
import os, neighbour
from workbench import agent
agent.result([os.getcwd(), neighbour.answer, open("data.txt").read()])"""

    answer = ask("run", written("a.ipynb", cell), "--json")

    assert answer.json["result"] == [str(elsewhere), 42, "data"]


def test_it_has_its_users_environment_but_none_of_our_settings(ask, written, home):
    cell = """\
import os
from workbench import agent
agent.result([os.environ.get("MINE"), "WORKBENCH_TOKEN" in os.environ])"""
    env = {"MINE": "yes", "WORKBENCH_TOKEN": "a-very-long-secret-token"}

    answer = ask("run", written("a.ipynb", cell), "--json", env=env)

    assert answer.json["result"] == ["yes", False]
    assert not home.exists()


def test_a_failed_run_ends_with_1_and_says_where(ask, written, elsewhere):
    out = elsewhere / "out.ipynb"
    path = written("bad.ipynb", "print('so far')", "# Divide\n1 / 0", "print('never')")

    answer = ask("run", path, "-o", out)

    assert answer.code == 1
    assert answer.out == ""
    assert answer.err.startswith("error: The run failed (agent_error): ZeroDivisionError")
    assert "'# Divide'" in answer.err
    assert output_of(out) == "so far\n"


def test_a_failed_run_is_one_object_too(ask, written):
    answer = ask("run", written("bad.ipynb", "1 / 0"), "--json")

    assert answer.code == 1
    assert (answer.json["status"], answer.json["reason"]) == ("failed", "agent_error")
    assert answer.json["result"] is None
    assert answer.json["error"]["ename"] == "ZeroDivisionError"
    assert answer.json["error"]["cell"]["source"] == "1 / 0"


@pytest.mark.parametrize("cell", ["exit()", "import sys; sys.exit(0)", "input()"])
def test_leaving_early_is_no_success(ask, written, cell):
    answer = ask("run", written("leave.ipynb", cell), "--json")

    assert (answer.code, answer.json["reason"]) == (1, "agent_error")


def test_a_kernel_that_dies_is_a_failed_run(ask, written):
    answer = ask("run", written("die.ipynb", "import os; os._exit(0)"), "--json")

    assert (answer.code, answer.json["reason"]) == (1, "kernel_died")


def test_its_own_deadline_holds(ask, written):
    path = written("slow.ipynb", "import time; time.sleep(600)", timeout_seconds=0.3)

    answer = ask("run", path, "--json")

    assert (answer.code, answer.json["reason"]) == (1, "timeout")


def test_a_result_that_breaks_the_schema_is_a_failed_run(ask, written):
    cell = "from workbench import agent; agent.result('text')"
    path = written("a.ipynb", cell, output_schema={"type": "integer"})

    answer = ask("run", path, "--json")

    assert (answer.code, answer.json["reason"]) == (1, "invalid_output")
    assert answer.json["result"] is None


def test_a_kernel_that_cannot_be_had_is_not_the_notebooks_fault(ask, written):
    path = written("a.ipynb", "1")
    document = json.loads(path.read_text())
    document["metadata"]["kernelspec"] = {"name": "nosuch", "display_name": "x", "language": "x"}
    path.write_text(json.dumps(document))

    answer = ask("run", path, "--json")

    assert (answer.code, answer.json["reason"]) == (3, "kernel_start_failed")


def test_an_undeclared_parameter_is_mentioned_and_set_all_the_same(ask, written):
    cell = "from workbench import agent; agent.result([a, b, c, d])"
    path = written("a.ipynb", ("a = 1", "parameters"), cell)

    answer = ask(
        "run", path, "--json", *("-p", "b", "1.5"), *("-p", "c", "True"), *("-p", "d", "x y")
    )

    assert answer.json["result"] == [1, 1.5, True, "x y"]
    assert answer.err.count("warning: ") == 3


def test_parameters_can_come_from_the_environment(ask, greeter):
    answer = ask("run", greeter, "--json", env={"WORKBENCH_PARAMETER": "name Bob times 2"})

    assert answer.json["parameters"] == {"name": "Bob", "times": 2}


def test_async_cells_magics_and_plots_run_as_in_jupyter(ask, written, elsewhere):
    out = elsewhere / "out.ipynb"
    path = written("a.ipynb", "import asyncio\nawait asyncio.sleep(0)", "%time 1", "!echo shell")

    assert ask("run", path, "-o", out).code == 0
    assert "shell" in output_of(out)


def test_no_home_is_made(ask, greeter, home):
    ask("run", greeter, "--home", home)

    assert not home.exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("gone.ipynb",), "NotFound"),
        (("broken.ipynb",), "InvalidAgentConfig"),
        (("greeter.py", "-p", "times", "many"), "InvalidInput"),
        (("greeter.py", "-p", "test", "true"), "InvalidInput"),
        (("greeter.py", "-p", "x; import os", "1"), "InvalidInput"),
        (("greeter.py", "-p", "name", "a", "-p", "name", "b"), "InvalidInput"),
        (("required.py",), "InvalidInput"),
        (("greeter.py", "-o", "missing/out.ipynb"), "InvalidRequest"),
        (("no such/thing",), "InvalidRequest"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_wrong_request_starts_no_kernel(ask, greeter, elsewhere, arguments, code):
    (elsewhere / "broken.ipynb").write_text("{")
    (elsewhere / "required.py").write_text('# %% tags=["parameters"]\nname: str\n')

    answer = ask("run", *arguments, "--json")

    assert answer.code == 2
    assert answer.json["error"]["code"] == code
    assert not (elsewhere / "out.ipynb").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_told_to_end_calls_the_run_off_and_leaves_nothing(start, slow, elsewhere, number):
    path, pipe = slow
    out = elsewhere / "out.ipynb"
    process = start("run", path, "--json", "-o", out)
    with pipe.open() as told:
        kernel = int(told.read())

    process.send_signal(number)
    printed, said = process.communicate(timeout=30)

    assert process.returncode == 1, said
    run = json.loads(printed)
    assert (run["status"], run["reason"]) == ("cancelled", "cancelled_by_user")
    assert len(json.loads(out.read_bytes())["cells"]) >= 2
    assert list(start.scratch.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)


def test_a_run_leaves_no_folder_and_no_process(start, greeter):
    process = start("run", greeter)

    assert json.loads(process.communicate(timeout=60)[0])["text"] == "hello Ada"
    assert list(start.scratch.iterdir()) == []


def test_a_deep_folder_for_temporary_files_is_no_obstacle(start, greeter, elsewhere):
    deep = elsewhere / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    process = start("run", greeter, "--json", env={"TMPDIR": str(deep)})
    printed, said = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert json.loads(printed)["status"] == "completed"
