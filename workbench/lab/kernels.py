"""JupyterLab's kernels: ordinary ones, which start among the files of their agent."""

from __future__ import annotations

from typing import Any, cast

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager


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
