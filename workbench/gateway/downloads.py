"""Files on their way out: whole or in part, piece by piece, to be kept and never to be acted on."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import quote

from workbench.errors import RangeNotSatisfiable
from workbench.gateway.requests import Call, entity_tags
from workbench.gateway.responses import BYTES, NOTEBOOK, Answer

PIECE_BYTES = 256 * 1024

# One part; who asks for several is given the whole (RFC 9110, 14.2).
_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.ASCII)

# What a browser may be told a file is. All else could act in a page, or might one day.
_SAFE = ("image/", "audio/", "video/", "font/")
_SAFE_ALONE = (
    "application/gzip",
    "application/json",
    "application/pdf",
    "application/zip",
    "text/csv",
    "text/markdown",
    "text/plain",
    "text/tab-separated-values",
)


def download(call: Call, file: BinaryIO, *, path: str, size: int, tag: str) -> Answer:
    """*file*, or the part of it that is asked for; *tag* is its strong entity tag.

    Raises:
        InvalidRequest: A header holds what cannot be read.
        RangeNotSatisfiable: The part lies beyond the end of the file.
    """
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"attachment; filename*=UTF-8''{_name(path)}",
        "Content-Security-Policy": "sandbox",
        "ETag": tag,
    }
    try:
        held = entity_tags(call, "If-None-Match") or []
        if held == ["*"] or tag in [one.removeprefix("W/") for one in held]:
            file.close()
            return Answer(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        part = _part(call, size, tag)
        file.seek(part.start if part else 0)
    except BaseException:
        file.close()
        raise
    if part is None:
        status, length = HTTPStatus.OK, size
    else:
        status, length = HTTPStatus.PARTIAL_CONTENT, len(part)
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    return Answer(
        status=status,
        stream=_pieces(file, length),
        media=media_of(path),
        headers={**headers, "Content-Length": str(length)},
    )


def media_of(path: str) -> str:
    """What a browser is told that the file at *path* is."""
    if path.endswith(".ipynb"):
        return NOTEBOOK
    media, encoding = mimetypes.guess_type(path)
    if media is None or encoding or media.endswith("+xml"):
        return BYTES
    return media if media.startswith(_SAFE) or media in _SAFE_ALONE else BYTES


def _part(call: Call, size: int, tag: str) -> range | None:
    """The bytes that are asked for; None if that is all of them."""
    wanted = _RANGE.fullmatch(call.headers.get("Range", ""))
    if wanted is None or call.headers.get("If-Range", tag).strip() != tag:
        return None
    first, last = wanted.groups()
    if first:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None
    elif last:
        start, stop = max(size - int(last), 0), size
    else:
        return None
    if start >= stop:
        raise RangeNotSatisfiable(f"The file has {size} bytes.", size=size)
    return range(start, stop)


def _name(path: str) -> str:
    return quote(path.rpartition("/")[2], safe="", errors="replace")


async def _pieces(file: BinaryIO, length: int) -> AsyncGenerator[bytes, None]:
    with file:
        while length > 0:
            piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, length))
            if not piece:
                return
            length -= len(piece)
            yield piece
