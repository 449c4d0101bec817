"""The table of faults in the docs is the tests there are."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "faults.md").read_text()
NAMED = re.findall(r"(\(soak\) )?`(tests/[\w/]+\.py)::(\w+)`", TABLE)


def names_in(path):
    """The names of the tests in a file, and whether each is a long one."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = [ast.unparse(decorator) for decorator in node.decorator_list]
            found[node.name] = "pytest.mark.soak" in marks
    return found


def test_every_fault_in_the_table_is_tested():
    for soak, path, name in NAMED:
        known = names_in(ROOT / path)
        assert name in known, f"{path} has no {name}"
        assert known[name] == bool(soak), f"{name} and its mark in the table"


def test_every_test_of_a_fault_is_in_the_table():
    named = {(path, name) for _, path, name in NAMED}
    for path in Path(__file__).parent.glob("test_*.py"):
        if path.name == Path(__file__).name:
            continue
        for name in names_in(path):
            assert (str(path.relative_to(ROOT)), name) in named, name


def test_every_row_says_what_holds_and_shows_it():
    rows = [line for line in TABLE.splitlines() if line.startswith("| ")]
    for row in rows:
        if not row.startswith("| fault"):
            assert len(row.strip("| ").split(" | ")) == 3
            assert "::test_" in row
