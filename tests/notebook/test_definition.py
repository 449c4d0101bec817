"""A definition says what its notebook says; every key that is wrong is named with what it should be."""

from __future__ import annotations

import time

import pytest

from workbench.domain.definitions import AgentFile, Case, definition_from_json
from workbench.domain.parameters import Parameter
from workbench.domain.retries import AT_MOST_ONCE, Retry
from workbench.errors import InvalidAgentConfig
from workbench.notebook.definition import MAX_CASES, MAX_TAGS, define
from workbench.notebook.document import load, markdown_cell
from workbench.notebook.starters import starter

FINGERPRINT = "ab" * 32
PARAMETERS = ("city: str = 'Seattle'  # which\nn: int", "parameters")


@pytest.fixture
def of(notebook):
    """The definition of a notebook with some metadata."""
    return lambda **own: define(load(notebook(PARAMETERS, **own)), fingerprint=FINGERPRINT)


def test_everything_a_notebook_can_say_is_read(notebook):
    files = [AgentFile(path="data.csv", fingerprint="cd" * 32, size=3)]
    nb = load(
        notebook(
            ("import os", "setup"),
            PARAMETERS,
            "await f()",
            description=" Tells the weather. ",
            output_schema={"type": "number"},
            cases=[
                {"name": "warm", "parameters": {"n": 1}, "expect": None},
                {"name": "cold", "parameters": {"n": 2.0, "city": "Oslo"}, "later": 1},
            ],
            timeout_seconds=5,
            limits={"memory_bytes": 2e9, "cpu_seconds": 9},
            network=["api.example.org", "Db.example.org:5432"],
            retry={"max": 2},
            tags=["weather", " demo ", "weather"],
            later={"anything": 1},
        )
    )

    definition = define(nb, fingerprint=FINGERPRINT, files=files)

    assert definition.fingerprint == FINGERPRINT
    assert definition.description == "Tells the weather."
    assert [p.name for p in definition.parameters] == ["city", "n"]
    assert definition.input_schema == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "which", "default": "Seattle"},
            "n": {"type": "integer"},
        },
        "required": ["n"],
        "additionalProperties": False,
    }
    assert definition.output_schema == {"type": "number"}
    assert definition.cases == (
        Case(name="warm", parameters={"n": 1}, expects=True),
        Case(name="cold", parameters={"n": 2, "city": "Oslo"}),
    )
    assert (definition.timeout_seconds, definition.network, definition.retry) == (
        5.0,
        "allow-list",
        Retry(max=2),
    )
    assert definition.hosts == ("api.example.org", "Db.example.org:5432")
    assert definition.asked == {"seconds": 5.0, "memory_bytes": 2_000_000_000, "cpu_seconds": 9.0}
    assert (definition.kernel, definition.language) == ("python3", "python")
    assert definition.tags == ("weather", "demo")
    assert definition.files == tuple(files)
    assert definition_from_json(definition.as_json()) == definition


def test_how_a_lost_run_is_begun_again_is_read_and_kept(of):
    said = {"max": 3, "on": ["timeout", "timeout"], "backoff_seconds": 2, "test": True}
    definition = of(retry=said)

    assert definition.retry == Retry(max=3, on=("timeout",), backoff_seconds=2.0, test=True)
    assert definition_from_json(definition.as_json()) == definition
    kept_long_ago = {**definition.as_json(), "retry": 2}
    assert definition_from_json(kept_long_ago).retry == Retry(max=2)


def test_a_notebook_that_says_nothing_is_an_agent_too():
    definition = define(load({"nbformat": 4, "cells": []}), fingerprint=FINGERPRINT)

    assert (definition.description, definition.parameters, definition.kernel) == ("", (), "")
    assert (definition.network, definition.timeout_seconds) == ("none", None)
    assert definition.retry == AT_MOST_ONCE
    assert definition.input_schema["properties"] == {}


def test_the_starter_is_a_definition():
    nb = starter("greeter", "Greets.")

    definition = define(load(nb), fingerprint=FINGERPRINT)

    assert load(nb) == nb
    assert definition.description == "Greets."
    assert definition.parameters == (
        Parameter(
            name="name",
            type="str",
            schema={"type": "string"},
            default="world",
            help="whom to greet",
        ),
    )


@pytest.mark.parametrize(
    ("markdown", "description"),
    [
        ("# Weather\n\nTells *it*\nplainly.\n\nMore.", "Tells *it* plainly."),
        ("# Weather\nTells it.", "Tells it."),
        ("## Weather ##", "Weather"),
        ("![logo](x.png)\n\n<b>\n\nWords.", "Words."),
        ("", ""),
        ("x" * 100_000, "x" * 2_000),
    ],
)
def test_without_a_description_the_text_of_the_notebook_speaks(notebook, markdown, description):
    nb = load(notebook("x = 1"))
    nb.cells += [markdown_cell(" \n", id="a"), markdown_cell(markdown, id="b")]

    assert define(nb, fingerprint=FINGERPRINT).description == description


@pytest.mark.parametrize(
    ("own", "field", "said"),
    [
        ({"description": 3}, "description", "must be a text"),
        ({"description": "x" * 2_001}, "description", "must be a text"),
        ({"input_schema": []}, "input_schema", "must be a JSON Schema"),
        ({"input_schema": {"type": "nope"}}, "input_schema", "no schema"),
        ({"input_schema": {}}, "input_schema", "must describe an object"),
        ({"input_schema": {"type": "array"}}, "input_schema", "must describe an object"),
        (
            {"input_schema": {"type": "object", "properties": {"zork": {}}}},
            "input_schema",
            "zork, which the parameters cell does not declare",
        ),
        (
            {"input_schema": {"type": "object", "required": ["zork"]}},
            "input_schema",
            "zork, which",
        ),
        ({"output_schema": 3}, "output_schema", "must be a JSON Schema"),
        ({"output_schema": {"$ref": "http://x/"}}, "output_schema", "nothing is fetched"),
        ({"timeout_seconds": 0}, "timeout_seconds", "above 0"),
        ({"timeout_seconds": 86_401}, "timeout_seconds", "at most 86,400"),
        ({"timeout_seconds": True}, "timeout_seconds", "number"),
        ({"timeout_seconds": "5"}, "timeout_seconds", "number"),
        ({"network": "all"}, "network", '"none", "open" or a list'),
        ({"network": "allow-list"}, "network", "list of 1 to 50 hosts"),
        ({"network": []}, "network", "list of 1 to 50 hosts"),
        ({"network": None}, "network", "list of 1 to 50 hosts"),
        ({"network": ["a.org"] * 51}, "network", "list of 1 to 50 hosts"),
        ({"network": [3]}, "network", "as texts"),
        ({"network": ["https://a.org/x"]}, "network", "is no host"),
        ({"network": ["*.a.org"]}, "network", "is no host"),
        ({"network": ["a.org:0"]}, "network", "0 is no port"),
        ({"limits": []}, "limits", "must be an object"),
        ({"limits": {"memory": 1}}, "limits.memory", "is no limit; there are cpu_seconds"),
        ({"limits": {"seconds": 1}}, "limits.seconds", "is no limit"),
        ({"limits": {"memory_bytes": 1e6}}, "limits.memory_bytes", "at least 268,435,456"),
        ({"limits": {"memory_bytes": "1G"}}, "limits.memory_bytes", "must be a number"),
        ({"limits": {"processes": 64.5}}, "limits.processes", "whole number"),
        ({"limits": {"processes": True}}, "limits.processes", "must be a number"),
        ({"limits": {"open_files": 1e300}}, "limits.open_files", "must be a number"),
        ({"limits": {"cpu_seconds": 0}}, "limits.cpu_seconds", "at least 0.1"),
        ({"retry": -1}, "retry", "0 to 10"),
        ({"retry": 11}, "retry", "0 to 10"),
        ({"retry": True}, "retry", "whole number"),
        ({"retry": {"max": "1"}}, "retry", "whole number"),
        ({"retry": {"on": "timeout"}}, "retry.on", "list of agent_error"),
        ({"retry": {"on": ["cancelled_by_user"]}}, "retry.on", "list of agent_error"),
        ({"retry": {"on": [["timeout"]]}}, "retry.on", "list of"),
        ({"retry": {"backoff_seconds": 601}}, "retry.backoff_seconds", "0 to 600"),
        ({"retry": {"backoff_seconds": True}}, "retry.backoff_seconds", "number"),
        ({"retry": {"test": 1}}, "retry.test", "true or false"),
        ({"tags": "a"}, "tags", "list"),
        ({"tags": [1]}, "tags", "list"),
        ({"tags": ["x" * 41]}, "tags", "1 to 40"),
        ({"tags": [str(n) for n in range(MAX_TAGS + 1)]}, "tags", "at most 20"),
        ({"cases": {}}, "cases", "list"),
        ({"cases": [{"name": str(n)} for n in range(MAX_CASES + 1)]}, "cases", "at most 100"),
        ({"cases": [3]}, "cases[0]", "must be an object"),
        ({"cases": [{}]}, "cases[0].name", "must be a text"),
        ({"cases": [{"name": " "}]}, "cases[0].name", "must be a text"),
        ({"cases": [{"name": "a", "parameters": []}]}, "cases[0].parameters", "an object"),
        ({"cases": [{"name": "a"}]}, "cases[0].parameters", "Required: n"),
        (
            {"cases": [{"name": "a", "parameters": {"n": 1, "zork": 2}}]},
            "cases[0].parameters",
            "Not a parameter of this agent: zork",
        ),
        (
            {"cases": [{"name": "a", "parameters": {"n": 1, "test": True}}]},
            "cases[0].parameters",
            "test is the mode",
        ),
        (
            {"cases": [{"name": "a", "parameters": {"n": "x"}}]},
            "cases[0].parameters.n",
            'not of type "integer"',
        ),
        (
            {"cases": [{"name": "a", "parameters": {"n": 1}}] * 2},
            "cases[1].name",
            "as another case's is",
        ),
    ],
)
def test_a_key_that_is_wrong_is_named_with_what_it_should_be(of, own, field, said):
    with pytest.raises(InvalidAgentConfig) as caught:
        of(**own)

    assert said in str(caught.value)
    assert str(caught.value).startswith(f"metadata.workbench.{field}")
    assert caught.value.details == {"field": f"metadata.workbench.{field}"}


def test_metadata_that_is_no_object_is_refused(notebook):
    nb = load({**notebook("x"), "metadata": {"workbench": []}})

    with pytest.raises(InvalidAgentConfig, match="metadata.workbench must be an object"):
        define(nb, fingerprint=FINGERPRINT)


def test_an_authors_own_input_schema_is_kept_and_holds_for_cases(of):
    own = {"type": "object", "properties": {"n": {"minimum": 3}}}

    assert of(input_schema=own).input_schema == own
    with pytest.raises(InvalidAgentConfig, match=r"parameters\.n cannot be used: it is less than"):
        of(input_schema=own, cases=[{"name": "a", "parameters": {"n": 2}}])


def test_parameters_too_large_to_be_checked_together_are_refused(notebook):
    nb = load(notebook((f"x = {'a' * 70_000!r}", "parameters")))

    with pytest.raises(InvalidAgentConfig, match="The schema of the parameters"):
        define(nb, fingerprint=FINGERPRINT)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([("x = 1", "parameters"), ("y", "setup")], "must stand before the parameters cell"),
        ([("x = 1", "parameters", "setup")], "both parameters and setup"),
        ([("x = 1", "parameters", "check")], "both parameters and check"),
        ([("x = 1", "parameters", "live")], "both parameters and live"),
        ([("x = 1", "parameters", "skip-execution")], "both parameters and skip-execution"),
        ([("x = 1", "check", "live")], "both check and live"),
        (["ok = 1", "x = = 1"], "Cell 1 is not valid Python"),
        ([("x = (", "check")], "Cell 0 is not valid Python"),
    ],
)
def test_cells_that_make_no_sense_are_refused(notebook, cells, said):
    with pytest.raises(InvalidAgentConfig, match="Cell ") as caught:
        define(load(notebook(*cells)), fingerprint=FINGERPRINT)

    assert said in str(caught.value)
    assert {"cell", "cell_id"} <= set(caught.value.details)


def test_code_that_no_run_carries_out_may_be_anything(notebook):
    define(load(notebook(("x = (", "skip-execution"), "%%bash\nif")), fingerprint=FINGERPRINT)


def test_a_notebook_in_another_language_is_not_read_as_python(notebook):
    nb = load(
        notebook(
            ("n <- 1", "parameters"),
            "f <- function(x) x",
            input_schema={"type": "object", "properties": {"n": {"type": "integer"}}},
            cases=[{"name": "a", "parameters": {"n": 1}}],
        )
    )
    nb.metadata.language_info.name = "R"
    nb.metadata.kernelspec = {"name": "ir", "display_name": "R", "language": "R"}

    definition = define(nb, fingerprint=FINGERPRINT)

    assert (definition.language, definition.kernel) == ("r", "ir")
    assert definition.parameters == (
        Parameter(name="n", type="integer", schema={"type": "integer"}),
    )


@pytest.mark.parametrize("name", ["../../etc", "a b", "x" * 100, ""])
def test_a_kernel_name_that_could_be_a_path_is_no_name(notebook, name):
    nb = load(notebook("x = 1"))
    nb.metadata.kernelspec.name = name

    assert define(nb, fingerprint=FINGERPRINT).kernel == ""


@pytest.mark.parametrize("source", ["%a\n" * 150, "x = 1\n" * 200, "x?\n" * 20, "def f(): pass\n"])
def test_ten_thousand_cells_do_not_take_long(notebook, source):
    nb = load(notebook(*[source] * 10_000))
    begun = time.process_time()

    define(nb, fingerprint=FINGERPRINT)

    assert time.process_time() - begun < 10
