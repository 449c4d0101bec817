"""A talk goes on until the model knows what to say, or may not go on."""

import http.server
import json
import subprocess
import sys
import threading
from dataclasses import dataclass

import pytest

from tests.llm.upstream import chunks
from workbench import agent


@dataclass
class Car:
    name: str


@pytest.fixture
def model(monkeypatch):
    """A model that says what it is told to, one answer after another."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            keys.append(self.headers["Authorization"])
            reply = plan.pop(0)
            status, body = reply if isinstance(reply, tuple) else (200, reply)
            streamed = isinstance(body, list)
            content = b"".join(body) if streamed else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Workbench-Cost-Usd", "0.25")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *told):
            pass

    plan, asked, keys = [], [], []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "wbr_token")
    monkeypatch.delenv("OPENAI_MODEL", raising=False)

    class Model:
        def will(self, *replies):
            plan[:] = replies

        @property
        def asked(self):
            return asked

        @property
        def keys(self):
            return keys

    yield Model()
    server.shutdown()
    server.server_close()
    thread.join()


def text(content):
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    message = {"role": "assistant", "content": content}
    return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}


def wish(name, arguments):
    function = {"name": name, "arguments": json.dumps(arguments)}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }
    return {"choices": [{"message": message}], "usage": {"prompt_tokens": 5}}


def look_up(car: str) -> float:
    """How far a car goes."""
    return {"pinto": 23.5}[car]


def test_a_question_has_an_answer(model):
    model.will(text("forty-two"))

    said = agent.chat("What?", system="You know.", model="m", stream=False, temperature=0)

    assert said.text == "forty-two"
    assert said.usage == {"input_tokens": 10, "output_tokens": 2, "cached_input_tokens": 0}
    assert said.cost == 0.25
    assert said.steps == [{"text": "forty-two", "tools": []}]
    assert model.keys == ["Bearer wbr_token"]
    assert model.asked[0] == {
        "model": "m",
        "temperature": 0,
        "messages": [
            {"role": "system", "content": "You know."},
            {"role": "user", "content": "What?"},
        ],
    }


def test_a_stream_is_heard_as_it_comes(model):
    comment = b': workbench {"cost_usd": 0.5}\n\n'
    model.will([*chunks("for", "ty-two")[:-1], comment, b"data: [DONE]\n\n"])

    said = agent.chat("What?")

    assert said.text == "forty-two"
    assert said.cost == 0.5
    assert said.usage["input_tokens"] == 1000
    assert model.asked[0]["stream_options"] == {"include_usage": True}


def test_tools_are_used_until_the_model_knows(model):
    model.will(wish("look_up", {"car": "pinto"}), text("23.5 miles"))

    said = agent.chat("How far?", tools=[look_up], stream=False)

    assert said.text == "23.5 miles"
    assert said.steps == [{"text": "", "tools": ["look_up"]}, {"text": "23.5 miles", "tools": []}]
    assert model.asked[1]["messages"][-1] == {
        "role": "tool",
        "tool_call_id": "c1",
        "content": "23.5",
    }
    assert said.cost == 0.5
    model.will(text("again"))
    again = agent.chat([*said.messages, {"role": "user", "content": "And?"}], stream=False)
    assert len(again.messages) == 6


def test_an_answer_has_the_schema_it_was_asked_for(model):
    model.will(text('{"name": "pinto"}'))
    assert agent.chat("Which?", schema=Car, stream=False).parsed == Car("pinto")
    assert model.asked[0]["response_format"]["json_schema"]["schema"]["required"] == ["name"]

    model.will(text('{"value": [1, 2]}'))
    assert agent.chat("Which?", schema=list[int], stream=False).parsed == [1, 2]

    model.will(text("```json\n{}\n```"), text('{"name": "pinto"}'))
    repaired = agent.chat("Which?", schema=Car, stream=False)
    assert repaired.parsed == Car("pinto")

    model.will(text("no"), text("never"))
    with pytest.raises(agent.ModelError, match="not what the schema wants"):
        agent.chat("Which?", schema=Car, stream=False)


def test_a_talk_goes_no_further_than_it_may(model):
    model.will(*[wish("look_up", {"car": "pinto"})] * 3)
    with pytest.raises(agent.StepsExceeded) as stopped:
        agent.chat("How far?", tools=[look_up], max_steps=2, stream=False)
    assert len(stopped.value.chat.steps) == 2

    model.will(*[wish("look_up", {"car": "pinto"})] * 3)
    with pytest.raises(agent.BudgetExceeded, match="0.25 dollars"):
        agent.chat("How far?", tools=[look_up], max_cost=0.2, stream=False)


def test_a_model_that_refuses_is_told_apart_by_its_code(model):
    def refusal(code):
        return {"error": {"message": "spent", "type": code, "code": code}}

    model.will((429, refusal("insufficient_quota")))
    with pytest.raises(agent.BudgetExceeded, match="spent"):
        agent.chat("What?")
    model.will((404, refusal("model_not_found")))
    with pytest.raises(agent.ModelError) as refused:
        agent.chat("What?")
    assert (refused.value.status, refused.value.code) == (404, "model_not_found")
    model.will([*chunks("for", done=False, usage=False)])
    with pytest.raises(agent.ModelError, match="broke off"):
        agent.chat("What?")
    model.will([b'data: {"error": {"message": "cut", "code": "stream_cut"}}\n\n'])
    with pytest.raises(agent.ModelError, match="cut"):
        agent.chat("What?")


def test_without_a_model_the_message_says_what_to_do(monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(agent.ModelError, match="OPENAI_BASE_URL"):
        agent.chat("What?")

    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(agent.ModelError, match="cannot be reached"):
        agent.chat("What?")


def test_importing_it_brings_nothing_along():
    code = "import workbench.agent, sys; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = set(out.stdout.split())
    assert not loaded & {"openai", "httpx2", "pydantic", "http.client", "ssl", "email", "IPython"}
