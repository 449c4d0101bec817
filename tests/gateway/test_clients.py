"""Programs made from the document work: a client speaks to an agent, a fuzzer finds no lie."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

ROOT = Path(__file__).parents[2]
COMMANDS = Path(sys.executable).parent

CLIENT = """
import json, sys
from client import AuthenticatedClient
from client.api.agents_of_admin import admin_seattle_weather as weather
from client.api.runs import runs_show
from client.models import AdminSeattleWeatherParameters as Parameters
from client.models import AdminSeattleWeatherParametersYear as Year

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2], timeout=60)
said = weather.sync_detailed(client=client, body=Parameters(year=Year.VALUE_2014))
run = runs_show.sync(said.headers["X-Run-Id"], client=client)
refused = weather.sync_detailed(client=client, body=Parameters(wet_above_mm="wet"))
print(json.dumps([
    type(said.parsed).__name__, said.parsed.year, said.parsed.months[0].month,
    run.status.value, refused.status_code.value, refused.parsed.error.code,
]))
"""


def test_a_generated_client_calls_an_agent_by_its_typed_method(gateway, tmp_path):
    notebook = json.loads((ROOT / "notebooks/agents/seattle-weather.ipynb").read_text())
    made = gateway.ask("POST", "/agents", {"agent_name": "seattle-weather", "notebook": notebook})
    assert made.status == 201, made.body
    path = "/agents/admin/seattle-weather"
    assert gateway.ask("POST", f"{path}/versions?force=true").status == 201
    document = gateway.ask("GET", "/openapi.json?agent=admin/seattle-weather")
    (tmp_path / "openapi.json").write_bytes(document.body)
    (tmp_path / "config.yml").write_text("post_hooks: []\n")

    generated = subprocess.run(
        [COMMANDS / "openapi-python-client", "generate", "--path", "openapi.json"]
        + ["--meta", "none", "--output-path", "client", "--config", "config.yml"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert generated.returncode == 0, generated.stdout + generated.stderr
    assert "WARNING" not in generated.stdout.upper(), generated.stdout
    said = subprocess.run(
        [sys.executable, "-c", CLIENT, gateway.url, gateway.token],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
        timeout=90,
    )

    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == [
        "AdminSeattleWeatherResult",
        2014,
        "January",
        "completed",
        422,
        "InvalidInput",
    ]
    assert gateway.ask("DELETE", path).status == 200


CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,negative_data_rejection"
)
# What carries out a run takes a kernel each time.
RUNS = r"^(agents_create|calling_.*|versions_publish|admin_.*)$"


@pytest.mark.timeout(180)
def test_a_fuzzer_finds_no_server_error_and_no_answer_that_is_not_documented(start, tmp_path):
    gateway = start()
    gateway.add("calm", '# %% tags=["parameters"]\nx: int = 1\n# %%\n1', description="It is calm.")
    agent = gateway.ask("GET", "/agents/admin/calm/about").json
    run = gateway.ask("POST", "/agents/admin/calm/runs", {}).json["id"]
    gateway.wait(run)
    known = {"owner": "admin", "name": "calm", "id": agent["id"], "run": run, "version": "1.0.0"}
    document = with_known_places(gateway.ask("GET", "/openapi.json").json, known)
    (tmp_path / "openapi.json").write_text(json.dumps(document))

    def fuzzed(*options):
        said = subprocess.run(
            [COMMANDS / "st", "run", "openapi.json", "--url", gateway.url, "--no-color"]
            + ["-H", f"Authorization: Bearer {gateway.token}", "--checks", CHECKS, "--seed", "7"]
            + ["--no-shrink", "--continue-on-failure", "--warnings", "off", *options],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        assert said.returncode == 0, said.stdout[-6000:] + said.stderr[-2000:]
        found = re.search(r"(\d+) generated, (\d+) passed", said.stdout)
        assert found and found[1] == found[2], said.stdout[-2000:]
        return int(found[1])

    asked = fuzzed("--exclude-operation-id-regex", RUNS, "-n", "15", "--phases", "coverage,fuzzing")
    ran = fuzzed("--include-operation-id-regex", RUNS, "-n", "4", "--phases", "fuzzing")

    assert asked > 1000
    assert ran >= 6
    # Else all that was refused was refused for a token that somebody took back meanwhile.
    assert gateway.ask("GET", "/runs").status == 200


def with_known_places(document, known):
    """The document with what is there in its paths; nothing in it takes away what is there."""
    for path, methods in document["paths"].items():
        for parameter in (p for m in methods.values() for p in m.get("parameters", ())):
            if parameter.get("in") == "path" and parameter["name"] in known:
                parameter["schema"] = {"enum": [known[parameter["name"]]]}
        if path in ("/agents/{owner}/{name}", "/tokens/{token}"):
            methods.pop("delete")
            methods.pop("patch", None)
    return document
