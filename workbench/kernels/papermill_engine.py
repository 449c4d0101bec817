"""The engine that `papermill --engine workbench` names.

papermill loads its engines while it is itself being imported, so what needs papermill, or is needed
by what imports it here, waits for the first notebook.
"""

from __future__ import annotations

from typing import TextIO

from papermill.engines import Engine, NotebookExecutionManager


class WorkbenchEngine(Engine):  # type: ignore[misc]
    """The engine that `papermill --engine workbench` names."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        log_output: bool = False,
        stdout_file: TextIO | None = None,
        stderr_file: TextIO | None = None,
        start_timeout: float = 60,
        execution_timeout: float | None = None,
        **kwargs: object,
    ) -> None:
        """Execute the notebook that *nb_man* keeps.

        *execution_timeout* is for the whole notebook. A cell that raised, ran out of time or took
        the kernel with it is left with an error, and papermill raises for that.

        Raises:
            KernelLost: There is no such kernel, or it was lost between two cells.
        """
        from workbench.kernels.under_papermill import Listener, carry_out

        carry_out(
            nb_man,
            kernel_name,
            listener=Listener(nb_man, log_output, stdout_file, stderr_file),
            start_seconds=start_timeout,
            seconds=execution_timeout,
        )
