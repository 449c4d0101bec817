"""Forked kernels: each in a system of its own, and nothing left of it."""

import asyncio
import contextlib
import gc
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from workbench.domain.limits import Limits
from workbench.domain.runs import Reason, RunStatus
from workbench.errors import KernelLost
from workbench.kernels import Relay, Task, Wanted
from workbench.kernels.executor import NotebookExecutor
from workbench.kernels.pool import Pool
from workbench.notebook.document import dump, load

pytestmark = pytest.mark.kernel

WANTED = Wanted()


@pytest.fixture
def lone(shared, ask):
    """Kernels of the source that tests share: `lone(work, wanted…)` does *work* on them."""

    def carry(work, *wanted):
        async def main():
            asked = wanted or (WANTED,)
            kernels = [await shared.source.start(one, seconds=60) for one in asked]
            try:
                return await work(*kernels)
            finally:
                for kernel in kernels:
                    await kernel.end()
                    kernel.clear()

        return shared.runner.run(main())

    return carry


def test_every_kernel_has_a_system_of_its_own(lone, ask):
    names = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")

    async def work(one, other):
        look = f"import os; print(*(os.readlink(f'/proc/self/ns/{{n}}') for n in {names}))"
        return [(await ask(kernel, look)).split() for kernel in (one, other)]

    one, other = lone(work, WANTED, WANTED)
    ours = [os.readlink(f"/proc/self/ns/{name}") for name in names]

    for name, mine, its, here in zip(names, one, other, ours, strict=True):
        if name != "cgroup":
            assert len({mine, its, here}) == 3, name


def test_other_runs_are_not_to_be_seen(lone, ask):
    async def work(one, other):
        await ask(one, "open('mine', 'w').write('secret')")
        assert (one.folder / "mine").read_text() == "secret"
        return await ask(
            other, "import os\nprint(os.getcwd(), os.listdir(), os.listdir('/houses'))"
        )

    assert lone(work, WANTED, WANTED) == "/work [] []\n"


def test_a_kernel_holds_no_way_to_its_template(lone, ask):
    look = """
import os, socket, stat
kinds = []
for fd in range(3, 256):
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode):
            kinds.append(socket.socket(fileno=os.dup(fd)).type)
    except OSError:
        pass
print(socket.SOCK_SEQPACKET in kinds, len(kinds) > 3)
"""

    assert lone(lambda kernel: ask(kernel, look)) == "False True\n"


def test_nothing_in_a_run_reaches_its_first_process(lone, ask):
    attack = """
import ctypes, os, resource, signal
def fails(work, *arguments):
    try:
        work(*arguments)
    except OSError:
        return True
for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGSTOP, signal.SIGCHLD):
    try:
        os.kill(1, number)
    except PermissionError:
        pass
libc = ctypes.CDLL(None, use_errno=True)
print(libc.ptrace(16, 1, 0, 0), *(
    fails(open, f'/proc/1/{name}', 'rb') or fails(os.listdir, f'/proc/1/{name}')
    for name in ('mem', 'environ', 'fd', 'root', 'maps')
), fails(resource.prlimit, 1, resource.RLIMIT_CPU, (0, 0)))
"""

    async def work(kernel):
        first = await ask(kernel, attack)
        return first, await ask(kernel, "print(open('/proc/1/stat').read().split()[2])")

    found, state = lone(work)
    assert found == "-1 True True True True True True\n"
    assert state == "S\n"


def test_what_a_cell_leaves_behind_is_reaped(lone, ask):
    leave = """
import os, subprocess, sys, time
subprocess.run(['sh', '-c', 'for n in 1 2 3 4 5; do (sleep 0.05 &) ; done'])
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    left = [p for p in os.listdir('/proc') if p.isdigit() and p not in ('1', str(os.getpid()))]
    if not left:
        break
    time.sleep(0.02)
print(left)
"""

    assert lone(lambda kernel: ask(kernel, leave)) == "[]\n"


def test_no_two_kernels_draw_the_same_numbers(forked, ask):
    draw = (
        "import random, uuid, secrets, numpy\n"
        "print(random.random(), numpy.random.random(), uuid.uuid4(), secrets.token_hex(4),"
        " get_ipython().kernel.session.session)"
    )

    async def main():
        source = forked(preload=("numpy",))
        try:
            drawn = []
            while len(drawn) < 3:
                kernel = await source.start(WANTED, seconds=120)
                if "numpy" in await ask(kernel, "import sys; print(*sys.modules)"):
                    drawn.append((await ask(kernel, draw)).split())
                await kernel.end()
                kernel.clear()
            return drawn
        finally:
            await source.close()

    for numbers in zip(*asyncio.run(main()), strict=True):
        assert len(set(numbers)) == 3


def test_kernels_asked_for_while_a_template_is_replaced_are_not_lost(forked, ask):
    async def main():
        source = forked(preload=("colorsys",))
        try:
            kernels = []
            while not kernels or "colorsys" not in await ask(
                kernels[-1], "import sys; print(*sys.modules)"
            ):
                kernels.append(await source.start(WANTED, seconds=60))
            said = [await ask(kernel, "print('alive')") for kernel in kernels]
            for kernel in kernels:
                await kernel.end()
                kernel.clear()
            return said
        finally:
            await source.close()

    assert set(asyncio.run(main())) == {"alive\n"}


class Echo(threading.Thread):
    """Says back whatever is said to its socket."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen()

    def run(self):
        while True:
            try:
                peer, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(peer,), daemon=True).start()

    def answer(self, peer):
        with peer, contextlib.suppress(OSError):
            while chunk := peer.recv(65_536):
                peer.sendall(chunk)


@pytest.fixture
def echo(shared):
    path = shared.folder / "echo"
    thread = Echo(path)
    thread.start()
    yield str(path)
    thread.listening.shutdown(socket.SHUT_RDWR)
    thread.listening.close()
    path.unlink()


SPEAK = """
import socket, threading
def speak(data):
    with socket.create_connection(('127.0.0.1', 3128), timeout=30) as s:
        threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
        back = b''
        while chunk := s.recv(65536):
            back += chunk
        return back == data
"""


def test_a_port_of_a_run_leads_to_a_socket_outside(lone, ask, echo):
    async def work(kernel):
        await ask(kernel, SPEAK)
        big = await ask(kernel, "print(speak(bytes(range(256)) * 20_000), speak(b''))")
        many = await ask(
            kernel,
            "from concurrent.futures import ThreadPoolExecutor\n"
            "with ThreadPoolExecutor(20) as pool:\n"
            "    print(all(pool.map(speak, [b'x' * 100_000] * 60)))",
        )
        children = "import subprocess; print(subprocess.run(['sh', '-c', 'exit 3']).returncode)"
        return big, many, await ask(kernel, children)

    wanted = Wanted(relays=(Relay(port=3128, socket=echo),))

    assert lone(work, wanted) == ("True True\n", "True\n", "3\n")


def test_whoever_hangs_up_is_hung_up_on(lone, ask, echo):
    async def work(kernel):
        return await ask(
            kernel,
            "import socket, struct\n"
            "for n in range(300):\n"
            "    s = socket.create_connection(('127.0.0.1', 3128)); s.sendall(b'x' * 99_999)\n"
            "    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n"
            "    s.close()\n" + SPEAK + "print(speak(b'still here'))",
        )

    assert lone(work, Wanted(relays=(Relay(port=3128, socket=echo),))) == "True\n"


def test_without_one_there_is_no_way_out(lone, ask, echo):
    try_it = "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 3128))\n"

    async def work(kernel):
        return await ask(kernel, try_it + "except OSError as error:\n    print(error.errno)")

    assert lone(work) == "111\n"


def test_what_a_kernel_finds_in_its_environment(lone, ask):
    wanted = Wanted(environment=(("HTTP_PROXY", "http://127.0.0.1:3128"),))

    async def work(kernel):
        look = "import os, json; print(json.dumps(dict(os.environ)))"
        return json.loads(await ask(kernel, look))

    found = lone(work, wanted)
    assert found["HTTP_PROXY"] == "http://127.0.0.1:3128"
    assert (found["HOME"], found["TMPDIR"]) == ("/work", "/tmp")
    assert not any(
        str(Path.home()) in value for value in found.values() if Path.home() != Path("/")
    )


def test_a_relay_that_leads_nowhere_is_an_error_that_leaves_nothing(shared, tmp_path):
    wanted = Wanted(relays=(Relay(port=3128, socket=str(tmp_path / "none")),))

    with pytest.raises(KernelLost, match="No such file"):
        shared.runner.run(shared.source.start(wanted, seconds=60))


def _task(notebook, *cells, **options):
    return Task(run_id="r", notebook=dump(load(notebook(*cells))), **options)


def test_a_template_that_dies_fails_its_runs_and_is_replaced(forked, notebook):
    async def main():
        source = forked()
        pool = Pool(source, size=1, wanted=WANTED)
        executor = NotebookExecutor(kernels=pool)
        printed = asyncio.Event()

        def report(type, data):
            if "here" in str(data.get("text")):
                printed.set()

        def execute(*cells):
            task = _task(notebook, *cells)
            return executor.execute(task, report=report, cancel=asyncio.Event())

        try:
            running = asyncio.ensure_future(execute("print('here')", "import time; time.sleep(60)"))
            await asyncio.wait_for(printed.wait(), 60)
            (templates,) = source._templates.values()
            zygote = (await templates.current()).zygote
            os.kill(zygote.pid, signal.SIGKILL)
            lost = await running
            again = await execute("print('here')")
            return lost, again, (await templates.current()).zygote is zygote
        finally:
            await executor.close()

    lost, again, same = asyncio.run(main())

    assert (lost.status, lost.reason) == (RunStatus.FAILED, Reason.KERNEL_DIED)
    assert "died" in lost.error["message"]
    assert again.status is RunStatus.COMPLETED
    assert not same


def test_a_template_that_cannot_fork_says_so_and_goes_on(forked):
    async def main():
        source = forked()
        try:
            kernel = await source.start(WANTED, seconds=60)
            await kernel.end()
            kernel.clear()
            (templates,) = source._templates.values()
            zygote = (await templates.current()).zygote
            held = resource.RLIMIT_NOFILE
            template = _child(_child(zygote.pid))
            before = resource.prlimit(template, held)
            resource.prlimit(template, held, (len(_fds(template)), before[1]))
            with pytest.raises(KernelLost):
                await source.start(WANTED, seconds=60)
            resource.prlimit(template, held, before)
            kernel = await source.start(WANTED, seconds=60)
            await kernel.end()
            kernel.clear()
            return (await templates.current()).zygote is zygote
        finally:
            await source.close()

    assert asyncio.run(main())


def _child(pid):
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _fds(pid):
    return os.listdir(f"/proc/{pid}/fd")


def environment_in(folder: Path, *, ipykernel: str = "") -> str:
    """The Python of a new environment, with the packages of ours behind its own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (site / "ours.pth").write_text("\n".join(ours))
    if ipykernel:
        info = site / f"ipykernel-{ipykernel}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: ipykernel\nVersion: {ipykernel}\n")
    return str(folder / "bin" / "python")


@pytest.fixture
def kernelspec(tmp_path, monkeypatch):
    """Installs a kernelspec that starts ipykernel with a certain Python."""

    def install(name, python):
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": name, "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
        return name

    return install


def test_an_environment_has_a_template_of_its_own(forked, ask, kernelspec, tmp_path):
    name = kernelspec("other", environment_in(tmp_path / "env", ipykernel="0.1"))
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    look = (
        "import sys, importlib.metadata as m; from workbench import agent\n"
        "print(m.version('ipykernel'), sys.prefix != sys.base_prefix, agent.test,"
        " type(get_ipython().kernel).__module__)"
    )

    async def main():
        source = forked()
        try:
            kernel = await source.start(Wanted(kernel=name), seconds=60)
            first = await ask(kernel, look)
            assert not kernel.stale
            (site / "new_package").mkdir()
            assert kernel.stale
            other = await source.start(Wanted(kernel=name), seconds=60)
            templates = source._templates[(name, False)]
            old, new = kernel._template.zygote, other._template.zygote
            assert old is not new
            # Who runs on the old one is not disturbed, and it goes with the last of them.
            again = await ask(kernel, "print('still here')")
            for one in (kernel, other):
                await one.end()
                one.clear()
            await asyncio.wait_for(asyncio.shield(old.dead), 30)
            assert (await templates.current()).zygote is new
            return first, again
        finally:
            await source.close()

    # An ipykernel that the fast start was not tested with starts as it always does.
    first, again = asyncio.run(main())
    assert first == "0.1 True False ipykernel.ipkernel\n"
    assert again == "still here\n"


def descriptors() -> list[str]:
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            continue
    return sorted(link.partition("[")[0] for link in found)


def held(shared):
    """What this process, the template and the disk hold for kernels."""
    gc.collect()
    (templates,) = shared.source._templates.values()
    template = _child(_child(templates._template.zygote.pid))
    forks = Path(f"/proc/{template}/task/{template}/children").read_text().split()
    sockets = list(Path(shared.source._sockets._folder).iterdir())
    work = list((shared.folder / "work").iterdir())
    return descriptors(), len(_fds(template)), forks, sockets, work


def test_a_start_that_is_called_off_at_any_moment_leaves_nothing(shared):
    async def call_off(moment):
        (templates,) = shared.source._templates.values()
        zygote = (await templates.current()).zygote
        starting = asyncio.ensure_future(shared.source.start(WANTED, seconds=60))
        while not zygote.children:
            await asyncio.sleep(0)
        await asyncio.sleep(moment)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            kernel = await starting
            await kernel.end()
            kernel.clear()
        while zygote.children:  # the fork that nobody waits for
            await asyncio.sleep(0.001)

    before = held(shared)
    for moment in range(24):
        shared.runner.run(call_off(moment / 1000))

    async def reaped():
        async with asyncio.timeout(30):
            while held(shared)[2]:
                await asyncio.sleep(0.01)

    shared.runner.run(reaped())
    assert held(shared) == before


def test_two_hundred_kernels_leave_nothing(shared, tmp_path):
    poor = Wanted(limits=Limits(memory_bytes=1))
    lost = Wanted(relays=(Relay(port=3128, socket=str(tmp_path / "none")),))

    async def one(number):
        wanted = {3: poor, 7: lost}.get(number % 10, WANTED)
        try:
            kernel = await shared.source.start(wanted, seconds=60)
        except KernelLost:
            return 0
        kernel.kill()
        await kernel.end()
        kernel.clear()
        return 1

    async def several(numbers):
        numbers = iter(numbers)

        async def some():
            return sum([await one(number) for number in numbers])

        return sum(await asyncio.gather(*(some() for _ in range(4))))

    shared.runner.run(several(range(10)))
    before = held(shared)
    served = shared.runner.run(several(range(200)))

    assert served == 160
    assert held(shared) == before
    assert before[2:] == ([], [], [])
