"""Whatever anyone sends is taken or refused as an agent; nothing else is ever raised."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.domain.parameters import accept, from_text
from workbench.errors import InvalidAgentConfig
from workbench.notebook.definition import define
from workbench.notebook.document import dump, load, thaw, without_outputs
from workbench.notebook.parameters import declared
from workbench.notebook.schemas import check_schema, violations
from workbench.notebook.source import from_source

TEXT = st.text(st.characters(), max_size=20)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def mostly(expected):
    """Mostly what is expected there, now and then anything."""
    return st.one_of(expected, expected, expected, PLAIN)


OUTPUTS = mostly(
    st.fixed_dictionaries(
        {},
        optional={
            "output_type": mostly(
                st.sampled_from(["stream", "error", "display_data", "execute_result", "pyout"])
            ),
            "name": mostly(st.just("stdout")),
            "text": mostly(TEXT | st.lists(TEXT, max_size=2)),
            "data": mostly(st.dictionaries(TEXT, PLAIN, max_size=2)),
            "metadata": mostly(st.just({})),
            "execution_count": mostly(st.none()),
        },
    )
)
CELLS = mostly(
    st.fixed_dictionaries(
        {"cell_type": mostly(st.sampled_from(["code", "markdown", "raw", "heading"]))},
        optional={
            "id": mostly(st.sampled_from(["a", "b"])),
            "source": mostly(TEXT | st.lists(TEXT, max_size=2)),
            "input": mostly(TEXT),
            "language": mostly(st.just("python")),
            "level": mostly(st.just(1)),
            "metadata": mostly(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "tags": mostly(st.lists(st.sampled_from(["parameters", "setup"]))),
                        "workbench": PLAIN,
                    },
                )
            ),
            "outputs": mostly(st.lists(OUTPUTS, max_size=2)),
            "execution_count": mostly(st.none()),
        },
    )
)
KEYS = [
    "description",
    "input_schema",
    "output_schema",
    "cases",
    "timeout_seconds",
    "network",
    "retry",
    "tags",
    "zork",
]
NOTEBOOKS = st.fixed_dictionaries(
    {
        "nbformat": mostly(st.sampled_from([4, 4, 4, 3, 2, 1])),
        "cells": mostly(st.lists(CELLS, max_size=3)),
    },
    optional={
        "nbformat_minor": mostly(st.sampled_from([5, 4, 0])),
        "metadata": mostly(
            st.fixed_dictionaries(
                {},
                optional={
                    "workbench": mostly(st.dictionaries(st.sampled_from(KEYS), PLAIN, max_size=3)),
                    "kernelspec": PLAIN,
                    "language_info": PLAIN,
                },
            )
        ),
        "worksheets": mostly(
            st.lists(st.fixed_dictionaries({"cells": st.lists(CELLS)}), max_size=2)
        ),
    },
)


@given(PLAIN | NOTEBOOKS | st.binary(max_size=20) | TEXT)
@settings(max_examples=400, deadline=None)
def test_load_and_define_take_or_refuse(content):
    with contextlib.suppress(InvalidAgentConfig):
        nb = load(content if isinstance(content, bytes | str | dict) else json.dumps(content))
        stored = dump(nb)
        assert load(stored) == thaw(stored) == nb
        assert dump(load(stored)) == stored
        without_outputs(nb)
        define(nb, fingerprint="")


SCRAPS = st.sampled_from(
    ["x", "=", "1", "\n", "# %%", "# %% [markdown]", "def run():", " ", "'''", "(", "%ls", "!", "?"]
    + ['tags=["parameters"]', "# ---", "\\", "await", "\0", "\r", "{", '"', ":", "é", "\ud800"]
)


@given(st.lists(SCRAPS, max_size=15).map("".join) | st.text(st.characters(), max_size=60))
@settings(max_examples=400, deadline=None)
def test_from_source_takes_or_refuses(text):
    with contextlib.suppress(InvalidAgentConfig):
        nb = from_source(text)
        assert dump(from_source(text)) == dump(nb)
        define(nb, fingerprint="")


TYPES = {
    "str": st.text(max_size=10),
    "int": st.integers(-(10**9), 10**9),
    "float": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
    "bool": st.booleans(),
    "list[int]": st.lists(st.integers(-9, 9), max_size=3),
    "dict[str, bool]": st.dictionaries(st.text(max_size=3), st.booleans(), max_size=3),
    "int | None": st.none() | st.integers(-9, 9),
    "Optional[list[str]]": st.none() | st.lists(st.text(max_size=3), max_size=3),
    "Literal['a', 2]": st.sampled_from(["a", 2]),
}
HELP = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=10)


@st.composite
def declarations(draw):
    """A type, a default and another value of that type, and a help."""
    kind = draw(st.sampled_from(sorted(TYPES)))
    return kind, draw(TYPES[kind]), draw(TYPES[kind]), draw(HELP)


def cell_of(source):
    cell = {"cell_type": "code", "source": source, "metadata": {"tags": ["parameters"]}}
    return load({"nbformat": 4, "cells": [cell]})


@given(st.lists(declarations(), max_size=5))
@settings(max_examples=200, deadline=None)
def test_what_a_cell_declares_is_what_it_was_made_of(made):
    lines = [f"p{n}: {kind} = {value!r}  # {text}" for n, (kind, value, _, text) in enumerate(made)]

    parameters = declared(cell_of("\n".join(lines)))

    assert [(p.name, p.type, p.default, p.required, p.help) for p in parameters] == [
        (f"p{n}", kind, value, False, text) for n, (kind, value, _, text) in enumerate(made)
    ]


@given(declarations())
@settings(max_examples=200, deadline=None)
def test_what_a_caller_writes_is_read_and_fits_its_type(made):
    kind, default, value, _ = made
    (parameter,) = declared(cell_of(f"x: {kind} = {default!r}"))
    text = value if isinstance(value, str) else json.dumps(value)

    given_values = accept([parameter], from_text([parameter], {"x": text}))

    assert violations(parameter.schema, given_values["x"]) == []
    assert given_values == accept([parameter], {"x": value})


WORDS = st.sampled_from(
    ["type", "$ref", "not", "items", "properties", "anyOf", "enum", "pattern", "$id", "$schema"]
)
SCHEMAS = st.recursive(
    st.sampled_from(["integer", "#", "#/not", "http://127.0.0.1:1/", "(a+)+", {}, [], None, True]),
    lambda inner: st.dictionaries(WORDS | TEXT, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@given(SCHEMAS, PLAIN)
@settings(max_examples=400, deadline=None)
def test_schemas_take_or_refuse(schema, value):
    with contextlib.suppress(InvalidAgentConfig):
        check_schema(schema, where="it")
        violations(schema, value)
