"""An example can be pasted: it names the agent's own parameters and an address that answers."""

import ast
import json
import shlex
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from workbench.domain.agents import Agent
from workbench.domain.definitions import Definition
from workbench.domain.parameters import Parameter, object_schema
from workbench.gateway.examples import examples, origin, sample, values

BASE = "http://127.0.0.1:8890"
AT = datetime(2026, 11, 20, tzinfo=UTC)


def an_agent(*parameters, version="1.0.0"):
    definition = Definition(
        fingerprint="0" * 64, parameters=parameters, input_schema=object_schema(parameters)
    )
    return Agent(
        id="0" * 32,
        owner="ada",
        name="hello",
        description="",
        draft=definition,
        published=definition if version else None,
        current_version=version,
        created_at=AT,
        updated_at=AT,
    )


NASTY = "it's \"$(touch /tmp/x)`\\\n${y} </script> ☃"
CITY = Parameter(name="city", type="str", schema={"type": "string"}, default=NASTY)
COUNT = Parameter(name="count", type="int", schema={"type": "integer"}, required=True)
UNKNOWN = Parameter(name="when", default=None)


def test_defaults_are_kept_what_is_required_is_filled_and_the_rest_left_out():
    assert values(an_agent(CITY, COUNT, UNKNOWN)) == {"city": NASTY, "count": 1}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "text"),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "number"}, 1),
        ({"type": "boolean"}, True),
        ({"type": "array"}, []),
        ({"type": "object"}, {}),
        ({"type": ["null", "string"]}, None),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"enum": ["b", "a"]}, "b"),
        ({"type": "string", "examples": ["Seattle"]}, "Seattle"),
        ({"const": 3}, 3),
        ({}, "text"),
        ({"anyOf": [True], "enum": []}, "text"),
    ],
)
def test_a_value_is_one_of_the_declared_type(schema, value):
    assert sample(schema) == value


def test_the_shell_reads_the_address_and_the_body_as_they_are():
    words = shlex.split(examples(an_agent(CITY, COUNT), BASE)["curl"])

    assert words[:3] == ["curl", "-sS", f"{BASE}/agents/ada/hello"]
    assert json.loads(words[-1]) == {"city": NASTY, "count": 1}


def test_python_reads_the_body_as_it_is():
    tree = ast.parse(examples(an_agent(CITY, COUNT), BASE)["python"])

    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    body = next(call.args[0] for call in calls if ast.unparse(call.func) == "json.dumps")
    assert ast.literal_eval(body) == {"city": NASTY, "count": 1}


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node here")
def test_javascript_sends_the_body_as_it_is():
    spied = "globalThis.fetch = async (url, sent) => ({ json: async () => [url, sent.body] });\n"
    code = spied + examples(an_agent(CITY, COUNT), BASE)["javascript"].replace(
        "console.log(", "console.log(...(x => [JSON.stringify(x)])("
    ).replace("json());", "json()));")

    said = subprocess.run(
        ["node", "--input-type=module", "-e", code],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert said.returncode == 0, said.stderr
    url, body = json.loads(said.stdout)
    assert url == f"{BASE}/agents/ada/hello"
    assert json.loads(body) == {"city": NASTY, "count": 1}


def test_a_draft_is_called_as_a_test_run():
    for text in examples(an_agent(version=None), BASE).values():
        assert f"{BASE}/agents/ada/hello?test=true" in text


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8890", "localhost", "agents.example.org:443", "[::1]:8890"]
)
def test_the_address_is_the_one_the_caller_used(host):
    assert origin("https", host, BASE) == f"https://{host}"


@pytest.mark.parametrize(
    "host", ["", "a b", "x'; rm -rf ~", "u:p@evil", "evil/path", "-x", "a:b", "a" * 300, "é", "[x]"]
)
def test_an_address_that_is_none_is_not_repeated(host):
    assert origin("http", host, BASE) == BASE
