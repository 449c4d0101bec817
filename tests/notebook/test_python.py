"""Python is read as IPython would run it, or refused with the line, in bounded time."""

from __future__ import annotations

import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.errors import InvalidAgentConfig
from workbench.notebook.document import node
from workbench.notebook.python import MAX_SOURCE, is_python, language, read


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1",
        "await f()",
        "async with a: pass",
        "%matplotlib inline\nx = 1",
        "!ls -l\nx = !ls\ny = %pwd",
        "x?\n??y\n",
        "%%time\nx = 1",
        "\n\n%%capture out\nawait f()",
        "    x = 1\n    y = 2",
        ">>> x = 1\n>>> y = 2",
        "for i in y:\n    !echo $i\n",
        "x = '\\d'",
        "x = 1\r\ny = 2\r",
        "assert (x, 'always true')",
    ],
)
def test_what_ipython_runs_is_read(source):
    assert read(source, cell=0) is not None


@pytest.mark.parametrize(
    "source", ["%%bash\nfor i in 1 2; do", "%%html\n<b>", "%%writefile x\n((", "%%", "%%!\n("]
)
def test_another_language_in_a_cell_is_left_alone(source):
    assert read(source, cell=0) is None


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1\ny = = 2", 2),
        ("%matplotlib inline\n!ls\nx = (", 3),
        ("%%time\n\nx = = 1", 3),
        ("x = 1\n  y = 2", 2),
        ("x\0 = 1", 1),
        ("(" * 500, 1),
        ("-" * 100_000 + "1", 1),
        ("x = " + "9" * 100_000, 1),
        ("x.\ud800", 1),
    ],
)
def test_what_is_not_python_is_refused_with_cell_and_line(source, line):
    with pytest.raises(InvalidAgentConfig, match="Cell 7 is not valid Python") as caught:
        read(source, cell=7, cell_id="seven")

    assert caught.value.details == {"cell": 7, "cell_id": "seven", "line": line}


def test_lines_keep_their_numbers():
    code = read("%%time\n%load_ext a\n\nx = 1", cell=0)

    assert code is not None
    assert code.tree.body[-1].lineno == 4
    assert code.text.split("\n")[3] == "x = 1"


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" * MAX_SOURCE,
        "%a\n" * 20_000,
        "a." * 50_000 + "?",
        "!a(\n" * 5_000,
        "=" + " " * 100_000 + "%",
        " " * 100_000 + "?",
        "%a \\\n" * 10_000,
        ">>> x\n" * 20_000,
        "'''\n%x\n" * 5_000,
        "[" * 190 + "]" * 190,
        "f'" + "{x}" * 20_000 + "'",
    ],
)
def test_no_cell_takes_long_to_read(source):
    begun = time.process_time()

    try:
        read(source, cell=0)
    except InvalidAgentConfig as error:
        assert len(str(error)) < 500

    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({}, "python"),
        ({"language_info": {"name": "R"}}, "r"),
        ({"kernelspec": {"name": "ir", "language": "R"}}, "r"),
        ({"language_info": {"name": "Python"}, "kernelspec": {"language": "R"}}, "python"),
        ({"kernelspec": {"language": "python3"}}, "python"),
        ({"language_info": {"name": 3}, "kernelspec": []}, "python"),
        ({"language_info": "python"}, "python"),
        ({"language_info": {"name": " "}}, "python"),
    ],
)
def test_the_language_is_the_one_the_notebook_names(metadata, name):
    nb = node(metadata=metadata)

    assert language(nb) == name
    assert is_python(nb) == (name == "python")


def test_what_python_remarks_on_code_goes_nowhere_and_its_filters_stay(recwarn):
    before = list(warnings.filters)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: read(f"x{n} = '\\d'; 1 is 1", cell=n), range(50)))

    assert list(warnings.filters) == before
    assert not recwarn.list
