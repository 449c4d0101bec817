"""Every name the parameters cell assigns is a parameter, with its type, default and help."""

from __future__ import annotations

import json

import pytest

from workbench.domain.parameters import Parameter
from workbench.errors import InvalidAgentConfig
from workbench.notebook.document import load
from workbench.notebook.parameters import MAX_PARAMETERS, declared, parameters_cell

INTEGER = {"type": "integer"}
STRING = {"type": "string"}
NULL = {"type": "null"}


@pytest.fixture
def of(notebook):
    """The parameters that a cell with some source declares."""
    return lambda source: declared(load(notebook("import os", (source, "parameters"))))


@pytest.fixture
def refusal(of):
    def refuse(source):
        with pytest.raises(InvalidAgentConfig) as caught:
            of(source)
        return caught.value

    return refuse


def test_the_cell_of_the_contract_is_read(of):
    declared_parameters = of(
        'city: str = "Seattle"  # which city\n'
        "name: int\n"
        "days = 7  # how many\n"
        "ratio = 0.5  # type: float share of rain\n"
        "test: bool = False\n"
    )

    assert declared_parameters == (
        Parameter(name="city", type="str", schema=STRING, default="Seattle", help="which city"),
        Parameter(name="name", type="int", schema=INTEGER, required=True),
        Parameter(name="days", type="int", schema=INTEGER, default=7, help="how many"),
        Parameter(
            name="ratio",
            type="float",
            schema={"type": "number"},
            default=0.5,
            help="share of rain",
        ),
    )


def test_a_notebook_without_a_parameters_cell_has_none(notebook):
    assert declared(load(notebook("x = 1"))) == ()
    assert parameters_cell(load(notebook("x = 1"))) is None


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        ("str", STRING),
        ("int", INTEGER),
        ("float", {"type": "number"}),
        ("bool", {"type": "boolean"}),
        ("None", NULL),
        ("list", {"type": "array"}),
        ("dict", {"type": "object"}),
        ("Any", {}),
        ("list[int]", {"type": "array", "items": INTEGER}),
        ("List[Any]", {"type": "array"}),
        ("typing.Sequence[str]", {"type": "array", "items": STRING}),
        ("tuple[int, ...]", {"type": "array", "items": INTEGER}),
        ("tuple[int, str]", {"type": "array"}),
        ("dict[str, int]", {"type": "object", "additionalProperties": INTEGER}),
        ("dict[int, str]", {"type": "object"}),
        (
            "t.Dict[str, list[str]]",
            {"type": "object", "additionalProperties": {"type": "array", "items": STRING}},
        ),
        ("Optional[int]", {"anyOf": [INTEGER, NULL]}),
        ("int | None", {"anyOf": [INTEGER, NULL]}),
        ("int | str | int", {"anyOf": [INTEGER, STRING]}),
        ("Union[int]", INTEGER),
        ("Union[int, Optional[str]]", {"anyOf": [INTEGER, STRING, NULL]}),
        ("int | Any", {}),
        ("Literal['a', 1, -2, None, True]", {"enum": ["a", 1, -2, None, True]}),
        ("Literal[b'a']", {}),
        ("Annotated[int, 'positive']", INTEGER),
        ("'int | None'", {"anyOf": [INTEGER, NULL]}),
        ("'no type at all'", {}),
        ("datetime.date", {}),
        ("pd.DataFrame", {}),
        ("numpy.int", {}),
        ("set[int]", {}),
        ("3", {}),
        ("f(x)[y]", {}),
        ("list[" * 90 + "int" + "]" * 90, {}),
        ("Literal[" + ", ".join(map(str, range(15_000))) + "]", {}),
    ],
)
def test_an_annotation_is_a_schema(of, annotation, schema):
    (parameter,) = of(f"x: {annotation}")

    assert parameter.schema == schema
    assert parameter.type == annotation.strip("'")[:200]
    assert parameter.required


@pytest.mark.parametrize(
    ("value", "kind", "schema", "default"),
    [
        ("1", "int", INTEGER, 1),
        ("-1.5", "float", {"type": "number"}, -1.5),
        ("True", "bool", {"type": "boolean"}, True),
        ("'a' 'b'", "str", STRING, "ab"),
        ("[]", "list", {"type": "array"}, []),
        ("[1, (2, 'x')]", "list", {"type": "array"}, [1, [2, "x"]]),
        ("{}", "dict", {"type": "object"}, {}),
        ("{'a': {'b': None}}", "dict", {"type": "object"}, {"a": {"b": None}}),
        ("(1, 2)", "tuple", {"type": "array"}, [1, 2]),
        ("None", "Any", {}, None),
        ("{1, 2}", "Any", {}, None),
        ("b'a'", "Any", {}, None),
        ("1e999", "float", {"type": "number"}, None),
        ("{1: 2}", "dict", {"type": "object"}, None),
        ("[1e999]", "list", {"type": "array"}, None),
        ("'\\ud800'", "str", STRING, None),
        ("0x" + "f" * 9_000, "int", INTEGER, None),
        ("date.today()", "Any", {}, None),
        ("60 * 60", "Any", {}, None),
        ("f'{os}'", "Any", {}, None),
    ],
)
def test_a_default_speaks_for_the_type(of, value, kind, schema, default):
    (parameter,) = of(f"x = {value}")

    assert parameter == Parameter(name="x", type=kind, schema=schema, default=default)
    json.dumps(parameter.default, allow_nan=False)


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("x = None  # type: int", "int", ""),
        ("x = None  # type: Dict[str, int]  # the help", "Dict[str, int]", "the help"),
        ("x = None  # type: int the help", "int", "the help"),
        ("x = None  # type: ignore", "Any", ""),
        ("x = None  # type: ignore[assignment]", "Any", ""),
        ("x = None  # type of house", "Any", "type of house"),
        ("x = None  ## shouted", "Any", "shouted"),
        ("x: int = None  # a # b", "int", "a # b"),
        ("x: str = 'a # b'", "str", ""),
        ("x = (\n    None\n)  # behind", "Any", "behind"),
        ("x = [  # before\n]", "list", "before"),
        ("x: Union[\n    int,  # inner\n    str,\n]  # é", "Union[ int, str, ]", "é"),
        ("é_ = 1; _ = é_; x: 'int' = 1  # last", "int", "last"),
        ("x = 1; _y = 2  # of y", "int", ""),
    ],
)
def test_type_and_help_are_found_where_people_write_them(of, line, kind, text):
    line = line.replace("é_", "_é")

    (parameter,) = of(line)

    if "inner" in line:
        # As it stands in the cell, comments and all: they are part of what the author wrote.
        assert parameter.type.startswith("Union[ int,")
    else:
        assert parameter.type == kind
    assert parameter.help == text


def test_what_is_not_an_assignment_is_the_authors_business(of):
    names = [
        parameter.name
        for parameter in of(
            "%matplotlib inline\n"
            "!echo hello\n"
            "import json\n"
            "a = b = 1\n"
            "c, (d, e) = 2, (3, 4)\n"
            "f.g = h[0] = 1\n"
            "for i in []: j = 1\n"
            "if a:\n    k = 1\n"
            "def m(): n = 1\n"
            "_private = 1\n"
            "test = True\n"
            "o = %pwd\n"
            "await p()\n"
        )
    ]

    assert names == ["a", "b", "c", "o"]


def test_of_a_name_assigned_twice_the_last_value_counts(of):
    assert of("x: int = 1  # first\nx = 2") == (
        Parameter(name="x", type="int", schema=INTEGER, default=2, help="first"),
    )
    assert of("x: int\nx = 1") == (Parameter(name="x", type="int", schema=INTEGER, default=1),)
    assert of("x = 1\nx: int") == (Parameter(name="x", type="int", schema=INTEGER, default=1),)
    assert of("x: int = 1\nx += f()") == (Parameter(name="x", type="int", schema=INTEGER),)


def test_unpacked_values_are_shown_where_they_can_be_seen(of):
    assert [(p.name, p.default) for p in of("a, b = 1, 'x'\nc, d = f()\n*e, g = 1, 2")] == [
        ("a", 1),
        ("b", "x"),
        ("c", None),
        ("d", None),
        ("g", None),
    ]


def test_none_as_a_default_allows_none(of):
    assert of("x: int = None\ny: int | str = None") == (
        Parameter(name="x", type="int", schema={"anyOf": [INTEGER, NULL]}),
        Parameter(name="y", type="int | str", schema={"anyOf": [INTEGER, STRING, NULL]}),
    )


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("x = 1\ny: int = 'a'", 2, "y a default that is not int"),
        ("x: Literal['a'] = 'b'", 1, "x a default that is not Literal['a']"),
        ("x: list[int] = [1, 'a']", 1, "x a default"),
        ("x: bool = 1", 1, "x a default"),
        ("x = {}  # type: int", 1, "x a default"),
        ("größe = 1", 1, "ASCII"),
        ("x = 1\ny = = 2", 2, "not valid Python"),
        ("x = " + "[" * 100 + "]" * 100, 1, "levels deep"),
        ("\n".join(f"x{n} = 1" for n in range(MAX_PARAMETERS + 1)), 201, "more than 200 names"),
        ("x = 1\n" * 30_000, 1, "too long"),
    ],
)
def test_what_cannot_be_is_refused_with_the_line(refusal, source, line, said):
    error = refusal(source)

    assert said in str(error)
    assert error.details == {"cell": 1, "cell_id": "cell-1", "line": line}


def test_there_is_one_parameters_cell_and_it_is_code(notebook):
    twice = load(notebook(("x = 1", "parameters"), "y", ("z = 1", "parameters")))
    text = load(notebook(("x = 1", "parameters")))
    text.cells[0].cell_type = "markdown"

    with pytest.raises(InvalidAgentConfig, match="cells 0 and 2 are"):
        declared(twice)
    with pytest.raises(InvalidAgentConfig, match="must be a code cell"):
        declared(text)


def test_other_languages_declare_their_parameters_in_the_metadata(notebook):
    nb = load(
        notebook(
            ("x <- 1", "parameters"),
            input_schema={
                "type": "object",
                "properties": {
                    "x": {"type": "integer", "description": "how many", "minimum": 0},
                    "y": {"default": 2},
                    "not a name": {},
                    "test": {},
                },
                "required": ["x"],
            },
        )
    )
    nb.metadata.language_info.name = "R"

    assert declared(nb) == (
        Parameter(name="x", type="integer", schema=INTEGER, required=True, help="how many"),
        Parameter(name="y", default=2),
    )


@pytest.mark.parametrize(
    "own",
    [{}, {"input_schema": 3}, {"input_schema": {"properties": []}}, {"input_schema": {}}],
)
def test_other_languages_without_a_schema_have_no_parameters(notebook, own):
    nb = load(notebook(("x <- ", "parameters"), **own))
    nb.metadata.language_info.name = "R"

    assert declared(nb) == ()
