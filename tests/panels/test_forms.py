"""A form has a field for every parameter and says exactly what was filled in."""

import pytest

from workbench.errors import InvalidInput
from workbench.notebook.parameters import declared
from workbench.panels.forms import Form
from workbench.services.views import parameter_view

SOURCE = """\
name: str
city: str = "Seattle"  # which <city>
year: int = 2014
share: float = 0.5
wet: bool = True
model: Literal["forest", "linear"] = "linear"
tags: list[str] = ["a"]
limit: int | None = None
"""


@pytest.fixture
def parameters(notebook):
    return [parameter_view(p) for p in declared(notebook((SOURCE, "parameters")))]


def test_the_defaults_are_filled_in(parameters):
    form = Form(parameters)
    form.set("name", "Ada")

    assert form.values() == {
        "name": "Ada",
        "city": "Seattle",
        "year": 2014,
        "share": 0.5,
        "wet": True,
        "model": "linear",
        "tags": ["a"],
    }


def test_what_is_filled_in_is_said(parameters):
    form = Form(parameters)
    given = {"name": "Eve", "year": 2015, "wet": False, "model": "forest"}
    for name, value in given.items():
        form.set(name, value)
    form.set("tags", '["b", "c"]')
    form.set("limit", "7")

    assert form.values() == {
        **given,
        "city": "Seattle",
        "share": 0.5,
        "tags": ["b", "c"],
        "limit": 7,
    }


def test_what_is_required_must_be_filled_in(parameters):
    with pytest.raises(InvalidInput, match="name is required"):
        Form(parameters).values()


def test_what_cannot_be_read_is_named(parameters):
    form = Form(parameters)
    form.set("name", "x")
    form.set("tags", "[oops")

    with pytest.raises(InvalidInput, match="tags cannot be read"):
        form.values()


def test_what_authors_write_is_escaped(parameters):
    labels = "".join(row.children[0].value for row in Form(parameters).view.children)

    assert "which &lt;city&gt;" in labels
    assert "<city>" not in labels


def test_an_agent_without_parameters_has_an_empty_form():
    assert Form([]).values() == {}
