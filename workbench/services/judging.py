"""Whether values are what a definition declares, said in one way wherever it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.domain.definitions import Definition
from workbench.errors import InvalidInput
from workbench.notebook.schemas import Violation, violations


def check_values(definition: Definition, values: Mapping[str, object]) -> None:
    """Let only values pass that the definition's input schema allows.

    Raises:
        InvalidInput: One breaks it; `details` lists which and why.
    """
    wrong = violations(definition.input_schema, values)
    if wrong:
        raise InvalidInput(
            f"{_sentence(wrong, 'parameters')}.",
            violations=[{"path": v.path, "message": v.message} for v in wrong],
        )


def breach(definition: Definition, result: object) -> dict[str, object] | None:
    """The error of a run whose *result* breaks the output schema; None if it does not."""
    if definition.output_schema is None:
        return None
    wrong = violations(definition.output_schema, result)
    if not wrong:
        return None
    return {"message": f"The result breaks the output schema: {_sentence(wrong, 'result')}"}


def _sentence(wrong: Sequence[Violation], whole: str) -> str:
    return "; ".join(f"{v.path or whole}: {v.message}" for v in wrong)
