"""Notebooks and programs ask models as they would ask OpenAI, and never meet a key."""

import asyncio
import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import openai
import pytest

from tests.gateway.conftest import TOKEN
from tests.llm.upstream import COMPLETION, answer, chunks, failure, misbehaving_in_a_thread, stream
from workbench.domain.models import Api
from workbench.llm.answers import Saying, streamed, written
from workbench.llm.questions import ask
from workbench.store.keys import Keys

AGENTS = Path(__file__).parents[2] / "notebooks" / "agents"

pytestmark = pytest.mark.gateway

CANARY = "sk-canary-7f3a9c51d2e84b06"

ASKER = """\
# %% tags=["parameters"]
question: str = "2+2"
# %%
import os
from openai import OpenAI
client = OpenAI(max_retries=0)
completion = client.chat.completions.create(
    model="gpt-5.4-mini", messages=[{"role": "user", "content": question}]
)
# %%
from workbench import agent
agent.result({"text": completion.choices[0].message.content, "environment": dict(os.environ)})
"""


@pytest.fixture(scope="module")
def upstream():
    """An upstream in a thread of its own."""
    with misbehaving_in_a_thread() as server:
        server.will(answer(COMPLETION))
        yield server


@pytest.fixture(scope="module")
def workbench(tmp_path_factory, upstream):
    """A gateway whose models are that upstream's, with a key."""
    from tests.gateway.conftest import Gateway

    home = tmp_path_factory.mktemp("models") / "home"
    models = {
        "default": "gpt-5.4-mini",
        "upstreams": {
            "one": {"kind": "openai", "url": upstream.url, "models": ["gpt-*"], "retries": 1}
        },
    }
    home.mkdir()
    Keys(home).put("one", CANARY)
    environment = {"WORKBENCH_MODELS": json.dumps(models), "WORKBENCH_LOG_FORMAT": "json"}
    gateway = Gateway(home, env=environment)
    gateway.add("asker", ASKER)
    yield gateway
    code, _ = gateway.stop()
    assert code == 0
    assert "Traceback" not in gateway.log.read_text()


@pytest.fixture
def client(gateway):
    """The official client, on a gateway without a model."""
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=TOKEN, max_retries=0) as client:
        yield client


@pytest.fixture
def asking(workbench):
    """The official client, on a gateway with one."""
    with openai.OpenAI(base_url=f"{workbench.url}/v1", api_key=TOKEN, max_retries=0) as client:
        yield client


HELLO = [{"role": "user", "content": "hello"}]


def test_the_official_client_is_answered_in_every_way_it_asks(client):
    said = client.chat.completions.create(model="any", messages=HELLO).choices[0].message.content
    assert said == "[scripted model, not a real one] You said: hello"

    with client.chat.completions.stream(model="any", messages=HELLO) as events:
        assert events.get_final_completion().choices[0].message.content == said
    pieces = client.chat.completions.create(model="any", messages=HELLO, stream=True)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == said
    assert client.responses.create(model="any", input="hello").output_text == said
    with client.responses.stream(model="any", input="hello") as events:
        deltas = [e.delta for e in events if e.type == "response.output_text.delta"]
        assert events.get_final_response().output_text == said == "".join(deltas)
    vectors = client.embeddings.create(model="any", input=["a", "b"], dimensions=4).data
    assert [len(each.embedding) for each in vectors] == [4, 4]
    assert [model.id for model in client.models.list()] == ["scripted"]
    assert client.models.retrieve("scripted").owned_by == "workbench"


def test_the_official_client_may_await_it(gateway):
    async def play():
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=TOKEN) as client:
            one = await client.chat.completions.create(model="any", messages=HELLO)
            pieces = await client.chat.completions.create(model="any", messages=HELLO, stream=True)
            text = "".join([piece.choices[0].delta.content or "" async for piece in pieces])
            return one.choices[0].message.content, text

    one, text = asyncio.run(play())
    assert one == text


def test_structured_output_and_tools_are_what_the_client_takes_them_for(client):
    from pydantic import BaseModel

    class Car(BaseModel):
        name: str
        doors: int

    class LookUp(BaseModel):
        car: str

    parsed = client.chat.completions.parse(model="any", messages=HELLO, response_format=Car)
    assert parsed.choices[0].message.parsed == Car(name="scripted", doors=0)
    answered = client.responses.parse(model="any", input="hello", text_format=Car)
    assert answered.output_parsed == Car(name="scripted", doors=0)
    tool = openai.pydantic_function_tool(LookUp)
    called = client.chat.completions.create(
        model="any", messages=HELLO, tools=[tool], tool_choice="required"
    )
    assert called.choices[0].message.tool_calls[0].function.name == "LookUp"
    flat = {"type": "function", "name": "LookUp", "parameters": LookUp.model_json_schema()}
    with client.responses.stream(
        model="any", input="hello", tools=[flat], tool_choice="required"
    ) as events:
        [call] = events.get_final_response().output
    assert json.loads(call.arguments) == {"car": "scripted"}


def test_errors_are_the_ones_the_client_knows(client, asking, gateway):
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-nobody").models.list()
    with pytest.raises(openai.NotFoundError) as missing:
        asking.chat.completions.create(model="claude", messages=HELLO)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="any", messages=[])
    for method, path in (("GET", "/v1/nothing"), ("DELETE", "/v1/models"), ("GET", "/v1/x/y")):
        said = gateway.ask(method, path)
        assert said.status in (404, 405)
        assert set(said.error) == {"message", "type", "param", "code"}
    for body in (b"{", b"[]", b'{"messages": 7}', b'{"messages": [{}], "model": 1}', b"\xff"):
        said = gateway.ask(
            "POST", "/v1/chat/completions", body, headers={"Content-Type": "application/json"}
        )
        assert said.status == 400
        assert said.error["type"] == "invalid_request_error"


def test_what_the_upstream_says_is_what_the_client_hears(asking, upstream):
    upstream.will(answer(COMPLETION))
    whole = asking.chat.completions.create(model="gpt-5.4-mini", messages=HELLO)
    assert whole.to_dict() == COMPLETION

    upstream.will(stream(chunks("fo", "ur")))
    pieces = list(asking.chat.completions.create(model="gpt-5.4-mini", messages=HELLO, stream=True))
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == "four"

    upstream.will(failure(429, retry_after="3600"))
    with pytest.raises(openai.RateLimitError) as limited:
        asking.chat.completions.create(model="gpt-5.4-mini", messages=HELLO)
    assert limited.value.response.headers["retry-after"] == "3600"

    upstream.will(failure(401))
    with pytest.raises(openai.InternalServerError) as refused:
        asking.with_options(max_retries=2).chat.completions.create(model="", messages=HELLO)
    assert "workbench models key one" in str(refused.value)
    assert len(upstream.asked) == 1

    upstream.will(stream(chunks("fo", done=False, usage=False)))
    with pytest.raises(openai.APIError):
        list(asking.chat.completions.create(model="", messages=HELLO, stream=True))


SPY = """\
# %%
import os
import time
from workbench import agent
agent.log("info", os.environ["OPENAI_API_KEY"])
while True:
    time.sleep(0.05)
"""


@pytest.mark.kernel
def test_the_token_of_a_run_opens_nothing_but_models_and_dies_with_it(workbench, upstream):
    upstream.will(answer(COMPLETION))
    workbench.add("spy", SPY)
    run_id = workbench.ask("POST", "/agents/admin/spy/runs", {}).json["id"]
    connection = http.client.HTTPConnection("127.0.0.1", workbench.port, timeout=60)
    with contextlib.closing(connection):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        connection.request("GET", f"/runs/{run_id}/events", headers=headers)
        said = (line.decode() for line in connection.getresponse())
        token = next(found[0] for line in said if (found := re.search(r"wbr_[\w-]+", line)))

    for method, path in [
        *[("GET", path) for path in ("/agents", "/runs", "/usage", "/tokens", "/api/kernels")],
        *[("POST", path) for path in ("/agents", "/tokens", "/tickets")],
        ("GET", f"/runs/{run_id}"),
        ("POST", f"/runs/{run_id}/cancel"),
    ]:
        assert workbench.ask(method, path, token=token).status == 401, path
    asked = {"messages": HELLO}
    assert workbench.ask("POST", "/v1/chat/completions", asked, token=token).status == 200
    forged = token[:-5] + "xxxxx"
    assert workbench.ask("GET", "/v1/models", token=forged).status == 401

    workbench.ask("POST", f"/runs/{run_id}/cancel")
    assert workbench.wait(run_id)["usage"]["calls"] == 1
    assert workbench.ask("GET", "/v1/models", token=token).status == 401


@pytest.mark.kernel
def test_a_canary_key_is_found_nowhere(workbench, upstream):
    """Planted: the header upstream; looked for wherever twelve kinds of thing could have put it."""
    upstream.will(
        failure(400, code=f"key {CANARY} is odd"),
        answer({**COMPLETION, "id": CANARY}, headers=[("X-Echo", CANARY)]),
    )
    failed = workbench.ask("POST", "/agents/admin/asker/runs", {}).json
    first = workbench.wait(failed["id"])
    asked = workbench.ask("POST", "/agents/admin/asker/runs", {"parameters": {"question": "x"}})
    second = workbench.wait(asked.json["id"])
    assert first["status"] == "failed"
    assert second["result"]["text"] == "four"

    said = [json.dumps(first), json.dumps(second)]  # 1 error, 2 result, 3 environment
    for run in (first, second):
        for part in ("events", "logs", "notebook", "notebook.html", "files"):  # 4 to 8
            said.append(workbench.ask("GET", f"/runs/{run['id']}/{part}").body.decode())
    for path in ("/usage?by=run", "/metrics", "/openapi.json", "/v1/models", "/healthz"):
        said.append(workbench.ask("GET", path).body.decode())  # 9
    said.append(workbench.log.read_text())  # 10
    files = [p for p in workbench.home.rglob("*") if p.is_file()]  # 11 journal, 12 index
    assert {"index.duckdb", "model-keys.json"} <= {p.name for p in files}
    said += [p.read_bytes().decode("latin-1") for p in files]
    said.append(Path(f"/proc/{workbench.process.pid}/environ").read_bytes().decode("latin-1"))
    said.append(Path(f"/proc/{workbench.process.pid}/cmdline").read_bytes().decode("latin-1"))

    forms = [
        CANARY,
        base64.b64encode(CANARY.encode()).decode().rstrip("="),
        urllib.parse.quote(CANARY, safe="").replace("-", "%2D"),
        CANARY.removeprefix("sk-canary-"),
    ]
    for text in said:
        for form in forms:
            assert form not in text
    assert all(CANARY in head for head in upstream.heads)


@pytest.mark.kernel
def test_many_runs_ask_the_same_model_and_each_is_told_its_own_usage(workbench, upstream):
    upstream.will(answer(COMPLETION))
    asked = [
        workbench.ask("POST", "/agents/admin/asker/runs", {"parameters": {"question": str(n)}})
        for n in range(3)
    ]
    runs = [workbench.wait(each.json["id"]) for each in asked]

    assert [run["usage"]["calls"] for run in runs] == [1, 1, 1]
    assert {run["usage"]["input_tokens"] for run in runs} == {1000}
    by_run = {each["run"]: each for each in workbench.ask("GET", "/usage?by=run").json["items"]}
    for run in runs:
        assert by_run[run["id"]]["cost_usd"] == pytest.approx(run["usage"]["cost_usd"])


def test_usage_is_asked_for_as_it_is_documented(workbench):
    assert workbench.ask("GET", "/usage?by=colour").status == 400
    assert workbench.ask("GET", "/usage?agent=admin/nobody").status == 404
    assert workbench.ask("GET", "/usage?by=agent&agent=admin/asker&test=true").json["items"] == []


def test_the_log_has_a_line_for_a_question_and_no_word_of_it(workbench, asking, upstream):
    upstream.will(answer(COMPLETION))
    secret = "a question nobody should read in a log"
    asking.chat.completions.create(model="", messages=[{"role": "user", "content": secret}])

    assert secret not in workbench.log.read_text()
    assert "HTTP Request" not in workbench.log.read_text()
    assert not re.search(r"wbr_[0-9a-f]{32}_", workbench.log.read_text())


def in_pieces(question, saying):
    return stream(list(streamed(written(saying, question, model="gpt-5.4-mini"), question)))


@pytest.mark.kernel
def test_a_question_about_real_data_is_answered_by_looking_and_replayed_to_the_letter(
    workbench, upstream
):
    question = ask(
        Api.CHAT,
        {"messages": HELLO, "stream": True, "stream_options": {"include_usage": True}},
    )
    query = "SELECT Name FROM cars WHERE Year = 1982 ORDER BY Miles_per_Gallon DESC LIMIT 2"
    found = {"answer": "The VW pickup.", "rows_seen": 2}
    upstream.will(
        in_pieces(question, Saying(calls=[("sql", {"query": query})])),
        in_pieces(question, Saying(text=json.dumps(found))),
    )
    notebook = json.loads((AGENTS / "car-question.ipynb").read_text())
    made = {"agent_name": "car-question", "notebook": notebook}
    assert workbench.ask("POST", "/agents", made).status == 201
    address = "/agents/admin/car-question"

    def carried_out(**wish):
        asked = workbench.ask("POST", f"{address}/runs", {"test": True, **wish})
        return workbench.wait(asked.json["id"])

    def outputs(run):
        executed = workbench.ask("GET", f"/runs/{run['id']}/notebook").json
        return json.dumps([cell.get("outputs") for cell in executed["cells"]])

    recorded = carried_out(model="record")
    assert recorded["result"] == {**found, "steps": 2}
    assert "vw pickup" in json.dumps(upstream.asked[1]["messages"])
    assert recorded["usage"]["cost_usd"] > 0
    tape = workbench.ask("GET", f"/runs/{recorded['id']}/files/model.cassette.json").body
    kept = workbench.ask(
        "PUT",
        f"{address}/files/model.cassette.json",
        tape,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert kept.status == 201

    upstream.will(answer(b"nobody asks me now"))
    once, twice = carried_out(), carried_out()

    assert upstream.asked == []
    assert once["result"] == twice["result"] == recorded["result"]
    assert outputs(once) == outputs(twice) == outputs(recorded)
    assert once["usage"]["cost_usd"] == 0
    events = workbench.ask("GET", f"/runs/{once['id']}/events").body.decode()
    for kind in ("tool.call", "tool.result", "message.delta"):
        assert f"event: {kind}\n" in events

    other = carried_out(parameters={"question": "Which car is the heaviest?"})
    assert other["status"] == "failed"
    assert "Which car of 1982 goes furthest" in other["error"]["evalue"]


MAILER = """\
# %%
from workbench import agent

@agent.tool(effects="write")
def send_mail(to: str) -> str:
    "Send a mail."
    raise RuntimeError("no mail is sent from here")

@send_mail.simulate
def _(to):
    return f"would mail {to}"
# %%
said = agent.chat("Tell Ada.", tools=[send_mail])
agent.result(said.text)
"""


@pytest.mark.kernel
def test_what_a_test_run_would_have_done_is_told_with_its_result(gateway):
    script = {
        "rules": [
            {
                "when": {"turn": 0},
                "reply": {"tools": [{"name": "send_mail", "arguments": {"to": "ada"}}]},
            },
            {"when": {"tool_result": "would mail ada"}, "reply": {"text": "Told."}},
            {"reply": {"text": "Could not."}},
        ]
    }
    gateway.add("mailer", MAILER, publish=False)
    said = gateway.ask(
        "PUT",
        "/agents/admin/mailer/files/model.script.json",
        json.dumps(script).encode(),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert said.status == 201

    run = gateway.wait(gateway.ask("POST", "/agents/admin/mailer/runs", {"test": True}).json["id"])

    assert run["result"] == "Told."
    [effect] = run["effects"]
    assert effect["tool"] == "send_mail"
    assert effect["arguments"] == {"to": "ada"}
    assert effect["text"] == "would mail ada"
    assert effect["cell"]


@pytest.mark.kernel
def test_a_command_without_a_gateway_answers_models_itself(tmp_path):
    home = tmp_path / "home"

    def command(*words):
        done = subprocess.run(
            [sys.executable, "-m", "workbench", *words, "--home", str(home), "--json"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "WORKBENCH_TOKEN": TOKEN},
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    notebook = shutil.copy(AGENTS / "car-question.ipynb", tmp_path)
    script = shutil.copy(AGENTS / "car-question" / "model.script.json", tmp_path)
    command("agents", "add", notebook, "--with", script)
    recorded = command("models", "record", "admin/car-question")
    assert recorded["result"]["rows_seen"] == 3
    view = command("agents", "show", "admin/car-question")
    assert "model.cassette.json" in json.dumps(view["files"])
    assert command("run", "admin/car-question", "--test")["result"] == recorded["result"]
    [day] = command("models", "usage", "--test")["items"]
    assert day["calls"] == 4
    assert command("models", "list") == {"upstreams": [], "default": ""}
