"""The page of figures says what was measured, and of the rest that it was not."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "figures.py"

JUNIT = """<testsuites><testsuite>
<testcase classname="tests.x" name="{name}[a]"/>
<testcase classname="tests.x" name="{name}[b]"><failure>no</failure></testcase>
<testcase classname="tests.x" name="{name}[c]"><skipped/></testcase>
<testcase classname="tests.x" name="{name}[d]"><properties>
<property name="kill_rounds" value="7"/><property name="kill_runs" value="1200"/>
</properties></testcase>
</testsuite></testsuites>"""


@pytest.fixture(scope="module")
def figures():
    specification = importlib.util.spec_from_file_location("figures", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    sys.modules["figures"] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules["figures"]


def test_what_was_not_measured_is_left_out_with_a_word(figures, tmp_path):
    page = figures.page(tmp_path)

    assert page.count("Not measured this time") == len(figures.SECTIONS)


def test_what_was_measured_is_in_the_page(figures, tmp_path):
    said = {"benchmark": "engine", "cold": {"plain_over_ours": 17.25, "ms": 3}, "n": 5}
    (tmp_path / "engine.json").write_text(json.dumps(said))
    name = "test_a_damaged_index_says_what_the_journal_says"
    (tmp_path / "damage.xml").write_text(JUNIT.format(name=name))
    (tmp_path / "crashes.xml").write_text(JUNIT.format(name="test_kills"))
    (tmp_path / "walls.xml").write_text(JUNIT.format(name="test_walls").replace("[b", "[landlock"))

    page = figures.page(tmp_path)

    assert "| cold plain over ours | **17.25** |" in page
    assert "| kinds, every row there again | **2 of 3** |" in page
    assert "| 7 times `kill -9`, 1,200 accepted runs | **0 lost, 0 doubled** |" in page
    assert "| attacks denied at `landlock` | **0 of 1** |" in page
    assert page.count("Not measured this time") == len(figures.SECTIONS) - 4
