"""A notebook on disk is held to what it declares, and otherwise taken as papermill takes it."""

import json
import math

import pytest
from papermill.cli import _resolve_type

from workbench.domain.runs import Reason, RunStatus
from workbench.errors import InvalidAgentConfig, InvalidInput
from workbench.kernels import Outcome
from workbench.notebook.document import dump, load
from workbench.services.trying import guessed, judged, prepare

PARAMETERS = ("count: int = 1\nanything = None\nname: str = 'Ada'", "parameters")


@pytest.fixture
def prepared(notebook):
    """Prepares a notebook of cells, by default one that says something about itself."""

    def prepared(*cells, texts=None, test=False, plain=False, **metadata):
        document = notebook(*cells, **metadata)
        if plain:
            del document["metadata"]["workbench"]
        return prepare(dump(load(json.dumps(document))), texts=texts or {}, test=test)

    return prepared


@pytest.mark.parametrize(
    "text", ["1", "-3", "1.5", "1e3", "True", "true", "None", "null", "x y", "", "1_000", " 7 "]
)
def test_an_undeclared_value_is_what_papermill_takes_it_for(text):
    assert guessed(text) == _resolve_type(text)
    assert type(guessed(text)) is type(_resolve_type(text))


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity"])
def test_what_no_notebook_can_hold_stays_text(text):
    assert guessed(text) == text


def test_declared_values_are_read_by_their_types(prepared):
    trial = prepared(PARAMETERS, texts={"count": "2", "name": "3", "anything": "4"})

    assert trial.task.parameters == {"count": 2, "name": "3", "anything": 4}
    assert trial.unknown == []


def test_undeclared_values_are_named_and_kept(prepared):
    trial = prepared(PARAMETERS, texts={"more": "1.5", "count": "2"})

    assert trial.task.parameters == {"count": 2, "more": 1.5}
    assert trial.unknown == ["more"]


@pytest.mark.parametrize("texts", [{"count": "x"}, {"count": "1.5"}, {"test": "true"}])
def test_a_value_that_is_not_of_its_declared_type_is_refused(prepared, texts):
    with pytest.raises(InvalidInput):
        prepared(PARAMETERS, texts=texts)


def test_a_required_parameter_is_required_here_too(prepared):
    with pytest.raises(InvalidInput, match="name"):
        prepared(("name: str", "parameters"))


def test_the_authors_schema_holds(prepared):
    schema = {"type": "object", "properties": {"count": {"type": "integer", "maximum": 3}}}

    with pytest.raises(InvalidInput, match="count"):
        prepared(PARAMETERS, texts={"count": "4"}, input_schema=schema)


def test_a_notebook_that_says_something_wrong_about_itself_is_refused(prepared):
    with pytest.raises(InvalidAgentConfig, match="timeout_seconds"):
        prepared("1", timeout_seconds="soon")


def test_a_notebook_that_says_nothing_may_have_cells_that_are_no_python(prepared):
    assert prepared("this is no python", plain=True).definition.parameters == ()

    with pytest.raises(InvalidAgentConfig):
        prepared("this is no python")


def test_parameters_that_cannot_be_read_are_left_to_the_kernel(prepared):
    trial = prepared(("= 2", "parameters"), texts={"count": "2"}, plain=True)

    assert trial.task.parameters == {"count": 2}
    assert trial.unknown == ["count"]


def test_there_is_no_deadline_but_the_notebooks_own(prepared):
    assert prepared("1").task.limits.seconds == math.inf
    assert prepared("1", timeout_seconds=5).task.limits.seconds == 5


def test_the_kernel_is_the_one_the_notebook_names_or_jupyters_own(prepared, notebook):
    assert prepared("1").task.kernel == "python3"
    document = notebook("1")
    document["metadata"] = {}
    assert prepare(dump(load(document)), texts={}, test=False).task.kernel == "python3"
    document["metadata"] = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    assert prepare(dump(load(document)), texts={}, test=False).task.kernel == "ir"


def test_a_result_that_breaks_the_declared_schema_fails(prepared):
    trial = prepared("1", output_schema={"type": "integer"})
    outcome = Outcome(status=RunStatus.COMPLETED, result="text", notebook=b"")

    view = judged(trial, outcome)

    assert (view["status"], view["reason"], view["result"]) == ("failed", "invalid_output", None)
    assert "output schema" in view["error"]["message"]


def test_what_became_of_it_has_the_names_that_runs_of_agents_have(prepared):
    trial = prepared(PARAMETERS, texts={"count": "2"}, test=True)
    outcome = Outcome(
        status=RunStatus.FAILED,
        reason=Reason.AGENT_ERROR,
        error={"message": "x"},
        notebook=b"",
        resource_usage={"cpu_ms": 1},
        isolation="none",
    )

    assert judged(trial, outcome) == {
        "run_id": trial.task.run_id,
        "status": "failed",
        "reason": "agent_error",
        "test": True,
        "parameters": {"count": 2},
        "result": None,
        "error": {"message": "x"},
        "resource_usage": {"cpu_ms": 1},
        "isolation": "none",
    }
