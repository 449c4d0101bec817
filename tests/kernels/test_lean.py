"""The lean kernel does what notebooks expect of any IPython kernel."""

import asyncio

import pytest

from workbench.domain.runs import RunStatus
from workbench.kernels import Wanted
from workbench.kernels.channel import receive

pytestmark = pytest.mark.kernel

CELLS = {
    "magics": (
        "%timeit -n1 -r1 pass\n%pwd\n%env HOME",
        ["1 loop each"],
    ),
    "time": ("%%time\nx = 1", ["Wall time"]),
    "capture": ("%%capture caught\nprint('inner')", []),
    "script": ("%%bash\necho from $0 && pwd", ["bash", "/work"]),
    "shell lines": ("found = !echo one; echo two\nprint(found)", ["['one', 'two']"]),
    "writefile and run": (
        "%%writefile said.py\nprint('ran', __name__)",
        ["Writing said.py"],
    ),
    "store": ("kept = 5\n%store kept", ["Stored 'kept'"]),
    "extension": ("%load_ext autoreload\n%autoreload 2\nprint('loaded')", ["loaded"]),
    "await": (
        "import asyncio\nprint(await asyncio.gather(*(asyncio.sleep(0.01, n) for n in range(3))))",
        ["[0, 1, 2]"],
    ),
    "tasks go on": (
        "task = asyncio.create_task(asyncio.sleep(0.01, 'later'))\nprint(await task)",
        ["later"],
    ),
    "subprocess": (
        (
            "import subprocess, os\nsubprocess.run(['echo', 'by itself'], check=True)\n"
            "os.system('echo by the system')"
        ),
        ["by itself", "by the system"],
    ),
    "descriptors": ("import os; os.write(1, b'raw\\n'); print('cooked')", ["raw", "cooked"]),
    "processes": (
        (
            "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n"
            "    print(sorted(pool.map(abs, [-2, -1])))"
        ),
        ["[1, 2]"],
    ),
    "executors": (
        (
            "from concurrent.futures import ProcessPoolExecutor\n"
            "with ProcessPoolExecutor(1) as pool:\n    print(pool.submit(abs, -7).result())"
        ),
        ["7"],
    ),
    "pickles": (
        "import pickle\nclass Mine:\n    n = 3\nprint(pickle.loads(pickle.dumps(Mine())).n)",
        ["3"],
    ),
    "modules": (
        "import __main__\nprint(__main__.kept, __name__, __import__('sys').argv)",
        ["5 __main__ ['ipykernel_launcher']"],
    ),
    "warnings": ("import warnings\nwarnings.warn('careful')", ["UserWarning: careful"]),
    "faults": ("import faulthandler, sys\nfaulthandler.enable()\nprint('on')", ["on"]),
}


def test_what_cells_do_everywhere_they_do_here(carried, kernels):
    if kernels.sort != "forked":
        pytest.skip("that is ipykernel's own to show")

    run = carried(*(source for source, _ in CELLS.values()), limits={"seconds": 120.0})

    assert run.outcome.status is RunStatus.COMPLETED, run.outcome.error
    for number, (name, (_, said)) in enumerate(CELLS.items()):
        for words in said:
            assert words in run.text(number), name


def test_pictures_are_drawn_inline(carried, kernels):
    run = carried(
        "import matplotlib.pyplot as plt\nfigure = plt.plot([1, 2])",
        "import matplotlib; print(matplotlib.get_backend())",
        limits={"seconds": 120.0},
    )

    outputs = run.cells["cell-0"]["outputs"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert "inline" in run.text(1)


def test_widgets_keep_their_state_and_hear_of_changes(shared):
    async def main():
        kernel = await shared.source.start(Wanted(), seconds=60)
        try:
            connection = kernel.connection
            request = await connection.execute(
                "import ipywidgets\nslider = ipywidgets.IntSlider(value=3)\n"
                "slider.observe(lambda change: print('now', change['new']), 'value')\nslider"
            )
            heard, _ = await _until_idle(kernel, request)
            opened = [m for m in heard if m.type == "comm_open"]
            (model,) = (
                m.content["comm_id"]
                for m in opened
                if m.content["data"]["state"].get("_model_name") == "IntSliderModel"
            )
            change = {"method": "update", "state": {"value": 7}, "buffer_paths": []}
            request = await connection.request("comm_msg", {"comm_id": model, "data": change})
            _, text = await _until_idle(kernel, request)
            request = await connection.request("comm_info_request", {})
            await _until_idle(kernel, request)
            return text
        finally:
            await kernel.end()
            kernel.clear()

    assert "now 7" in shared.runner.run(main())


def test_what_comes_behind_an_error_is_not_executed(shared):
    async def main():
        kernel = await shared.source.start(Wanted(), seconds=60)
        try:
            cells = ("import asyncio; await asyncio.sleep(0.2); 1/0", "print('a')", "print('b')")
            requests = [await kernel.connection.execute(source) for source in cells]
            replies = []
            while len(replies) < len(requests):
                frames = await receive(kernel.connection.shell, kernel.dead, seconds=60)
                replies.append(kernel.connection.read(frames).content["status"])
            again = await kernel.connection.execute("print('c')")
            _, text = await _until_idle(kernel, again)
            return replies, text
        finally:
            await kernel.end()
            kernel.clear()

    assert shared.runner.run(main()) == (["error", "aborted", "aborted"], "c\n")


async def _until_idle(kernel, request):
    heard, text = [], ""
    async with asyncio.timeout(60):
        while True:
            message = kernel.connection.read(await receive(kernel.connection.iopub, kernel.dead))
            if message.parent != request:
                continue
            heard.append(message)
            if message.type == "stream":
                text += message.content["text"]
            if message.content.get("execution_state") == "idle":
                return heard, text


def test_what_is_said_faster_than_it_is_heard_is_not_lost(shared):
    shows = 3_000

    async def main():
        kernel = await shared.source.start(Wanted(), seconds=60)
        try:
            said = f"for n in range({shows}): display({{'text/plain': str(n)}}, raw=True)"
            request = await kernel.connection.execute(said + "\nopen('said', 'w')")
            # Long enough for a kernel that does not wait to be heard; this one does.
            waited = asyncio.get_running_loop().time() + 1.0
            while not (kernel.folder / "said").exists():
                if asyncio.get_running_loop().time() > waited:
                    break
                await asyncio.sleep(0.01)
            heard, _ = await _until_idle(kernel, request)
            return [m.content["data"]["text/plain"] for m in heard if m.type == "display_data"]
        finally:
            await kernel.end()
            kernel.clear()

    assert shared.runner.run(main()) == [str(n) for n in range(shows)]
