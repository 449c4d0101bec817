"""Uploads, which JupyterLab sends in pieces of a megabyte."""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError

from workbench.lab.models import bytes_of

LARGEST_BYTES = 64 * 1024 * 1024
AT_ONCE = 8
"""How many uploads may be under way; of more, those that began first are given up."""


class Uploads:
    """What has arrived so far, by path."""

    def __init__(self) -> None:
        self._pieces: dict[str, bytes] = {}

    def take(self, path: str, model: dict[str, Any]) -> bytes | None:
        """The whole file, if *model* is it or the last piece of it.

        Raises:
            HTTPError: 413 if it is too large, 400 if it cannot be read or its beginning is missing.
        """
        try:
            piece = bytes_of(model)
        except ValueError:
            raise HTTPError(400, "What was sent cannot be read.") from None
        chunk = model.get("chunk")
        if chunk is None:
            return piece
        before = b"" if chunk == 1 else self._pieces.pop(path, None)
        if before is None:
            raise HTTPError(400, "The beginning of the file is missing: upload it again.")
        if len(before) + len(piece) > LARGEST_BYTES:
            raise HTTPError(413, f"More than {LARGEST_BYTES >> 20} MiB cannot be uploaded.")
        if chunk == -1:
            return before + piece
        self._pieces[path] = before + piece
        while len(self._pieces) > AT_ONCE:
            del self._pieces[next(iter(self._pieces))]
        return None
