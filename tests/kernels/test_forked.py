"""Forked kernels: each in a system of its own, and nothing left of it."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from workbench.errors import KernelLost
from workbench.kernels import Relay, Wanted

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
