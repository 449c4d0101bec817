"""`workbench up` starts three servers, tells no secret to who lists processes, and ends them all."""

import signal
import socket
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from workbench.cli.children import harmless_environment
from workbench.client.finding import gateway_of
from workbench.client.http import Gateway

CANARY = "canary-0123456789abcdef0123456789abcdef"
SHOWN = ("cmdline", "environ")
FREE = ("--port", 0, "--lab-port", 0, "--voila-port", 0)


def family(pid):
    """The processes below *pid*, by number."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *family(int(child))]
    return found


def shown(pid):
    """What everybody who may look at a process reads of it; nothing if it has just ended."""
    try:
        files = [Path(f"/proc/{pid}/{file}").read_text(errors="replace") for file in SHOWN]
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "".join(files)


def gone(pids, seconds=20):
    """Whether all of them have ended, within that time."""
    ends = time.monotonic() + seconds
    while any(_lives(pid) for pid in pids):
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def started(start, home):
    """Starts everything; gives the process and what it has printed, by the first word."""

    def started(*, until="Ctrl-C", **env):
        process = start("up", "--home", home, *FREE, env=env)
        printed = {}
        for line in process.stdout:
            name, _, rest = line.strip().partition(": ")
            printed[name] = rest
            if until in line:
                return process, printed
        raise AssertionError(process.stderr.read())

    return started


def get(address):
    url = urlsplit(address)
    connection = HTTPConnection(url.netloc, timeout=10)
    try:
        connection.request("GET", f"{url.path}?{url.query}")
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


pytestmark = [pytest.mark.gateway, pytest.mark.timeout(180)]


def test_everything_answers_and_ctrl_c_ends_it(started, home, elsewhere):
    (elsewhere / "mine.ipynb").write_text("{}")
    process, printed = started(WORKBENCH_TOKEN=CANARY, OPENAI_API_KEY=CANARY, DB_PASSWORD=CANARY)
    below = family(process.pid)

    assert "token" not in printed
    assert Gateway(printed["gateway"], CANARY).ask("GET", "/agents").status == 200
    assert gateway_of(home).url == printed["gateway"]
    assert get(printed["lab"])[0] == 200
    lab = urlsplit(printed["lab"])
    listed = f"http://{lab.netloc}/api/contents/?{lab.query}"
    assert "mine.ipynb" in get(listed)[1]
    # Without its token there is nothing to be had.
    assert get(listed.partition("?")[0])[0] == 403
    gallery = printed["voila"].partition("login")[0]
    assert get(f"{gallery}?")[0] == 302
    assert get(printed["voila"])[0] == 302
    assert get(printed["voila"].replace("token=", "token=0"))[0] == 401

    logins = {part.rpartition("token=")[2] for part in (printed["lab"], printed["voila"])}
    told = "".join(shown(pid) for pid in below)
    for part in ("workbench\0serve", "jupyterlab", "voila", f"WORKBENCH_HOME={home}"):
        assert part in told
    for secret in (CANARY, gateway_of(home).token, *logins):
        assert secret not in told

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert len(below) >= 3
    assert gone(below)
    assert list((elsewhere.parent / "tmp").glob("workbench-up-*")) == []


def test_nothing_survives_when_it_is_killed(started):
    process, _ = started(until="gateway: ")
    below = family(process.pid)
    assert below

    process.kill()
    process.wait()

    assert gone(below)


def test_a_server_that_ends_is_named_with_its_last_words_and_ends_the_others(start, home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("up", "--home", home, *FREE, "--lab-port", port)
        assert any(line.startswith("gateway: ") for line in process.stdout)
        below = family(process.pid)

        _, said = process.communicate(timeout=60)

    assert process.returncode == 3
    assert "lab has ended with code 1" in said
    assert "already in use" in said
    assert gone(below)
    assert gateway_of(home) is None


def test_a_home_in_use_is_refused_in_the_gateways_own_words(start, owned):
    process = start("up", "--home", owned, *FREE)

    out, said = process.communicate(timeout=60)

    assert process.returncode == 3
    assert "gateway has ended" in said
    assert "in use" in said
    assert "lab: " not in out


@pytest.mark.parametrize("folder", ["home", "home/runs"])
def test_the_home_itself_is_never_shown(ask, home, folder):
    shown = home.parent / folder
    shown.mkdir(parents=True, exist_ok=True)

    answer = ask("up", "--home", home, *FREE, "--folder", shown)

    assert answer.code == 2
    assert "own home" in answer.err


def test_what_opens_doors_is_kept_from_the_servers():
    given = {
        "PATH": "/bin",
        "OPENAI_API_KEY": "x",
        "WORKBENCH_TOKEN": "x",
        "GITHUB_TOKEN": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "token": "x",
        "WORKBENCH_URL": "http://elsewhere",
        "KEYBOARD": "us",
        "WORKBENCH_RUNS_AT_ONCE": "3",
    }

    kept = harmless_environment(given)

    assert set(kept) == {"PATH", "KEYBOARD", "WORKBENCH_RUNS_AT_ONCE"}
