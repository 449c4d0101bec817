"""A prompt is a notebook: its names are parameters as a cell would declare them."""

import pytest

from workbench.errors import InvalidAgentConfig
from workbench.notebook.definition import define
from workbench.notebook.prompts import Prompt, prompted, quoted


def defined(text, **more):
    return define(prompted("brief", "", Prompt(text=text, **more)), fingerprint="0" * 64)


def test_names_in_braces_are_parameters_with_types_and_defaults():
    definition = defined("In {{ n: int = 3 }} lines, {{tone: str = 'dry'}}: {{text}} ({{n}})")

    told = [(p.name, p.type, p.default, p.required) for p in definition.parameters]
    assert told == [
        ("n", "int", 3, False),
        ("tone", "str", "dry", False),
        ("text", "str", None, True),
    ]


def test_what_must_be_given_gets_a_case_so_that_it_can_be_published():
    assert dict(defined("{{text}} {{n: int}} {{rows: list[float]}}").cases[0].parameters) == {
        "text": "example",
        "n": 1,
        "rows": [],
    }
    # Nobody can make up a value of an author's own type.
    assert defined("{{when: datetime}}").cases == ()


def test_a_schema_is_what_the_result_is_held_to():
    schema = {"type": "object", "properties": {"mood": {"type": "string"}}}
    assert defined("{{text}}", schema=schema).output_schema == schema


def test_the_filled_prompt_is_what_was_meant_whatever_is_in_it():
    text = 'Say "{{text}}" \\n\t"""in {{agent}}\'s {{given}} words: {{re}}{{rows: list = [1]}}é"'
    nb = prompted("brief", "", Prompt(text=text))
    names = {"text": "{{given}} \\1", "agent": "A", "given": "g", "re": "r", "rows": ["ü"]}
    source = next(cell["source"] for cell in nb.cells if cell["id"] == "prompt")

    exec(compile(source, "cell", "exec"), names)

    assert names["prompt"] == ('Say "{{given}} \\1" \\n\t"""in A\'s g words: r["ü"]é"')


@pytest.mark.parametrize("text", ["a\nb", 'a\nb"', "a\\b\nc", 'a\n"""', "", "é\nü", "a\n\x00"])
def test_a_literal_says_what_it_was_made_of(text):
    assert eval(quoted(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "x" * 100_001,
        "{{}}",
        "{{two words}}",
        "{{#if x}}",
        "{{x.y}}",
        "{{_hidden}}",
        "{{test}}",
        "{{test: bool}}",
        "{{class}}",
        "{{é}}",
        "{{n: int}} {{n: str}}",
        "{{n: int = 'three'}}",
        "{{__import__('os')}}",
        "".join(f"{{{{n{i}}}}}" for i in range(501)),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_prompt_is_refused(text):
    with pytest.raises(InvalidAgentConfig):
        defined(text)


def test_a_schema_that_is_none_is_refused():
    with pytest.raises(InvalidAgentConfig):
        defined("hello", schema={"type": "nonsense"})
