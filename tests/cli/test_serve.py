"""The gateway says where it answers, lets its commands in, and goes when it is told to."""

import signal

import pytest

from workbench.client.finding import gateway_of
from workbench.client.http import Gateway
from workbench.errors import Unauthenticated

pytestmark = pytest.mark.gateway

CHOSEN = "a-token-of-somebody-else"


def url_of(gateway):
    """Where a starting gateway answers, and what it has printed before."""
    before = []
    for line in gateway.stdout:
        if line.startswith("gateway: "):
            return line.removeprefix("gateway: ").strip(), before
        before.append(line.strip())
    raise AssertionError(gateway.stderr.read())


def test_a_token_is_made_and_printed_once(start, home):
    first = start("serve", "--port", 0, "--home", home)
    url, printed = url_of(first)
    (token,) = (line.removeprefix("token: ") for line in printed)
    assert Gateway(url, token).ask("GET", "/agents").status == 200
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0

    second = start("serve", "--port", 0, "--home", home)
    url, printed = url_of(second)

    assert printed == []
    assert Gateway(url, token).ask("GET", "/agents").status == 200


def test_the_first_token_can_be_chosen(start, home):
    gateway = start("serve", "--port", 0, "--home", home, env={"WORKBENCH_TOKEN": CHOSEN})
    url, printed = url_of(gateway)

    assert printed == []
    assert Gateway(url, CHOSEN).ask("GET", "/agents").status == 200
    with pytest.raises(Unauthenticated):
        Gateway(url, "wrong").ask("GET", "/agents")


def test_every_option_can_come_from_the_environment(start, home):
    gateway = start("serve", env={"WORKBENCH_PORT": "0", "WORKBENCH_HOME": str(home)})

    url, _ = url_of(gateway)

    assert url == gateway_of(home).url


def test_the_commands_of_the_same_user_find_it_while_it_lives(start, home):
    gateway = start("serve", "--port", 0, "--home", home)
    url, _ = url_of(gateway)
    found = gateway_of(home)
    assert (found.url, found.pid) == (url, gateway.pid)
    assert Gateway(found.url, found.token).ask("GET", "/tokens").status == 200

    gateway.kill()
    gateway.wait()

    assert gateway_of(home) is None


def test_listening_to_other_machines_in_the_clear_is_refused(start, home):
    gateway = start("serve", "--port", 0, "--home", home, "--host", "0.0.0.0")

    _, said = gateway.communicate(timeout=60)

    assert gateway.returncode == 2
    assert "--insecure-host" in said


def test_a_token_that_is_too_short_is_refused(start, home):
    gateway = start("serve", "--port", 0, "--home", home, env={"WORKBENCH_TOKEN": "short"})

    _, said = gateway.communicate(timeout=60)

    assert gateway.returncode == 2
    assert "WORKBENCH_TOKEN" in said
    assert "short" not in said.replace("WORKBENCH_TOKEN", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_goes_when_it_is_told_to(start, home, number):
    gateway = start("serve", "--port", 0, "--home", home)
    url_of(gateway)

    gateway.send_signal(number)

    assert gateway.wait(30) == 0
    assert gateway_of(home) is None
