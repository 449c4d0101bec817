"""From nothing to a result with curl alone, as the first page of the documentation tells it."""

import json
import shutil
import subprocess

import pytest

pytestmark = [
    pytest.mark.gateway,
    pytest.mark.kernel,
    pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here"),
]

AGENT = """
city: str = "Seattle"

def agent_main():
    return {"city": city, "letters": len(city)}
"""


def curl(gateway, *words):
    done = subprocess.run(
        ["curl", "-sS", "-i", "-H", f"Authorization: Bearer {gateway.token}", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    head, _, body = done.stdout.partition("\n\n")
    return int(head.split(" ", 2)[1]), head, body


def test_an_agent_is_made_published_called_followed_and_looked_back_at(gateway):
    url = gateway.url
    body = json.dumps({"agent_name": "letters", "agent_config": AGENT})
    form = ["-H", "Content-Type: application/json", "-d"]

    made, _, agent = curl(gateway, "-X", "POST", f"{url}/agents", *form, body)
    early, _, refused = curl(gateway, f"{url}/agents/admin/letters")
    tried, _, trial = curl(gateway, f"{url}/agents/admin/letters?test=true")
    published, _, _ = curl(gateway, "-X", "POST", f"{url}/agents/admin/letters/versions")
    called, head, result = curl(gateway, f"{url}/agents/admin/letters")
    started, _, run = curl(
        gateway, "-X", "POST", f"{url}/agents/{json.loads(agent)['id']}/execute", *form, "{}"
    )
    followed, _, events = curl(gateway, "-N", f"{url}/runs/{json.loads(run)['id']}/events")
    listed, _, runs = curl(gateway, f"{url}/agents/admin/letters/runs")

    assert (made, early, tried, published, called) == (201, 409, 200, 201, 200)
    assert (started, followed, listed) == (202, 200, 200)
    assert json.loads(refused)["error"]["code"] == "IllegalMove"
    assert json.loads(trial) == json.loads(result)
    assert json.loads(result)["letters"] == 7
    assert "x-run-status: completed" in head.lower()
    assert "event: run.completed" in events
    assert len(json.loads(runs)["items"]) == 2
