"""Downloads: files as browsers ask for them."""

from __future__ import annotations

from typing import Any, cast

from jupyter_server.base.handlers import AuthenticatedFileHandler
from jupyter_server.files.handlers import FilesHandler
from tornado.web import authenticated


class DriveFiles(AuthenticatedFileHandler):
    """`/files/…`: what lies on the drive by way of the gateway, the rest from the disk."""

    @authenticated
    async def get(  # type: ignore[override]
        self, path: str, include_body: bool = True, **kwargs: Any
    ) -> None:
        """Send the file."""
        if self._on_the_drive(path):
            await cast("Any", FilesHandler).get(self, path, include_body)
        else:
            await cast("Any", super()).get(path, include_body=include_body, **kwargs)

    @authenticated
    def head(self, path: str) -> Any:  # type: ignore[override]
        """Send what is said of the file."""
        if self._on_the_drive(path):
            return cast("Any", FilesHandler).head(self, path)
        return super().head(path)

    def _on_the_drive(self, path: str) -> bool:
        return cast("Any", self.contents_manager).place(path) is not None
