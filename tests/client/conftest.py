"""A gateway, and workbenches that wait and that are awaited, so that one test serves both."""

import asyncio
import inspect
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import AsyncWorkbench, Workbench
from workbench.client.finding import gateway_of

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """No setting of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("WORKBENCH_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """A gateway that all tests of a module ask: its home, its address and a token."""
    home = tmp_path_factory.mktemp("client") / "home"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", "--port", "0", "--home", str(home)],
        env={**kept, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            assert any(line.startswith("gateway: ") for line in process.stdout)
            yield home, gateway_of(home)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


class Awaiting:
    """What is to be awaited, used as if it were not: every answer is waited for on one loop."""

    def __init__(self, noun, loop):
        self._noun, self._loop = noun, loop

    def __getattr__(self, name):
        return self._plain(getattr(self._noun, name))

    def __call__(self, *args, **kwargs):
        return self._plain(self._noun(*args, **kwargs))

    def __iter__(self):
        items = self._noun.__aiter__()
        try:
            while True:
                yield self._plain(self._loop.run_until_complete(anext(items)))
        except StopAsyncIteration:
            return
        finally:
            self._loop.run_until_complete(items.aclose())

    def __repr__(self):
        return repr(self._noun)

    def _plain(self, value):
        if inspect.iscoroutine(value):
            return self._plain(self._loop.run_until_complete(value))
        ours = type(value).__module__.startswith("workbench.client")
        if inspect.isroutine(value) or hasattr(value, "__aiter__") or ours:
            return Awaiting(value, self._loop)
        return value


@pytest.fixture(params=["waiting", "awaited"])
def connect(request):
    """Makes a workbench of either kind, to be used the same way."""
    made = []
    loop = asyncio.new_event_loop() if request.param == "awaited" else None

    def connect(*arguments):
        wb = AsyncWorkbench(*arguments) if loop else Workbench(*arguments)
        made.append(Awaiting(wb, loop) if loop else wb)
        return made[-1]

    yield connect
    for wb in made:
        wb.close()
    if loop:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@pytest.fixture
def wb(connect, gateway):
    _, found = gateway
    return connect(found.url, found.token)


@pytest.fixture
def agent(wb, request):
    """Makes an agent of a name that no other test uses."""

    def make(source, *, publish=True):
        name = f"a{abs(hash(request.node.nodeid)) % 10**12}"
        made = wb.agents.create(name, source)
        if publish:
            made.publish(force=True)
        return made

    return make
