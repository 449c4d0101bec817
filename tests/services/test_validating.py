"""Validation tells everything that is wrong, each with its place, and never a secret it found."""

import pytest

from workbench.services.authoring import LONGEST_DESCRIPTION, Proposal
from workbench.services.validating import MISSING, SECRET, Severity, validated

SECRETS = {
    "OpenAI": "sk-" + "proj-abc123DEF456ghi789jkl",
    "Anthropic": "sk-" + "ant-api03-abcdefghijklmnop1234",
    "AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "Google": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "GitHub": "ghp_" + "a1B2" * 9,
    "GitHub, fine-grained": "github_pat_" + "a1B2" * 6,
    "Slack": "xoxb-" + "123456789012-abc",
    "ours": "wb_" + "0123456789abcdef_" + "aB3-" * 10 + "xyz",
    "PEM": "-----BEGIN RSA " + "PRIVATE KEY-----",
}


def found(notebook, *cells, name="agent", **more):
    parts = {key: more.pop(key) for key in ("files", "description") if key in more}
    publish = more.pop("publish", False)
    kernels = more.pop("kernels", ())
    proposal = Proposal(name=name, notebook=notebook(*cells, **more), **parts)
    return validated(proposal, publish=publish, kernels=kernels)


def places(examination, code=None):
    return [
        (problem.details.get("cell"), problem.details.get("line"))
        for problem in examination.problems
        if code in (None, problem.code)
    ]


def test_what_is_right_has_no_problem_and_a_definition(notebook):
    examination = found(notebook, ("year: int = 2020", "parameters"), "import json, os.path")

    assert examination.valid and examination.problems == []
    assert [p.name for p in examination.definition.parameters] == ["year"]


def test_everything_that_is_wrong_is_told_and_not_only_the_first(notebook):
    examination = found(
        notebook,
        ("year: int = 'x'", "parameters"),
        "def (",
        "x = 1\ny = = 2",
        ("1", "setup"),
        ("1", "check", "live"),
        name="No Name",
        description="x" * (LONGEST_DESCRIPTION + 1),
        timeout_seconds=-1,
        network="everywhere",
        tags=[7],
        output_schema={"type": "nothing"},
    )
    said = " ".join(problem.message for problem in examination.problems)

    assert not examination.valid and examination.definition is None
    assert {(0, 1), (1, 1), (2, 2), (3, None), (4, None)} <= set(places(examination))
    for word in (
        "agent_name",
        "description",
        "timeout_seconds",
        "network",
        "tags",
        "output_schema",
    ):
        assert word in said, word
    assert len({problem.message for problem in examination.problems}) == len(examination.problems)
    assert all(problem.severity is Severity.ERROR for problem in examination.problems)


def test_every_case_that_cannot_be_is_told(notebook):
    cases = [
        {"name": "good", "parameters": {"year": 1}},
        {"name": "", "parameters": {"year": 1}},
        {"name": "wrong", "parameters": {"year": "x"}},
        {"name": "good"},
    ]
    examination = found(notebook, ("year: int = 2020", "parameters"), cases=cases)
    said = [problem.message for problem in examination.problems]

    assert [number for number in range(4) if any(f"cases[{number}]" in m for m in said)] == [1, 2]


def test_a_name_that_two_cases_have_is_told(notebook):
    examination = found(notebook, "1", cases=[{"name": "a"}, {"name": "a"}])

    assert "another case's" in examination.problems[0].message


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_told_by_its_place_and_not_by_itself(notebook, kind):
    examination = found(notebook, "x = 1", f"\nkey = '{SECRETS[kind]}'\n")

    assert not examination.valid
    assert places(examination, SECRET) == [(1, 2)]
    assert SECRETS[kind][4:] not in repr(examination.problems)


@pytest.mark.parametrize(
    "source",
    [
        "from sklearn import svm  # sk-learn-is-what-some-people-call-it",
        "task-1234567890-1234567890-1234567890",
        "sk-short1",
        "AKIA",
        "wb_0123456789abcdef",
        "-----BEGIN PUBLIC KEY-----",
        "os.environ['OPENAI_API_KEY']",
    ],
)
def test_what_only_resembles_a_secret_is_none(notebook, source):
    assert places(found(notebook, f"# {source}"), SECRET) == []


def test_a_module_that_is_not_here_is_a_warning(notebook):
    examination = found(
        notebook,
        "import json\nimport no_such_module_a.part as x",
        "def f():\n    from no_such_module_b import y\nif True:\n    import no_such_module_a",
    )

    assert examination.valid and examination.definition is not None
    assert places(examination, MISSING) == [(0, 2), (1, 2)]
    assert {p.severity for p in examination.problems} == {Severity.WARNING}


def test_a_module_that_is_only_tried_or_travels_along_is_no_problem(notebook):
    examination = found(
        notebook,
        "try:\n    import no_such_module\nexcept ImportError:\n    pass",
        "import mine, ours.part\nfrom . import x\n%load_ext no_such_extension",
        files={"mine.py": b"", "ours/part.py": b""},
    )

    assert examination.problems == []


def test_what_another_kernel_can_import_is_not_known_here(notebook):
    nb = notebook("import no_such_module")
    nb["metadata"]["kernelspec"]["name"] = "elsewhere"
    proposal = Proposal(name="agent", notebook=nb)

    assert validated(proposal, kernels=["elsewhere"]).problems == []
    assert places(validated(proposal), MISSING) == [(0, 1)]


def test_looking_for_a_module_does_not_import_it(notebook, tmp_path, monkeypatch):
    (tmp_path / "loud_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert found(notebook, "import loud_module").problems == []


def test_what_keeps_it_from_being_published_counts_if_that_is_wanted(notebook):
    needy = ("year: int", "parameters")

    assert found(notebook, needy).valid
    assert not found(notebook, needy, publish=True).valid


def test_a_kernel_that_is_not_allowed_is_told(notebook):
    nb = notebook("1")
    nb["metadata"]["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    nb["metadata"]["language_info"] = {"name": "R"}
    proposal = Proposal(name="agent", notebook=nb)

    assert not validated(proposal).valid
    assert validated(proposal, kernels=["ir"]).valid


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"cells": []}'])
def test_what_is_no_notebook_is_told_beside_the_rest(content):
    examination = validated(Proposal(name="No Name", notebook=content))

    assert len(examination.problems) == 2 and not examination.valid


def test_source_that_is_no_python_is_told_with_its_line():
    examination = validated(Proposal(name="a", source="x = 1\ndef ("))

    assert examination.problems[0].details["line"] == 2


def test_errors_come_before_warnings(notebook):
    examination = found(notebook, "import no_such_module", "def (")

    assert [p.severity for p in examination.problems] == [Severity.ERROR, Severity.WARNING]
