"""A notebook goes in, an outcome comes out, and nothing else is left."""

import asyncio
import gc
import json
import os

import pytest

from workbench.domain.events import EventType
from workbench.domain.limits import Limits
from workbench.domain.runs import Reason, RunStatus
from workbench.kernels import CellRecord, Task, Wanted
from workbench.kernels.environment import at_home
from workbench.kernels.executor import NotebookExecutor
from workbench.kernels.ordinary import OrdinaryKernels
from workbench.kernels.pool import Pool
from workbench.notebook.document import dump, load

pytestmark = pytest.mark.kernel

HAND_OVER = "from workbench import agent\nagent.result({'n': n + 1, 'test': test})"


def ignored(type, data):
    """Nobody listens."""


LEVELS = {"forked": "namespaces", "ordinary": "none"}


def test_a_run_completes_with_its_result(carried, kernels):
    run = carried(("n = 1", "parameters"), HAND_OVER, parameters={"n": 41})

    outcome = run.outcome
    assert (outcome.status, outcome.reason, outcome.error) == (RunStatus.COMPLETED, None, None)
    assert outcome.result == {"n": 42, "test": False}
    assert outcome.isolation == LEVELS[kernels.sort]
    assert [(cell.id, cell.index, cell.status) for cell in outcome.cells] == [
        ("cell-0", 0, "completed"),
        ("injected-parameters", None, "completed"),
        ("cell-1", 1, "completed"),
    ]
    assert all(cell.ms > 0 for cell in outcome.cells)


def test_what_happens_is_reported_as_it_happens(carried):
    cell = (
        "from workbench import agent\n"
        "agent.log('info', 'reading', rows=3)\n"
        "agent.progress(0.5, 'half way')\n"
        "print('hello')\n"
        "agent.result([1])"
    )

    run = carried(cell)

    place = {"cell": "cell-0", "index": 0}
    mine = [(type, data) for type, data in run.events if data["cell"] == "cell-0"]
    assert mine[-1][1].pop("ms") > 0
    assert mine[-1][1].pop("resource_usage")["cpu_ms"] > 0
    assert mine == [
        (EventType.CELL_STARTED, place | {"of": 2}),
        (EventType.LOG, place | {"level": "info", "message": "reading", "fields": {"rows": 3}}),
        (EventType.PROGRESS, place | {"fraction": 0.5, "message": "half way"}),
        (EventType.OUTPUT, place | {"kind": "stream", "name": "stdout", "text": "hello\n"}),
        (EventType.RESULT, place | {"value": [1]}),
        (EventType.CELL_FINISHED, place | {"status": "completed"}),
    ]


def test_a_notebook_that_never_imports_the_agent_has_no_result(carried):
    outcome = carried("print('hello')").outcome

    assert (outcome.status, outcome.result) == (RunStatus.COMPLETED, None)


def test_check_cells_run_in_test_runs_and_live_cells_in_the_others(carried):
    cells = (
        "from workbench import agent\nran = []",
        ("ran.append('check')", "check"),
        ("ran.append('live')", "live"),
        ("ran.append('never')", "skip-execution"),
        "agent.result([agent.test, test, agent.run_id, ran])",
    )

    tested, live = carried(*cells, test=True), carried(*cells)

    assert tested.outcome.result == [True, True, "run-1", ["check"]]
    assert live.outcome.result == [False, False, "run-1", ["live"]]
    assert tested.cells["cell-2"]["metadata"]["workbench"] == {"skipped": "live"}
    assert tested.cells["cell-2"]["metadata"]["papermill"]["status"] == "pending"
    assert tested.outcome.cells[3] == CellRecord(id="cell-2", index=2, status="skipped")


def test_parameters_reach_the_notebook_as_they_are(carried):
    given = {"text": "a'\"\\\n\u2028é{}", "none": None, "rows": [{"x": 1.5}, [True]], "n": -3}
    names = "\n".join(f"{name} = 0" for name in given)

    run = carried(
        (names, "parameters"),
        "from workbench import agent\nagent.result({k: globals()[k] for k in"
        " ('text', 'none', 'rows', 'n')})",
        parameters=given,
    )

    assert run.outcome.result == given


def test_nothing_of_ours_is_among_the_notebooks_names(carried):
    run = carried("print(sorted(n for n in globals() if not n.startswith('_')))")

    assert run.text(0) == "['In', 'Out', 'exit', 'get_ipython', 'open', 'quit', 'test']\n"


def test_what_the_agent_says_survives_whatever_the_notebook_shadows(carried):
    run = carried(
        "display = print = str = isinstance = open = test = 3",
        "json = None\nagent = None\nfrom workbench import agent\nagent.log('info', 'x')",
        "import sys\nsys.modules.pop('json')\nsys.argv = dict = None\nagent.result({'fine': True})",
    )

    assert run.outcome.result == {"fine": True}


def test_what_a_run_is_lent_is_in_its_environment_and_nowhere_else(carried):
    run = carried(
        "import os\nprint(os.environ['OPENAI_API_KEY'] == 'wbr_' + 'canary')",
        "print('wbr_' + 'canary' in str(In), [name for name in globals() if 'environ' in name])",
        environment={"OPENAI_API_KEY": "wbr_canary"},
    )

    assert run.text(0) == "True\n"
    assert run.text(1) == "False []\n"
    assert b"wbr_canary" not in run.outcome.notebook
    assert "wbr_canary" not in str(run.events)


def test_what_a_model_says_and_uses_is_reported_and_kept(carried):
    tell = (
        "from workbench.agent.speech import EVENT, say\n"
        "say({EVENT: {'type': 'message.delta', 'text': 'for'}}, 'for', slot='c')\n"
        "say({EVENT: {'type': 'message.delta', 'text': 'ty'}}, 'ty', slot='c', update=True)\n"
        "say({'text/markdown': 'forty'}, 'forty', slot='c', update=True)\n"
        "call = {'type': 'tool.call', 'id': '1', 'tool': 't', 'arguments': {'a': 1}}\n"
        "say({EVENT: call}, 't')\n"
        "result = {'type': 'tool.result', 'id': '1', 'tool': 't', 'text': 'x', 'failed': False,"
        " 'simulated': False, 'effects': 'none'}\n"
        "say({EVENT: result}, 't')\n"
        "say({EVENT: {**result, 'failed': 'perhaps'}}, 't')\n"
        "say({EVENT: {**call, 'arguments': 7}}, 't')"
    )

    run = carried(tell)

    assert [data["text"] for data in run.said("message.delta")] == ["for", "ty"]
    [call] = run.said("tool.call")
    assert call["arguments"] == {"a": 1}
    [result] = run.said("tool.result")
    assert (result["text"], result["failed"], result["simulated"]) == ("x", False, False)
    shown = run.cells["cell-0"]["outputs"]
    assert shown[0]["data"] == {"text/markdown": "forty", "text/plain": "forty"}
    assert len(shown) == 5


def test_the_progress_of_a_cell_is_one_output_that_changes(carried):
    run = carried(
        "from workbench import agent\nfor n in range(5):\n    agent.progress(n / 4, f'step {n}')"
    )

    assert [said["fraction"] for said in run.said(EventType.PROGRESS)] == [0, 0.25, 0.5, 0.75, 1]
    (output,) = run.cells["cell-0"]["outputs"]
    assert output["data"]["text/plain"] == "100% step 4"


def test_a_log_is_said_from_a_thread_too(carried):
    run = carried(
        "import threading\nfrom workbench import agent\n"
        "t = threading.Thread(target=lambda: agent.log('error', f'{agent.run_id}'))\n"
        "t.start(); t.join()"
    )

    assert [said["message"] for said in run.said(EventType.LOG)] == ["run-1"]


def test_magics_shell_lines_and_top_level_await_work(carried):
    run = carried(
        "%time 1 + 1\n!echo from the shell\n%cd -q .",
        "import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')",
        "%%capture said\nprint('captured')",
        "print(said.stdout, end='')",
    )

    assert run.outcome.status is RunStatus.COMPLETED
    assert "from the shell" in run.text(0)
    assert (run.text(1), run.text(2), run.text(3)) == ("awaited\n", "", "captured\n")


def test_a_cell_that_may_raise_does_not_end_the_run(carried):
    run = carried(("1/0", "raises-exception"), "print('went on')")

    assert run.outcome.status is RunStatus.COMPLETED
    assert run.text(1) == "went on\n"


def test_the_environment_is_bare(carried, monkeypatch):
    monkeypatch.setenv("WORKBENCH_TOKEN", "wb_secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")

    run = carried(
        "import os\nfrom workbench import agent\n"
        "agent.result([dict(os.environ), os.getcwd(), os.path.expanduser('~')])"
    )

    environment, folder, home = run.outcome.result
    assert folder == home == environment["HOME"]
    assert "secret" not in json.dumps(environment)
    assert {"TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR", "PATH"} <= set(environment)


def test_files_lie_read_only_in_the_folder_and_what_is_left_is_handed_over(carried, tmp_path):
    data = tmp_path / "object"
    data.write_text("a,b\n1,2\n")

    run = carried(
        "print(open('data/input.csv').read(), end='')",
        "import os\nprint(oct(os.stat('data/input.csv').st_mode)[-3:])",
        "open('data/output.csv', 'w').write('c')\nopen('plain.txt', 'w').write('d')\n"
        "os.makedirs('.cache/x'); open('.cache/x/y', 'w').write('e')\nos.symlink('/etc/passwd', 'l')",
        files={"data/input.csv": data, "other.csv": data},
    )

    assert (run.text(0), run.text(1)) == ("a,b\n1,2\n", "444\n")
    assert run.outcome.files == ["data/output.csv", "plain.txt"]
    assert (run.left / "data/output.csv").read_text() == "c"
    assert data.read_text() == "a,b\n1,2\n"


def test_a_module_that_travels_with_the_agent_can_be_imported(carried, tmp_path):
    module = tmp_path / "object"
    module.write_text("answer = 42")

    run = carried(
        "import helper\nfrom workbench import agent\nagent.result(helper.answer)",
        files={"helper.py": module},
    )

    assert run.outcome.result == 42
    assert run.outcome.files == []


def test_a_file_that_is_handed_over_is_kept_wherever_the_notebook_has_gone(carried):
    run = carried(
        "import os\nos.chdir('/')\nfrom workbench import agent\nagent.file('made/table.csv', 'a,b')"
    )

    assert run.outcome.files == ["made/table.csv"]
    assert (run.left / "made/table.csv").read_text() == "a,b"


def test_a_placed_file_that_was_changed_counts_as_left(carried, tmp_path):
    data = tmp_path / "object"
    data.write_text("old")

    run = carried(
        "import os\nos.chmod('a.txt', 0o600)\nopen('a.txt', 'w').write('new')",
        files={"a.txt": data},
    )

    assert run.outcome.files == ["a.txt"]
    assert (data.read_text(), (run.left / "a.txt").read_text()) == ("old", "new")


def test_too_many_files_fail_a_run_that_had_completed(carried):
    run = carried(
        "for n in range(9): open(f'{n}', 'w').close()\n"
        "from workbench import agent\nagent.result(1)",
        limits={"files": 5},
    )

    assert (run.outcome.status, run.outcome.reason) == (RunStatus.FAILED, Reason.DISK_LIMIT)
    assert "more than 5 files" in run.outcome.error["message"]


def test_what_a_run_took_is_measured(carried):
    outcome = carried(
        "x = bytearray(60_000_000)\nimport time\nend = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\nprint('done')"
    ).outcome

    used = outcome.resource_usage
    assert 300 <= used["cpu_ms"] < 3000
    assert 60_000_000 < used["peak_memory_bytes"] < 500_000_000
    assert 0 < used["output_bytes"] < 10_000


def test_the_executed_notebook_says_what_papermill_would_say(carried):
    run = carried(("n = 1", "parameters"), "print(n)\n1/0", "print('never')", parameters={"n": 2})

    document = json.loads(run.outcome.notebook)
    assert document["metadata"]["papermill"]["parameters"] == {"n": 2, "test": False}
    assert document["metadata"]["papermill"]["exception"] is True
    assert [
        (cell["id"], cell["metadata"]["papermill"]["status"])
        for cell in document["cells"]
        if cell["cell_type"] == "code"
    ] == [
        ("cell-0", "completed"),
        ("injected-parameters", "completed"),
        ("cell-1", "failed"),
        ("cell-2", "pending"),
    ]
    marks = [cell for cell in document["cells"] if cell["cell_type"] == "markdown"]
    assert [cell["metadata"]["tags"] for cell in marks] == [["papermill-error-cell-tag"]] * 2


def test_an_executed_notebook_can_be_executed_again(carried, notebook):
    first = carried(("n = 1", "parameters"), "1/n", parameters={"n": 0}).outcome

    async def again(tmp_kernels):
        executor = NotebookExecutor(kernels=tmp_kernels)
        task = Task(run_id="2", notebook=first.notebook, parameters={"n": 1})
        try:
            return await executor.execute(task, report=ignored, cancel=asyncio.Event())
        finally:
            await executor.close()

    second = asyncio.run(again(_at_home()))

    assert second.status is RunStatus.COMPLETED
    assert [cell.id for cell in second.cells] == ["cell-0", "injected-parameters", "cell-1"]


def _at_home(folder=None):
    from pathlib import Path

    housing = at_home(folder=folder or Path.cwd(), inherited=os.environ)
    return OrdinaryKernels(housing=housing)


def test_at_home_a_notebook_runs_in_the_callers_folder_which_stays(carried, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_OWN", "kept")
    monkeypatch.setenv("WORKBENCH_TOKEN", "dropped")
    folder = tmp_path / "mine"
    folder.mkdir()

    run = carried(
        "import os\nfrom workbench import agent\nopen('new.txt', 'w').write('x')\n"
        "agent.result([os.environ.get('MY_OWN'), os.environ.get('WORKBENCH_TOKEN')])",
        source=_at_home(folder),
    )

    assert run.outcome.result == ["kept", None]
    assert (folder / "new.txt").exists()
    assert run.outcome.files == []


def test_a_name_that_is_no_name_never_becomes_code(carried):
    run = carried("x = 1", parameters={"x = 2; import os; y": 3})

    assert (run.outcome.status, run.outcome.reason) == (RunStatus.FAILED, Reason.AGENT_ERROR)
    assert "Not the name of a parameter" in run.outcome.error["message"]
    assert run.events == []


def _executed(executor, task, **options):
    return executor.execute(task, **({"report": ignored, "cancel": asyncio.Event()} | options))


def _task(notebook, *cells, **options):
    return Task(run_id="r", notebook=dump(load(notebook(*cells))), **options)


def test_sixteen_runs_at_a_time_do_not_mix(kernels, notebook):
    async def main():
        pool = Pool(kernels(), size=2, wanted=Wanted())
        executor = NotebookExecutor(kernels=pool)
        cells = (("n = 0", "parameters"), "import time; time.sleep(0.1)\nprint(n)", HAND_OVER)
        tasks = [_task(notebook, *cells, parameters={"n": n}) for n in range(16)]
        try:
            return await asyncio.gather(*(_executed(executor, task) for task in tasks))
        finally:
            await executor.close()

    outcomes = asyncio.run(main())

    assert [outcome.result["n"] for outcome in outcomes] == list(range(1, 17))


def test_many_runs_leave_no_descriptor_no_task_and_no_thread(kernels, notebook):
    def held():
        gc.collect()
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    async def main():
        pool = Pool(kernels(), size=1, wanted=Wanted())
        executor = NotebookExecutor(kernels=pool)

        async def counts_after(runs):
            for _ in range(runs):
                await _executed(executor, _task(notebook, "print(1)"))
            while pool.ready < 1:
                await asyncio.sleep(0.02)
            return held()

        usual = min([await counts_after(runs=1) for _ in range(3)])
        now = await counts_after(runs=3)
        async with asyncio.timeout(20):
            # The kernel of the run before may be on its way out, its successor on its way in.
            while now > usual:
                await asyncio.sleep(0.02)
                now = held()
        await executor.close()
        return len(asyncio.all_tasks())

    before, _ = held()
    tasks = asyncio.run(main())

    assert tasks == 1
    assert held()[0] <= before


def test_whoever_waits_for_the_start_is_told_before_the_first_cell(kernels, notebook):
    heard = []

    async def started(isolation):
        heard.append(isolation)

    async def main():
        executor = NotebookExecutor(kernels=kernels())
        try:
            await _executed(
                executor,
                _task(notebook, "1"),
                started=started,
                report=lambda type, data: heard.append(type),
            )
        finally:
            await executor.close()

    asyncio.run(main())

    assert heard[:2] == [LEVELS[kernels.sort], EventType.CELL_STARTED]


@pytest.mark.parametrize("where", ["started", "report"])
def test_an_exception_of_ours_is_passed_on_and_leaves_nothing(kernels, notebook, where):
    async def started(isolation):
        if where == "started":
            raise RuntimeError("ours")

    def report(type, data):
        raise RuntimeError("ours")

    async def main():
        executor = NotebookExecutor(kernels=kernels())
        try:
            await _executed(executor, _task(notebook, "1"), started=started, report=report)
        finally:
            await executor.close()

    with pytest.raises(RuntimeError, match="ours"):
        asyncio.run(main())


def test_a_caller_that_is_cancelled_leaves_nothing(kernels, notebook):
    async def main():
        executor = NotebookExecutor(kernels=kernels())
        running = asyncio.Event()
        run = asyncio.ensure_future(
            _executed(
                executor,
                _task(notebook, "import time; time.sleep(60)"),
                report=lambda type, data: data["cell"] == "cell-0" and running.set(),
            )
        )
        await running.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        await executor.close()

    asyncio.run(main())


def test_a_run_cancelled_before_there_is_a_kernel_never_begins(kernels, notebook):
    async def main():
        executor = NotebookExecutor(kernels=kernels())
        cancel = asyncio.Event()
        cancel.set()
        try:
            return await _executed(executor, _task(notebook, "1"), cancel=cancel)
        finally:
            await executor.close()

    outcome = asyncio.run(main())

    assert (outcome.status, outcome.reason) == (RunStatus.CANCELLED, Reason.CANCELLED_BY_USER)
    assert outcome.isolation == ""
    assert {cell.status for cell in outcome.cells} == {"pending"}


def test_a_long_quiet_cell_is_no_broken_protocol(carried):
    run = carried("import time; time.sleep(1)", patience_seconds=0.2)

    assert run.outcome.status is RunStatus.COMPLETED


def test_the_loop_stays_free_while_a_kernel_floods(kernels, notebook):
    turns, shows = 0, 3000

    async def watch():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def main():
        executor = NotebookExecutor(kernels=kernels())
        watching = asyncio.ensure_future(watch())
        cell = f"for n in range({shows}): display(n)"
        limits = Limits(kept_output_bytes=10_000)
        try:
            return await _executed(executor, _task(notebook, cell, limits=limits))
        finally:
            watching.cancel()
            await executor.close()

    outcome = asyncio.run(main())

    assert outcome.status is RunStatus.COMPLETED
    assert turns > shows / 50  # others have their turn among the messages, however fast they come
