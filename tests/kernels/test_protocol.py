"""A kernel is a stranger on the wire: whatever it sends, the run ends as a run and we go on."""

import json
import os
import textwrap

import pytest

from tests.kernels import forged
from workbench.domain.runs import Reason, RunStatus

pytestmark = pytest.mark.kernel

SENDING = (
    forged.SENDING
    + """
say_raw = iopub.send_multipart
import sys
sys.stdout.flush()
"""
)

BROKEN = {
    "deep json": "say_raw(frames('stream', b'[' * 100_000))",
    "nested beyond reading": (
        "say_raw(frames('display_data', b'{\"data\": {\"application/json\": ' + b'[' * 300"
        " + b']' * 300 + b'}, \"metadata\": {}}'))"
    ),
    "no json": "say_raw(frames('stream', b'\\xff\\xfe{'))",
    "no object": "say_raw(frames('stream', b'[1, 2]'))",
    "a long integer": "say_raw(frames('stream', b'{\"name\": ' + b'9' * 100_000 + b'}'))",
    "one frame": "say_raw([b'x'])",
    "no frames behind the delimiter": "say_raw([b'<IDS|MSG>', b''])",
    "a wrong signature": "f = frames('stream', b'{}'); f[2] = b'0' * 64; say_raw(f)",
    "no signature": "f = frames('stream', b'{}'); f[2] = b''; say_raw(f)",
    "an empty stream": "say('stream', {})",
    "a stream that is none": "say('stream', {'name': 'stdlog', 'text': 'x'})",
    "a text that is none": "say('stream', {'name': 'stdout', 'text': [1]})",
    "an error without a name": "say('error', {})",
    "an error of numbers": "say('error', {'ename': 1, 'evalue': 2, 'traceback': 3})",
    "a display without data": "say('display_data', {'data': None, 'metadata': {}})",
    "a display of numbers": "say('display_data', {'data': {'text/html': 1}, 'metadata': {}})",
    "a count that is none": "say('execute_input', {'code': '', 'execution_count': 'x'})",
    "a comm without anything": "say('comm_open', {})",
    "a comm without state": (
        "say('comm_open', {'comm_id': 'x', 'target_name': 'jupyter.widget', 'data': {}})"
    ),
    "a comm of lists": "say('comm_msg', {'comm_id': [], 'data': {'state': []}})",
    "an update of nothing": "say('update_display_data', {'transient': {'display_id': 'x'}})",
    "idle too early": "say('status', {'execution_state': 'idle'}); time.sleep(30)",
    "an answer of its own": (
        "say('status', {'execution_state': 'idle'});"
        "kernel.shell_stream = None; kernel.session = None; time.sleep(30)"
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_message_ends_the_run_with_its_reason(carried, what):
    run = carried(
        SENDING + BROKEN[what] + "\ntime.sleep(5)", "print('never')", patience_seconds=1.0
    )

    assert (run.outcome.status, run.outcome.reason) == (RunStatus.FAILED, Reason.KERNEL_PROTOCOL)
    assert run.cells["cell-1"]["outputs"] == []


HARMLESS = {
    "an unknown message": "say('no_such_message', {'a': 1})",
    "another's parent": "say('stream', {'name': 'stdout', 'text': 'x'}, parent={})",
    "an unknown state": "say('status', {'execution_state': 'dancing'})",
    "no number": 'say_raw(frames(\'display_data\', b\'{"data": {"application/json": [NaN,'
    ' 1e999, -Infinity]}, "metadata": {}}\'))',
    "half a character": 'say_raw(frames(\'stream\', b\'{"name": "stdout", "text":'
    ' "a \\\\ud800 b"}\'))',
    "bytes that are no text": 'say_raw(frames(\'stream\', b\'{"name": "stdout", "text":'
    ' "\\xff"}\'))',
    "an event that is none": (
        "say('display_data', {'data': {'application/vnd.workbench.event+json': {'type': 'log',"
        " 'level': 3}, 'text/plain': 'x'}, 'metadata': {}})"
    ),
    "a progress beyond": (
        "say('display_data', {'data': {'application/vnd.workbench.event+json': {'type':"
        " 'progress', 'fraction': 1e300, 'message': ''}}, 'metadata': {}})"
    ),
    "an old idle again": "say('status', {'execution_state': 'idle'}, parent={'header': {}})",
    "a long date": "say('status', {'execution_state': 'busy'})",
}


@pytest.mark.parametrize("what", HARMLESS)
def test_an_odd_message_does_no_harm(carried, what):
    run = carried(SENDING + HARMLESS[what], "print('after')")

    assert run.outcome.status is RunStatus.COMPLETED
    assert run.text(1) == "after\n"
    json.loads(run.outcome.notebook, parse_constant=pytest.fail)


def test_a_kernel_that_cannot_say_what_was_raised_has_no_success(carried):
    run = carried(
        "class Mute(Exception):\n    def __str__(self): raise Exception('no')\nraise Mute()",
        "print('never')",
        patience_seconds=1.0,
    )

    assert run.outcome.status is RunStatus.FAILED
    assert run.outcome.reason in (Reason.KERNEL_PROTOCOL, Reason.AGENT_ERROR)
    assert run.cells["cell-1"]["outputs"] == []


@pytest.fixture
def kernelspec(tmp_path, monkeypatch):
    """Installs a kernelspec that runs a Python program."""

    def install(name, program, **spec):
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        script = folder / "kernel.py"
        script.write_text(textwrap.dedent(program))
        argv = spec.pop("argv", ["python", str(script), "{connection_file}"])
        described = {"argv": argv, "display_name": name, "language": "python", **spec}
        (folder / "kernel.json").write_text(json.dumps(described))
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
        return name

    return install


def failed_to_start(run):
    return (run.outcome.status, run.outcome.reason) == (
        RunStatus.FAILED,
        Reason.KERNEL_START_FAILED,
    ) and {cell.status for cell in run.outcome.cells} == {"pending"}


def test_a_kernel_that_is_never_ready_is_given_up(carried, kernelspec):
    name = kernelspec("sleeper", "import time; time.sleep(600)")

    run = carried("1", kernel=name, limits={"start_seconds": 1.0})

    assert failed_to_start(run)
    assert run.outcome.error == {"message": "The kernel was not ready after 1 seconds."}


@pytest.mark.parametrize("program", ["import sys; sys.exit(3)", "raise Exception"])
def test_a_kernel_that_dies_while_it_starts_is_noticed_at_once(carried, kernelspec, program):
    run = carried("1", kernel=kernelspec("mayfly", program))

    assert failed_to_start(run)
    assert "died before it was ready" in run.outcome.error["message"]


def test_a_kernel_whose_program_is_missing_does_not_start(carried, kernelspec):
    name = kernelspec("ghost", "", argv=["/no/such/program", "{connection_file}"])

    assert failed_to_start(carried("1", kernel=name))


def test_an_unknown_kernelspec_is_named(carried):
    run = carried("1", kernel="no-such-kernel")

    assert failed_to_start(run)
    assert "no-such-kernel" in run.outcome.error["message"]


SPEAKING = """
    import json, sys, zmq
    from jupyter_client.session import Session
    info = json.load(open(sys.argv[1]))
    context, session = zmq.Context(), Session(key=info["key"].encode())
    def bound(kind, port):
        socket = context.socket(kind)
        socket.bind(f"ipc://{info['ip']}-{info[port]}")
        return socket
    shell, iopub = bound(zmq.ROUTER, "shell_port"), bound(zmq.PUB, "iopub_port")
    control = bound(zmq.ROUTER, "control_port")
    def say(type, content, parent):
        session.send(iopub, type, content, parent=parent)
    def next_request(socket=shell):
        identities, frames = session.feed_identities(socket.recv_multipart())
        return identities, session.deserialize(frames)
    def answer(identities, request, **content):
        content = {"status": "ok", "execution_count": 1, **content}
        session.send(shell, "execute_reply", content, parent=request, ident=identities)
"""

HELLO = """
    while True:
        identities, request = next_request()
        if request["content"].get("code"):
            break
        say("status", {"execution_state": "busy"}, request)
        answer(identities, request)
        say("status", {"execution_state": "idle"}, request)
"""


@pytest.mark.parametrize(
    "behaviour",
    [
        "    answer(identities, request)\n    import time; time.sleep(600)",
        "    say('status', {'execution_state': 'idle'}, request)\n    import time; time.sleep(600)",
        (
            "    answer(identities, request, status='fine')\n"
            "    say('status', {'execution_state': 'idle'}, request)\n    import time; time.sleep(600)"
        ),
        (
            "    shell.send_multipart([*identities, b'rubbish'])\n"
            "    say('status', {'execution_state': 'idle'}, request)\n    import time; time.sleep(600)"
        ),
    ],
    ids=["only an answer", "only idle", "no status", "rubbish"],
)
def test_half_an_end_is_no_end(carried, kernelspec, behaviour):
    name = kernelspec("half", SPEAKING + HELLO + behaviour)

    run = carried("1", kernel=name, patience_seconds=0.5)

    assert (run.outcome.status, run.outcome.reason) == (RunStatus.FAILED, Reason.KERNEL_PROTOCOL)


def test_a_kernel_that_greets_nobody_and_misses_the_first_request_is_nudged(carried, kernelspec):
    deaf = "    next_request()\n"
    rest = """
    while True:
        say("status", {"execution_state": "busy"}, request)
        answer(identities, request)
        say("status", {"execution_state": "idle"}, request)
        identities, request = next_request()
    """

    run = carried("1", kernel=kernelspec("deaf", SPEAKING + deaf + HELLO + rest))

    assert run.outcome.status is RunStatus.COMPLETED


def test_a_kernel_that_takes_no_signals_is_interrupted_by_message(carried, kernelspec):
    behaviour = """
    import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)
    identities_of_interrupt, interrupt = next_request(control)
    assert interrupt["msg_type"] == "interrupt_request"
    error = {"ename": "Interrupted", "evalue": "by message", "traceback": []}
    say("error", error, request)
    answer(identities, request, status="error", **error)
    say("status", {"execution_state": "idle"}, request)
    import time; time.sleep(600)
    """
    name = kernelspec("polite", SPEAKING + HELLO + behaviour, interrupt_mode="message")

    run = carried("1", kernel=name, limits={"seconds": 1.0, "grace_seconds": 20.0})

    assert (run.outcome.status, run.outcome.reason) == (RunStatus.FAILED, Reason.TIMEOUT)
    assert run.cells["injected-parameters"]["outputs"][0]["ename"] == "Interrupted"


def test_a_kernelspec_gets_its_own_environment_and_no_other(carried, kernelspec, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    argv = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    name = kernelspec("plain", "", argv=argv, env={"GREETING": "hello", "MINE": "${HOME}/x"})

    run = carried(
        "import os\nfrom workbench import agent\n"
        "agent.result([os.environ.get(n) for n in ('GREETING', 'OPENAI_API_KEY')]"
        " + [os.environ['MINE'] == os.environ['HOME'] + '/x', agent.run_id])",
        kernel=name,
    )

    assert run.outcome.result == ["hello", None, True, "run-1"]


def test_the_gateways_environment_is_what_it_was(carried):
    before = dict(os.environ)

    carried("import os; os.environ['NEW'] = '1'")

    assert dict(os.environ) == before
