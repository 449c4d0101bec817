"""Python source becomes the same notebook every time, with its result, or is refused with the line."""

from __future__ import annotations

import time

import nbformat
import pytest

from workbench.errors import InvalidAgentConfig
from workbench.notebook.definition import define
from workbench.notebook.document import dump, load
from workbench.notebook.source import MAX_BYTES, from_source

CELLS = """\
# %% [markdown]
# # Greets
#
# Whom you like.

# %% tags=["parameters"]
name: str = "world"  # whom

# %% A title
# !ls
# %matplotlib inline
greeting = f"hello {name}"
"""


def test_plain_source_is_one_cell():
    nb = from_source("\nx = 1\n\nprint(x)\n")

    nbformat.validate(nb)
    assert [(c.cell_type, c.source) for c in nb.cells] == [("code", "x = 1\n\nprint(x)")]
    assert nb.metadata == {"language_info": {"name": "python"}}


def test_marked_source_is_a_cell_for_each_mark():
    nb = from_source(CELLS)

    assert [(c.cell_type, c.source, c.metadata) for c in nb.cells] == [
        ("markdown", "# Greets\n\nWhom you like.", {}),
        ("code", 'name: str = "world"  # whom', {"tags": ["parameters"]}),
        ("code", '!ls\n%matplotlib inline\ngreeting = f"hello {name}"', {}),
    ]
    definition = define(nb, fingerprint="")
    assert definition.description == "Whom you like."
    assert [p.name for p in definition.parameters] == ["name"]


@pytest.mark.parametrize("source", [CELLS, "x = 1", "def run(): return 1"])
def test_the_same_source_is_the_same_notebook(source):
    first, second = dump(from_source(source)), dump(from_source(source.replace("\n", "\r\n")))

    assert first == second
    assert dump(load(first)) == first


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("def agent_main(): return 1", "agent_main()"),
        ("def run(): return 1", "run()"),
        ("def run(): return 1\ndef agent_main(): return 2", "agent_main()"),
        ("async def agent_main(): return 1", "await agent_main()"),
        ("async def run(a=1, *args, b=2, **more): return 1", "await run()"),
        ("def run(): return 1\nasync def run(): return 2", "await run()"),
        ("# %%\ndef agent_main():\n    return 1\n# %%\nx = 1", "agent_main()"),
        ("%time x = 1\ndef run(): return x", "run()"),
    ],
)
def test_a_main_function_is_called_for_the_result(source, call):
    last = from_source(source).cells[-1].source

    assert last.endswith(
        "from workbench import agent as _agent\n\n"
        f"if not _agent.has_result():\n    _agent.result({call})"
    )
    compile(last.replace("await ", ""), "last", "exec")


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "def main(): return 1",
        "def run(x): return x",
        "def run(*, x): return x",
        "class A:\n    def run(self): return 1",
        "if x:\n    def agent_main(): return 1",
        "agent_main = 3",
        "# %% [markdown]\n# def run(): return 1",
    ],
)
def test_nothing_else_is_called(source):
    assert "_agent" not in from_source(source).cells[-1].source


def test_a_main_function_that_needs_arguments_is_refused():
    with pytest.raises(InvalidAgentConfig, match="without arguments") as caught:
        from_source("x = 1\ndef agent_main(city): return city")

    assert caught.value.details["line"] == 2


@pytest.mark.parametrize(
    ("source", "said", "line"),
    [
        ("", "empty", None),
        (" \n\t", "empty", None),
        (None, "empty", None),
        (b"x = 1", "empty", None),
        ("x = 1\ny = = 2", "not valid Python", 2),
        ("# %%\nx = 1\n\n# %%\ny = = 2", "Cell 1 is not valid Python", 1),
        ("x = 1\n\0", "NUL", 2),
        ("x = '\ud800'", "surrogate", 1),
        ("x" * (MAX_BYTES + 1), "characters long", None),
        ("x = 1\n" * 30_000, "Cell 0 is", None),
        ('# %% tags="parameters"\nx = 1', "cannot be read as cells", None),
        ("# %%\n" * 2_000, "2,000 cells", None),
        ("(" * 1_000, "not valid Python", 1),
    ],
)
def test_what_is_no_source_is_refused(source, said, line):
    with pytest.raises(InvalidAgentConfig) as caught:
        from_source(source)

    assert said in str(caught.value)
    assert caught.value.details.get("line") == line


def test_a_header_for_other_tools_is_left_out():
    bomb = "\n".join(
        f"# {a}: &{a} [*{b}, *{b}]" for a, b in zip("bcdefghij", "abcdefghi", strict=True)
    )
    nb = from_source(f"# ---\n# a: &a [1, 1]\n{bomb}\n# jupyter: {{}}\n# ---\n\n# %%\nx = 1\n")

    assert [c.source for c in nb.cells] == ["x = 1"]
    assert nb.metadata == {"language_info": {"name": "python"}}


@pytest.mark.parametrize(
    "source",
    [
        "# %%\nx = 1\n" * 1_000,
        "# %% a=" + "[" * 5_000 + "\nx",
        "# %% " + "a=1 " * 50_000 + "\nx",
        '# %% {"a":' + "[" * 100_000 + "\nx",
        "# %% [markdown]\n" + "# a\n" * 100_000,
        "# ---\n" + "# a\n" * 30_000 + "# %%\nx",
        "# %%\n" + "x='''\n" * 20_000,
    ],
)
def test_no_source_takes_long(source):
    begun = time.process_time()

    try:
        from_source(source)
    except InvalidAgentConfig as error:
        assert len(str(error)) < 1_000

    assert time.process_time() - begun < 5
