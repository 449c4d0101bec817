"""What people write names a notebook on disk, an agent, or nothing at all."""

from pathlib import Path

import pytest

from workbench.cli.targets import FIRST_USER, Address, address, name_from, target, travel_name
from workbench.errors import InvalidRequest
from workbench.services.admitting import ADMIN


@pytest.mark.parametrize("text", ["a.ipynb", "deep/b.py", "/abs/c.ipynb", "owner/name.py"])
def test_a_suffix_makes_it_a_path_whether_or_not_it_is_there(text):
    assert target(text) == Path(text)


def test_whatever_is_on_disk_is_a_path(elsewhere):
    (elsewhere / "plain").write_text("x")

    assert target("plain") == Path("plain")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ada/prices", Address(owner="ada", name="prices")),
        ("ada/prices@1.2.0", Address(owner="ada", name="prices", version="1.2.0")),
        ("ada/prices@draft", Address(owner="ada", name="prices", version="draft")),
        ("prices", Address(owner="admin", name="prices")),
        ("prices@1.0.0", Address(owner="admin", name="prices", version="1.0.0")),
    ],
)
def test_anything_else_is_an_agent(text, meant):
    assert target(text) == meant


@pytest.mark.parametrize(
    "text",
    ["", "/", "a/", "/a", "a/b/c", "Ada/x", "a@", "a@1", "a@1.2", "a@latest", "a b", "-x", "ü/x"],
)
def test_what_can_be_neither_is_refused(text):
    with pytest.raises(InvalidRequest):
        address(text)


def test_a_name_alone_means_the_first_administrators_agent():
    assert FIRST_USER == ADMIN


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("prices.ipynb", "prices"),
        ("My Prices (2).ipynb", "my-prices-2"),
        ("a_b.py", "a_b"),
        ("Über.ipynb", "ber"),
        ("x" * 80 + ".ipynb", "x" * 63),
    ],
)
def test_an_agent_is_called_like_its_file(file, name):
    assert name_from(Path(file)) == name


def test_a_file_whose_name_leaves_nothing_asks_for_one():
    with pytest.raises(InvalidRequest, match="--name"):
        name_from(Path("日本.ipynb"))


def test_a_file_beside_the_notebook_travels_under_the_path_it_has_there(elsewhere):
    notebook = elsewhere / "sub" / "a.ipynb"

    assert travel_name(Path("sub/data/prices.csv"), notebook) == "data/prices.csv"


def test_a_file_from_elsewhere_travels_under_its_name(elsewhere):
    assert travel_name(Path("/etc/hostname"), elsewhere / "a.ipynb") == "hostname"


def test_a_hidden_file_cannot_travel(elsewhere):
    with pytest.raises(InvalidRequest):
        travel_name(elsewhere / ".secret", elsewhere / "a.ipynb")
