"""JupyterLab's kernels: ordinary ones, which start among the files of their agent."""

from __future__ import annotations

from typing import Any, cast

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.services.sessions.sessionmanager import SessionManager


class ScratchKernels(AsyncMappingKernelManager):
    """Kernels for notebooks on the drive and elsewhere.

    What a kernel writes in its folder is its author's for as long as JupyterLab lives; a run never
    meets it.
    """

    def cwd_for_path(self, path: str, **kwargs: Any) -> str:
        """The folder in which a kernel for *path* starts."""
        drive = cast("Any", self.parent).contents_manager
        place = drive.place(path)
        if place is None:
            return str(super().cwd_for_path(path, **kwargs))
        return str(drive.scratch_of(place))


class DriveSessions(SessionManager):
    """Notebooks and their kernels."""

    async def start_kernel_for_session(
        self, session_id: str, path: str | None, name: str | None, *args: Any, **kwargs: Any
    ) -> str:
        """The id of a new kernel for the notebook *name*."""
        # JupyterLab sends the folder of the notebook with something unique at its end.
        if path and name and cast("Any", self.contents_manager).place(path) is not None:
            path = f"{path.rpartition('/')[0]}/{name}"
        return await super().start_kernel_for_session(
            session_id, path, cast("Any", name), *args, **kwargs
        )
