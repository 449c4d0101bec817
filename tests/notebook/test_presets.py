"""A preset is another agent's notebook with other defaults, and nothing else of it changes."""

import pytest

from tests.conftest import as_notebook
from workbench.errors import InvalidAgentConfig
from workbench.notebook.definition import define
from workbench.notebook.document import dump, load
from workbench.notebook.presets import preset

OF = {"of": "ada/weather", "version": "1.2.0"}
CELLS = (('city: str = "Oslo"  # which city\ndays: int\n', "parameters"), "print(city)")


def preset_of(defaults, *cells, **metadata):
    return preset(dump(load(as_notebook(*(cells or CELLS), **metadata))), defaults, **OF)


def test_types_and_help_stay_and_what_was_required_need_not_be_given():
    nb = preset_of({"city": "Bergen", "days": 3})

    told = [
        (p.name, p.type, p.default, p.required, p.help)
        for p in define(nb, fingerprint="0" * 64).parameters
    ]
    assert told == [
        ("city", "str", "Bergen", False, "which city"),
        ("days", "int", 3, False, ""),
    ]
    assert nb.cells[1]["source"] == "print(city)"
    assert nb.metadata["workbench"]["preset"] == {
        "agent": "ada/weather",
        "version": "1.2.0",
        "parameters": {"city": "Bergen", "days": 3},
    }


def test_without_defaults_it_is_a_copy():
    assert preset_of({}).cells[0]["source"] == CELLS[0][0]


def test_a_schema_of_its_own_follows():
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        "required": ["days"],
    }
    definition = define(preset_of({"days": 3}, input_schema=schema), fingerprint="0" * 64)

    assert definition.input_schema["required"] == []
    assert definition.input_schema["properties"]["days"]["default"] == 3


def test_a_case_expects_nothing_of_defaults_that_are_others_now():
    cases = [
        {"name": "given", "parameters": {"city": "Rome", "days": 1}, "expect": 1},
        {"name": "leaning", "parameters": {"days": 1}, "expect": 1},
    ]
    nb = preset_of({"city": "Bergen"}, cases=cases)

    assert nb.metadata["workbench"]["cases"] == [
        cases[0],
        {"name": "leaning", "parameters": {"days": 1}},
    ]


def test_another_language_has_no_defaults_that_could_be_written():
    document = as_notebook("cat(1)")
    document["metadata"] |= {
        "language_info": {"name": "R"},
        "kernelspec": {"name": "ir", "display_name": "R", "language": "R"},
    }
    with pytest.raises(InvalidAgentConfig, match="Python"):
        preset(dump(load(document)), {}, **OF)
