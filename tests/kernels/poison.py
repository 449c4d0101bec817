"""Cells that nobody should have to run, and how a run of each must end."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.kernels.forged import FORGED, SENDING
from workbench.domain.runs import Reason

MIB = 2**20

HANGING = {"seconds": 2.0, "grace_seconds": 0.3}
"""Limits of what never ends by itself; everything else has long enough on the slowest machine."""

SMALL = {
    "seconds": 60.0,
    "grace_seconds": 0.5,
    "cpu_seconds": 50.0,
    "memory_bytes": 512 * MIB,
    "processes": 64,
    "open_files": 256,
    "file_bytes": 16 * MIB,
    "folder_bytes": 48 * MIB,
    "scratch_bytes": 16 * MIB,
    "shared_memory_bytes": 16 * MIB,
    "output_bytes": 4 * MIB,
    "kept_output_bytes": MIB,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """One cell and its end.

    Attributes:
        cell: What is executed, between two harmless cells.
        ends: The reasons it may end with; None stands for completed.
        limits: What it may take, besides what is `SMALL`.
        late: Whether it is noticed when all cells have run.
        heavy: Whether it slows down the whole machine for a while.
        walled: Whether it would do harm to this machine outside a system of its own.
    """

    cell: str
    ends: tuple[Reason | None, ...]
    limits: dict = field(default_factory=dict)
    late: bool = False
    heavy: bool = False
    walled: bool = False


def _all(end, cells, **more):
    ends = end if isinstance(end, tuple) else (end,)
    return {name: Poison(cell=cell, ends=ends, **more) for name, cell in cells.items()}


TOO_MUCH_OUTPUT = {
    "stdout without end": "while True: print('x' * 1000)",
    "stderr without end": "import sys\nwhile True: print('x' * 1000, file=sys.stderr)",
    "displays without end": "while True: display('x' * 10_000)",
    "updates without end": (
        "h = display('x', display_id=True)\nwhile True: h.update('x' * 10_000)"
    ),
    "clearing without end": (
        "from IPython.display import clear_output\n"
        "while True:\n    print('x' * 10_000)\n    clear_output()"
    ),
    "logs without end": (
        "from workbench import agent\nwhile True: agent.log('info', 'x' * 10_000)"
    ),
    "progress without end": (
        "from workbench import agent\nwhile True: agent.progress(0.5, 'x' * 10_000)"
    ),
    "bytes on descriptor 1": "import os\nwhile True: os.write(1, b'x' * 10_000)",
    "bytes on descriptor 2": "import os\nwhile True: os.write(2, b'x' * 10_000)",
    "another program's output": "import subprocess\nsubprocess.run(['yes', 'x' * 1000])",
    "a thread that prints": (
        "import threading\ndef f():\n    while True: print('x' * 1000)\n"
        "t = threading.Thread(target=f, daemon=True); t.start(); t.join()"
    ),
    "widgets without end": ("import ipywidgets\nwhile True: ipywidgets.Text(value='x' * 10_000)"),
    "one print of 100 MB": "print('x' * 100_000_000)",
    "one display of 100 MB": "display('x' * 100_000_000)",
    "a result of 2 MB": "from workbench import agent\nagent.result('x' * 2_000_000)",
    "a picture of 8 MB": "display({'image/png': 'x' * 8_000_000}, raw=True)",
    "a flood of comms": (
        SENDING + "while True: say('comm_open', {'comm_id': 'x' * 1000,"
        " 'target_name': 'y', 'data': {}})"
    ),
    "a flood of states": SENDING + "while True: say('status', {'execution_state': 'x' * 10_000})",
    "a flood of another's": (
        SENDING + "while True: say('stream', {'name': 'stdout', 'text': 'x' * 9000}, parent={})"
    ),
    "a giant frame": SENDING + "iopub.send_multipart([b'x' * 40_000_000]); time.sleep(60)",
}

LEAVING = {
    "exit": "exit()",
    "quit": "quit()",
    "sys.exit(0)": "import sys; sys.exit(0)",
    "SystemExit": "raise SystemExit",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "an exception of no kind": "class Loud(BaseException): pass\nraise Loud()",
    "input": "input()",
    "getpass": "import getpass; getpass.getpass()",
    "no Python": "this is no python",
    "recursion": "def f(): f()\nf()",
    "a closed stdout": "import sys; sys.stdout.close(); print('x')",
    "an exception of half a character": "raise Exception('\\ud800')",
}

DYING = {
    "os._exit(0)": "import os; os._exit(0)",
    "os._exit(7)": "import os; os._exit(7)",
    "abort": "import os; os.abort()",
    "a wild pointer": "import ctypes; ctypes.string_at(0)",
    "kill -9 itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "kill -9 its group": "import os, signal; os.killpg(0, signal.SIGKILL)",
    "SIGTERM itself": (
        "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nimport time; time.sleep(60)"
    ),
    "an alarm": "import signal, time; signal.alarm(1); time.sleep(60)",
    "an exec": "import os; os.execv('/bin/true', ['true'])",
}

HANGING_CELLS = {
    "a loop": "while True: pass",
    "a sleep": "import time; time.sleep(600)",
    "an awaited sleep": "import asyncio; await asyncio.sleep(600)",
    "another program": "import subprocess; subprocess.run(['sleep', '600'])",
    "a lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "a thread that is joined": (
        "import threading, time\nt = threading.Thread(target=time.sleep, args=(600,))\n"
        "t.start(); t.join()"
    ),
    "a hash in C": "import hashlib; hashlib.pbkdf2_hmac('sha256', b'x', b'x', 10**9)",
    "a regular expression": "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
    "a power": "pow(10**500_000 + 1, 10**500_000 + 1, 10**500_000 + 7)",
    "a database query": (
        "import duckdb\nduckdb.sql('SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b"
        " WHERE (a.range * b.range) % 7 = 3').fetchall()"
    ),
    "SIGINT ignored": (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    ),
    "SIGTERM ignored": (
        "import signal\nfor n in (signal.SIGINT, signal.SIGTERM): signal.signal(n, signal.SIG_IGN)\n"
        "while True: pass"
    ),
    "all signals blocked": (
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass"
    ),
    "interrupts swallowed": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "stopped by itself": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "a __repr__ that hangs": "class Slow:\n    def __repr__(self):\n        while True: pass\nSlow()",
    "a finalizer that hangs": (
        "class Slow:\n    def __del__(self):\n        while True: pass\nSlow(); 1"
    ),
    "no turn for other threads": "import sys; sys.setswitchinterval(1e6)\nwhile True: pass",
    "a trace that hangs": (
        "import sys\ndef trace(*a):\n    while True: pass\nsys.settrace(trace)\ndef f(): pass\nf()"
    ),
    "a full pipe": "import os; r, w = os.pipe()\nwhile True: os.write(w, b'x' * 65536)",
}

HARMLESS = {
    "its folder deleted": "import os, shutil; shutil.rmtree(os.getcwd(), True)",
    "its folder locked": "import os; os.makedirs('a/b'); os.chmod('a', 0); os.chmod('.', 0)",
    "pipes for files": "import os\nfor n in range(200): os.mkfifo(f'{n}')",
    "links everywhere": (
        "import os\nfor n, to in enumerate(['/etc/passwd', '/', '..', 'x', '/proc/self/mem']):\n"
        "    os.symlink(to, f'{n}')"
    ),
    "a daemon thread": (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    ),
    "a thread that is none": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()"
    ),
    "children": "import os, time\nfor _ in range(5):\n    if os.fork() == 0: time.sleep(600)",
    "a daemon": (
        "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        os.execvp('sleep', ['sleep', '600'])\n    os._exit(0)"
    ),
    "a deaf daemon": (
        "import subprocess\nsubprocess.Popen(['setsid', 'sh', '-c',"
        " \"trap '' TERM INT HUP; sleep 600 & sleep 600\"])"
    ),
    "an exit that hangs": "import atexit, time; atexit.register(time.sleep, 600)",
    "half a character": "print('\\ud800')",
    "no number": "display({'application/json': {'a': float('nan')}}, raw=True)",
    "control characters": "print('\\x00\\x1b[31m\\x07')",
    "no result at all": "1",
    "nothing left in sys.modules": (
        "import sys\nfor name in [n for n in sys.modules if n.startswith('json')]:\n"
        "    del sys.modules[name]"
    ),
}

UNUSABLE_RESULTS = {
    "a result that is no JSON": "from workbench import agent\nagent.result(object())",
    "a result that is no number": "from workbench import agent\nagent.result(float('nan'))",
    "a result in itself": "from workbench import agent\nx = []\nx.append(x)\nagent.result(x)",
    "two results": "from workbench import agent\nagent.result(1); agent.result(2)",
}

MEMORY = (Reason.MEMORY_LIMIT,)
DISK = (Reason.DISK_LIMIT,)
PROTOCOL = (Reason.KERNEL_PROTOCOL,)

GREEDY = {
    "one array of 10 GB": Poison(cell="x = bytearray(10**10)", ends=MEMORY),
    "a list without end": Poison(
        cell="x = []\nwhile True: x.append(bytearray(10**6))", ends=MEMORY
    ),
    "a text that doubles": Poison(cell="x = 'x'\nwhile True: x += x", ends=MEMORY),
    "memory in shared maps": Poison(
        cell=(
            "import mmap\nheld = []\nwhile True:\n    m = mmap.mmap(-1, 50_000_000)\n"
            "    m[::4096] = b'x' * len(m[::4096])\n    held.append(m)"
        ),
        ends=MEMORY,
    ),
    "memory of many children": Poison(
        cell=(
            "import os, time\nfor _ in range(10):\n    if os.fork() == 0:\n"
            "        x = bytearray(100_000_000); x[::4096] = b'x' * len(x[::4096])\n"
            "        time.sleep(600)\ntime.sleep(600)"
        ),
        ends=MEMORY,
    ),
    "a compressed gigabyte": Poison(
        cell=(
            "import zlib\nc = zlib.compressobj(wbits=-15)\n"
            "megabyte = c.compress(bytes(10**6)) + c.flush(zlib.Z_FULL_FLUSH)\n"
            "zlib.decompress(megabyte * 1000 + c.flush(), wbits=-15)"
        ),
        ends=MEMORY,
    ),
    "recursion to the end": Poison(
        # Calls of Python by Python take no stack: memory ends first, and telling of so many takes
        # longer than anybody waits.
        cell="import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
        ends=(Reason.MEMORY_LIMIT, Reason.KERNEL_DIED, Reason.AGENT_ERROR, Reason.TIMEOUT),
        limits=HANGING,
    ),
    "processes without end": Poison(
        cell="import os, time\nwhile True:\n    if os.fork() == 0: time.sleep(600)",
        ends=(Reason.PROCESS_LIMIT,),
        walled=True,
    ),
    "a fork bomb": Poison(
        cell="import os\nwhile True: os.fork()",
        ends=(Reason.PROCESS_LIMIT,),
        walled=True,
        heavy=True,
    ),
    "a shell's fork bomb": Poison(
        cell="import subprocess; subprocess.run(['sh', '-c', 'f() { f | f & }; f; sleep 600'])",
        # It may have ended by itself, for want of processes.
        ends=(Reason.PROCESS_LIMIT, None),
        walled=True,
        heavy=True,
    ),
    "threads without end": Poison(
        cell=(
            "import threading, time\nwhile True:\n"
            "    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
        ),
        ends=(Reason.PROCESS_LIMIT,),
    ),
    "files held open": Poison(
        cell="held = []\nwhile True: held.append(open('/dev/null'))",
        ends=(Reason.OPEN_FILES_LIMIT,),
    ),
    "processor time": Poison(
        cell="while True: pass", ends=(Reason.CPU_LIMIT,), limits={"cpu_seconds": 1.0}
    ),
    "processor time of children": Poison(
        cell=(
            "import os, time\nfor _ in range(3):\n    if os.fork() == 0:\n        while True: pass\n"
            "time.sleep(600)"
        ),
        ends=(Reason.CPU_LIMIT,),
        limits={"cpu_seconds": 1.0},
    ),
    "one large file": Poison(cell="open('x', 'wb').write(bytes(30_000_000))", ends=DISK),
    "a sparse petabyte": Poison(cell="open('x', 'wb').truncate(2**50)", ends=DISK),
    "a full folder": Poison(
        cell="n = 0\nwhile True:\n    open(f'{n}', 'wb').write(bytes(4_000_000)); n += 1", ends=DISK
    ),
    "a full /tmp": Poison(
        cell=(
            "import tempfile\nheld = []\nwhile True:\n    f = tempfile.NamedTemporaryFile()\n"
            "    f.write(bytes(4_000_000)); f.flush(); held.append(f)"
        ),
        ends=DISK,
    ),
    "a full /dev/shm": Poison(
        cell="n = 0\nwhile True:\n    open(f'/dev/shm/{n}', 'wb').write(bytes(4_000_000)); n += 1",
        ends=DISK,
        walled=True,
    ),
    "links without end": Poison(
        cell="import os\nn = 0\nwhile True:\n    os.symlink('x', f'{n}'); n += 1", ends=DISK
    ),
    "empty files without end": Poison(
        cell="n = 0\nwhile True:\n    open(f'{n}', 'w').close(); n += 1", ends=DISK
    ),
    "folders 1,000 deep": Poison(
        late=True,
        cell="import os\nfor _ in range(1000):\n    os.mkdir('d'); os.chdir('d')",
        ends=DISK,
    ),
    "5,000 files left": Poison(
        late=True, cell="for n in range(5_000): open(f'{n}', 'w').close()", ends=DISK
    ),
    "everything deleted": Poison(
        # But for the programs, which are too many to try one by one: of them, one.
        cell=(
            "import os, shutil\nfor name in set(os.listdir('/')) - {'usr'}:\n"
            "    shutil.rmtree(f'/{name}', ignore_errors=True)\n"
            "for path in ('/usr/bin/env', os.__file__):\n"
            "    try: os.unlink(path)\n    except OSError: pass"
        ),
        ends=(None, Reason.AGENT_ERROR),
        walled=True,
    ),
    "everybody killed": Poison(
        cell="import os, signal; os.kill(-1, signal.SIGKILL)",
        # There may be nobody else.
        ends=(None, Reason.KERNEL_DIED, Reason.AGENT_ERROR),
        walled=True,
    ),
    "no descriptors left": Poison(
        cell="import os; os.closerange(3, 1000)\nwhile True: pass",
        # Without them a kernel may notice, and die before its time.
        ends=(Reason.TIMEOUT, Reason.KERNEL_DIED, Reason.OUTPUT_LIMIT, Reason.KERNEL_PROTOCOL),
        limits=HANGING,
    ),
    "a __repr__ that leaves": Poison(
        cell="class Loud:\n    def __repr__(self): raise BaseException('x')\nLoud()",
        ends=(None, Reason.AGENT_ERROR, Reason.KERNEL_PROTOCOL, Reason.KERNEL_DIED),
    ),
    "a kernel without a mouth": Poison(
        cell="get_ipython().kernel.session = None",
        ends=(Reason.KERNEL_PROTOCOL, Reason.KERNEL_DIED, Reason.TIMEOUT),
        limits=HANGING,
    ),
    "a result of 100 MB": Poison(
        # It is written as JSON, packed and signed before we hear of it.
        cell="from workbench import agent\nagent.result('x' * 100_000_000)",
        ends=(Reason.OUTPUT_LIMIT, Reason.MEMORY_LIMIT),
    ),
    "an error of 100 MB": Poison(
        cell="raise ValueError('x' * 100_000_000)",
        ends=(Reason.OUTPUT_LIMIT, Reason.MEMORY_LIMIT),
    ),
    "no import left": Poison(
        cell="import builtins; builtins.__import__ = None\nimport json",
        ends=(Reason.AGENT_ERROR, Reason.KERNEL_PROTOCOL, Reason.TIMEOUT),
        limits=HANGING,
    ),
    "a limit lowered by itself": Poison(
        cell=(
            "import resource; resource.setrlimit(resource.RLIMIT_AS, (10**6, 10**6))\n"
            "x = bytearray(10**8)"
        ),
        ends=(Reason.MEMORY_LIMIT, Reason.KERNEL_DIED, Reason.AGENT_ERROR),
    ),
}

POISON: dict[str, Poison] = {
    **_all(Reason.OUTPUT_LIMIT, TOO_MUCH_OUTPUT),
    **_all(Reason.AGENT_ERROR, LEAVING),
    **_all(Reason.KERNEL_DIED, DYING),
    **_all(Reason.TIMEOUT, HANGING_CELLS, limits=HANGING),
    **_all(None, HARMLESS),
    **_all(Reason.INVALID_OUTPUT, UNUSABLE_RESULTS),
    **GREEDY,
    **{
        f"forged: {name}": Poison(
            cell=f"{SENDING}{cell}\ntime.sleep(60)",
            ends=(Reason.INVALID_OUTPUT,) if name == "a second result" else PROTOCOL,
        )
        for name, cell in FORGED.items()
    },
}
