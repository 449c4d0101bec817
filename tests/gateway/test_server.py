"""A gateway begins when all is there, takes nothing more when told to stop, and whatever dies,
every run it accepted ends exactly once."""

import asyncio
import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from workbench.app import utc_now
from workbench.errors import InvalidRequest
from workbench.gateway.server import check_reach
from workbench.settings import Settings
from workbench.store.store import Store

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


async def index_and_rebuilt(home):
    """Every row of the index as it was left, and as the journal alone gives it."""
    async with await Store.open(home, clock=utc_now) as store:
        kept = await store.dump()
        await store.rebuild()
        return kept, await store.dump()


def refusal(home, *options):
    """How a gateway that does not start ends: exit code and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "serve", "--home", str(home), *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.9.10"])
def test_this_machine_may_talk_in_the_clear(tmp_path, host):
    check_reach(Settings(home=tmp_path, host=host), tls=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", ""])
def test_others_may_not_unless_something_encrypts(tmp_path, host):
    with pytest.raises(InvalidRequest, match="--insecure-host"):
        check_reach(Settings(home=tmp_path, host=host), tls=False)
    check_reach(Settings(home=tmp_path, host=host), tls=True)
    check_reach(Settings(home=tmp_path, host=host, insecure_host=True), tls=False)


def test_an_open_host_is_refused_before_the_home_is_touched(tmp_path):
    code, said = refusal(tmp_path / "home", "--host", "0.0.0.0", "--port", "0")

    assert code == 2
    assert "--insecure-host" in said
    assert not (tmp_path / "home").exists()


def test_a_second_gateway_is_told_who_is_there(start):
    gateway = start()

    code, said = refusal(gateway.home, "--port", "0")

    assert code == 3
    assert str(gateway.process.pid) in said


def test_a_port_that_is_taken_is_not_exchanged_for_another(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = refusal(tmp_path / "home", "--port", port)

    assert code == 3
    assert port in said


def test_a_token_is_made_and_told_once(start):
    first = start(token=None)
    told = [line for line in first.lines if line.startswith("token: ")]
    token = told[0].removeprefix("token: ")
    answered = first.ask("GET", "/agents", token=token).status
    first.stop()
    second = start(token=None)

    assert len(told) == 1 and answered == 200
    assert not [line for line in second.lines if "token" in line]
    assert second.ask("GET", "/agents", token=token).status == 200
    assert token not in second.log.read_text()


def test_it_answers_as_soon_as_it_says_so_and_says_it_once(start):
    gateway = start()

    assert re.fullmatch(r"gateway: http://127\.0\.0\.1:\d+", gateway.lines[-1])
    assert gateway.lines == gateway.lines[-1:]
    assert gateway.ask("GET", "/readyz", token=None).status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_gateway_with_nothing_to_do_stops_at_once(start, number):
    code, seconds = start().stop(number)

    assert code == 0
    assert seconds < 5


def _under_way(gateway, source, count, **parameters):
    gateway.add("worker", source)
    runs = [
        gateway.ask("POST", "/agents/admin/worker/runs", {"parameters": parameters}).json["id"]
        for _ in range(count)
    ]
    while len(gateway.ask("GET", "/runs?status=running").json["items"]) < count:
        time.sleep(0.02)
    return runs


def test_who_drains_takes_nothing_more_and_lets_everybody_finish(start, sources):
    gateway = start()
    run, *_ = _under_way(gateway, sources["sleeper"], 1, seconds=3)
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request(
        "GET", f"/runs/{run}/events", headers={"Authorization": f"Bearer {gateway.token}"}
    )
    stream = connection.getresponse()
    waited = []
    waiting = threading.Thread(target=lambda: waited.append(gateway.wait(run)))
    waiting.start()
    gateway.process.send_signal(signal.SIGTERM)
    while gateway.ask("GET", "/readyz", token=None).status == 200:
        time.sleep(0.02)

    ready = gateway.ask("GET", "/readyz", token=None)
    more = [
        gateway.ask("POST", "/agents/admin/worker/runs", {}),
        gateway.ask("GET", "/agents/admin/worker"),
        gateway.ask("POST", "/agents/admin/worker/versions", {}),
    ]
    seen = gateway.ask("GET", f"/runs/{run}")
    told = stream.read()
    connection.close()
    waiting.join(30)
    code, _ = gateway.stop()

    assert code == 0
    for said in (ready, *more):
        assert (said.status, said.code) == (503, "Unavailable")
        assert int(said.headers["Retry-After"]) > 0
    assert seen.json["status"] == "running"
    assert b"event: run.completed" in told
    assert waited[0]["status"] == "completed"


def test_what_does_not_end_in_time_is_settled_as_lost(start, sources):
    gateway = start(env={"WORKBENCH_DRAIN_SECONDS": "0.5"})
    run, *_ = _under_way(gateway, sources["sleeper"], 1, seconds=60)
    gateway.stop()
    again = start()

    settled = again.ask("GET", f"/runs/{run}").json

    assert (settled["status"], settled["reason"]) == ("failed", "gateway_restarted")


def test_who_asks_twice_does_not_want_to_wait(start, sources):
    gateway = start(env={"WORKBENCH_DRAIN_SECONDS": "600"})
    _under_way(gateway, sources["sleeper"], 1, seconds=60)
    told = []
    waiting = threading.Thread(
        target=lambda: told.append(gateway.ask("GET", "/agents/admin/worker?seconds=60"))
    )
    waiting.start()
    while gateway.ask("GET", "/healthz").json["runs"]["running"] < 2:
        time.sleep(0.02)
    gateway.process.send_signal(signal.SIGTERM)
    while gateway.ask("GET", "/readyz", token=None).status == 200:
        time.sleep(0.02)

    code, seconds = gateway.stop()
    waiting.join(30)

    assert code == 0
    assert seconds < 20
    assert (told[0].status, told[0].code) == (500, "ExecutionFailed")
    assert told[0].error["details"]["reason"] == "gateway_restarted"


def test_who_waits_for_a_run_that_has_not_begun_is_sent_away_and_the_run_is_not(start, sources):
    gateway = start(env={"WORKBENCH_RUNS_AT_ONCE": "1"})
    _under_way(gateway, sources["sleeper"], 1, seconds=2)
    gateway.add("later", sources["greeter"], publish=False)
    told = []
    waiting = threading.Thread(
        target=lambda: told.append(gateway.ask("GET", "/agents/admin/later?test=1"))
    )
    waiting.start()
    while not gateway.ask("GET", "/healthz").json["runs"]["waiting"]:
        time.sleep(0.02)

    code, _ = gateway.stop()
    waiting.join(30)
    again = start()

    assert code == 0
    assert (told[0].status, told[0].code) == (503, "Unavailable")
    run = told[0].error["details"]["run_id"]
    assert again.wait(run)["status"] == "completed"


def test_killed_in_the_midst_of_ten_runs_it_settles_all_and_begins_none_twice(
    start, sources, tmp_path
):
    marks = tmp_path / "marks"
    marks.mkdir()
    source = (
        "import time, uuid\nfrom pathlib import Path\nfrom workbench import agent\n"
        f"(Path({str(marks)!r}) / f'{{agent.run_id}}-{{uuid.uuid4()}}').touch()\n"
        "time.sleep(1.5)\nagent.result(1)\n"
    )
    # Its marks are ours and outlive it: no wall would let them through.
    unwalled = {"WORKBENCH_ISOLATION": "none"}
    gateway = start(env=unwalled)
    gateway.add("worker", source)
    runs = [gateway.ask("POST", "/agents/admin/worker/runs", {}).json["id"] for _ in range(10)]
    while len(list(marks.iterdir())) < 3:
        time.sleep(0.02)
    gateway.stop(signal.SIGKILL)
    again = start(env=unwalled)

    settled = [again.wait(run) for run in runs]
    begun = [mark.name.split("-")[0] for mark in marks.iterdir()]
    last = [
        again.ask("GET", f"/runs/{run}/events").body.decode().count("event: run.c")
        + again.ask("GET", f"/runs/{run}/events").body.decode().count("event: run.failed")
        for run in runs
    ]

    assert {run["status"] for run in settled} == {"completed", "failed"}
    assert {run["reason"] for run in settled} == {None, "gateway_restarted"}
    assert len(begun) == len(set(begun))
    assert last == [1] * 10
    again.stop()
    kept, made_anew = asyncio.run(index_and_rebuilt(again.home))
    assert len([row for row in kept if row.startswith('["runs"')]) >= 10
    assert kept == made_anew


def test_an_answer_that_got_lost_is_given_again_after_a_restart(start, sources):
    gateway = start()
    gateway.add("greeter", sources["greeter"])
    headers = {"Idempotency-Key": "once"}
    first = gateway.ask("POST", "/agents/admin/greeter", {"name": "Ada"}, headers=headers)
    gateway.stop(signal.SIGKILL)
    again = start()

    second = again.ask("POST", "/agents/admin/greeter", {"name": "Ada"}, headers=headers)

    assert second.json == first.json
    assert second.headers["X-Run-Id"] == first.headers["X-Run-Id"]
    assert second.headers["Idempotency-Replayed"] == "true"


def test_commands_on_the_same_machine_find_their_way_in(start):
    gateway = start()
    listed = subprocess.run(
        [sys.executable, "-m", "workbench", "agents", "list", "--home", str(gateway.home)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert listed.returncode == 0, listed.stderr
