"""What papermill does around the cells: the injected parameters, and the record in the metadata.

The pieces are papermill's own, so that an executed notebook is what papermill would have written.
Only its whole front is not used: it holds a thread for as long as a run lasts, and takes a run for
successful that has run out of time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from papermill import __version__ as papermill_version
from papermill.engines import NotebookExecutionManager
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.execute import (
    prepare_notebook_metadata,
    raise_for_execution_errors,
    remove_error_markers,
)
from papermill.translators import translate_parameters

from workbench.domain.names import is_parameter_name
from workbench.domain.parameters import TEST
from workbench.kernels import CellRecord, Task
from workbench.notebook.document import NotebookNode, code_cell, node, thaw
from workbench.notebook.tags import INJECTED, PARAMETERS, is_code, runs, skip_reason


@dataclass(slots=True, kw_only=True)
class Step:
    """One code cell of a run, and how it fares.

    Attributes:
        cell: The cell in the notebook that is executed.
        position: Its place there.
        index: Its place in the notebook as it is kept; None for the injected parameters.
        status: `pending`, `running`, `completed`, `failed` or `skipped`.
        ms: How long it took.
        resource_usage: What it took, as events say it.
    """

    cell: NotebookNode
    position: int
    index: int | None
    status: str = "pending"
    ms: float | None = None
    resource_usage: Mapping[str, object] = field(default_factory=dict)

    @property
    def place(self) -> dict[str, object]:
        """What events say of where they happened."""
        return {"cell": self.cell.id, "index": self.index}

    def note(self, **facts: object) -> None:
        """Write *facts* into the cell, where the workbench has its say."""
        there = self.cell.metadata.get("workbench")
        kept = there if isinstance(there, Mapping) else {}
        self.cell.metadata["workbench"] = {**kept, **facts}

    @property
    def record(self) -> CellRecord:
        """How it fared, for the outcome."""
        return CellRecord(
            id=self.cell.id,
            index=self.index,
            status=self.status,
            ms=self.ms,
            resource_usage=self.resource_usage,
        )


class Manager(NotebookExecutionManager):  # type: ignore[misc]
    """papermill's keeper of the metadata, which need not read its own dates again."""

    def cell_complete(self, cell: NotebookNode, cell_index: int | None = None, **_: object) -> None:
        """Write down that *cell* has ended."""
        end, noted = self.now(), cell.metadata.papermill
        noted["end_time"] = end.isoformat()
        noted["duration"] = (end - datetime.fromisoformat(noted["start_time"])).total_seconds()
        if noted["status"] != self.FAILED:
            noted["status"] = self.COMPLETED


class Front:
    """One notebook on its way through papermill.

    Attributes:
        nb: The notebook that is executed.
        manager: papermill's keeper of its metadata.
        steps: Its code cells, in order; those with the status `pending` are to be executed.
        language: The notebook's language, in lower case.
    """

    def __init__(self, task: Task) -> None:
        """The notebook of *task* with its parameters put in.

        Raises:
            ValueError: A parameter's name is none, or its language knows no parameters.
        """
        nb = thaw(task.notebook)
        spec, info = nb.metadata.get("kernelspec", {}), nb.metadata.get("language_info", {})
        self.language = str(info.get("name") or spec.get("language") or "python").lower()
        kernel = str(spec.get("name") or "python3")
        _dress(nb)
        given = {**task.parameters, TEST: task.test}
        _check_names(given)
        try:
            _inject(nb, given, kernel=kernel, language=self.language)
        except PapermillException as error:
            # papermill does not speak the language; that matters only if there is something to say.
            if task.parameters:
                raise ValueError(str(error)) from None
        nb = remove_error_markers(prepare_notebook_metadata(nb, None, None))
        self.nb: NotebookNode = nb
        self._test = task.test
        self.steps = _steps(nb, test=task.test)
        self.manager = Manager(nb, progress_bar=False, autosave_cell_every=0)

    def begin(self) -> None:
        """Write down that the run begins."""
        self.manager.notebook_start()
        for step in self.steps:
            if step.status == "skipped":
                step.note(skipped=skip_reason(step.cell, test=self._test))

    def complete(self) -> None:
        """Write down that the run has ended; what has not run is not called completed."""
        undone = [step.cell for step in self.steps if step.status in ("pending", "skipped")]
        self.manager.notebook_complete()
        for cell in undone:
            cell.metadata.papermill["status"] = NotebookExecutionManager.PENDING
        if any(step.status == "failed" for step in self.steps):
            try:
                raise_for_execution_errors(self.nb, None)
            except PapermillExecutionError:
                return  # it has put its markers into the notebook


def _dress(nb: NotebookNode) -> None:
    """Give *nb* the metadata that papermill takes for granted."""
    nb.metadata["papermill"] = node(
        default_parameters={}, parameters={}, environment_variables={}, version=papermill_version
    )
    for cell in nb.cells:
        cell.metadata.setdefault("tags", [])


def _inject(nb: NotebookNode, given: Mapping[str, object], *, kernel: str, language: str) -> None:
    """Put a cell with what is *given* where papermill puts it.

    papermill's own function checks the cell against the format's schema, which takes longer than all
    else that is done before the first cell.

    Raises:
        PapermillException: It does not speak the language.
    """
    source = translate_parameters(kernel, language, given, "Parameters")
    cell = code_cell(source, id=INJECTED, tags=[INJECTED])
    tags = [cell.metadata.tags for cell in nb.cells]
    earlier = next((at for at, found in enumerate(tags) if INJECTED in found), None)
    declared = next((at for at, found in enumerate(tags) if PARAMETERS in found), -1)
    if earlier is None:
        nb.cells.insert(declared + 1, cell)
    else:
        nb.cells[earlier] = cell
    nb.metadata.papermill["parameters"] = given


def _check_names(given: Mapping[str, object]) -> None:
    # papermill writes names into the cell as they are: one with a semicolon is a program.
    wrong = [name for name in given if not is_parameter_name(name)]
    if wrong:
        raise ValueError(f"Not the name of a parameter: {wrong[0]!r:.80}.")


def _steps(nb: NotebookNode, *, test: bool) -> Sequence[Step]:
    steps: list[Step] = []
    injected = 0
    for position, cell in enumerate(nb.cells):
        own = INJECTED in cell.metadata.tags
        if own:
            cell["id"] = INJECTED
        if is_code(cell):
            status = "pending" if runs(cell, test=test) else "skipped"
            index = None if own else position - injected
            steps.append(Step(cell=cell, position=position, index=index, status=status))
        injected += own
    return steps
