"""A form has a field for every parameter, says exactly what was filled in, and what is wrong."""

import pytest

from workbench.errors import InvalidInput
from workbench.notebook.parameters import declared
from workbench.panels.forms import form_of
from workbench.services.views import parameter_view

SOURCE = """\
name: str
city: str = "Seattle"  # which <city>
year: int = 2014
share: float = 0.5
wet: bool = True
model: Literal["forest", "linear"] = "linear"
size: Literal[1, 2] = 2
tags: list[str] = ["a"]
weights: dict[str, float] = {"a": 1.0}
limit: int | None = None
empty: str = ""
free = None
"""
SCHEMA = {"properties": {"year": {"minimum": 1900, "maximum": 2100}, "name": {"minLength": 2}}}


@pytest.fixture
def agent(notebook):
    parameters = [parameter_view(p) for p in declared(notebook((SOURCE, "parameters")))]
    return {"parameters": parameters, "input_schema": SCHEMA}


@pytest.fixture
def form(agent):
    return form_of(agent)


def test_each_parameter_has_a_field_of_its_kind(form):
    assert {field.name: field.kind for field in form.fields} == {
        "name": "text",
        "city": "text",
        "year": "whole",
        "share": "number",
        "wet": "flag",
        "model": "choice",
        "size": "choice",
        "tags": "lines",
        "weights": "json",
        "limit": "whole",
        "empty": "text",
        "free": "any",
    }


def test_the_defaults_are_filled_in_and_said(form):
    assert form.fill("name", "Ada").values() == {
        "name": "Ada",
        "city": "Seattle",
        "year": 2014,
        "share": 0.5,
        "wet": True,
        "model": "linear",
        "size": 2,
        "tags": ["a"],
        "weights": {"a": 1.0},
    }


def test_what_is_filled_in_is_said(form):
    typed = {
        "name": "Eve",
        "city": "",
        "year": "2015",
        "share": "0,25",
        "wet": False,
        "model": "forest",
        "size": "1",
        "tags": "b\n c \n\n",
        "weights": '{"b": 2}',
        "limit": "7",
        "free": "just text",
    }
    for name, text in typed.items():
        form = form.fill(name, text)

    assert form.values() == {
        "name": "Eve",
        "city": "",
        "year": 2015,
        "share": 0.25,
        "wet": False,
        "model": "forest",
        "size": 1,
        "tags": ["b", "c"],
        "weights": {"b": 2},
        "limit": 7,
        "free": "just text",
    }


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("name", "", "fill this in"),
        ("name", "x", "at least 2 letters"),
        ("year", "soon", "whole number"),
        ("year", "1.5", "whole number"),
        ("year", "1800", "at least 1900"),
        ("year", "2200", "at most 2100"),
        ("share", "half", "a number"),
        ("share", "true", "a number"),
        ("weights", "{oops", "as JSON"),
        ("weights", "[1]", "an object"),
        ("weights", '{"a": "b"}', ""),
        ("model", "other", "Choose one"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(form, name, text, said):
    form = form.fill("name", "Ada").fill(name, text)

    assert said in form.problems().get(name, "")
    assert bool(said) == (name in form.problems())


def test_only_fields_somebody_has_been_at_complain_until_the_form_is_sent(form):
    assert form.problems()
    assert form.shown()["problems"] == {}
    with pytest.raises(InvalidInput) as refused:
        form.values()
    assert list(refused.value.details["fields"]) == ["name"]
    assert list(form.submitted().shown()["problems"]) == ["name"]


def test_a_form_can_be_filled_in_with_what_a_run_was_given(agent):
    form = form_of(agent, {"name": "Eve", "wet": False, "tags": ["x", "y"]})

    assert (form.texts["name"], form.texts["wet"], form.texts["tags"]) == ("Eve", False, "x\ny")
    assert form.texts["city"] == "Seattle"


def test_a_required_choice_is_not_made_for_anybody(notebook):
    source = 'model: Literal["forest", "linear"]'
    parameters = [parameter_view(p) for p in declared(notebook((source, "parameters")))]
    form = form_of({"parameters": parameters, "input_schema": {}})

    assert form.texts["model"] == ""
    assert form.shown()["fields"][0]["options"][0] == ("", "Choose …")
    assert "model" in form.problems()


def test_an_agent_without_parameters_has_an_empty_form():
    assert form_of({"parameters": [], "input_schema": {}}).values() == {}
