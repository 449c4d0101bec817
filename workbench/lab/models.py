"""What lies on the drive, as Jupyter's contents interface tells it."""

from __future__ import annotations

import base64
import json
import mimetypes
from collections.abc import Sequence
from typing import Any

from workbench.lab.entries import Entry

_SHA256 = "sha256"


def bare(entry: Entry) -> dict[str, Any]:
    """The model of *entry* without its content."""
    kind = "directory" if entry.folder else "notebook" if entry.is_notebook else "file"
    is_file = kind == "file"
    return {
        "name": entry.place.label,
        "path": entry.place.path,
        "type": kind,
        "created": entry.at,
        "last_modified": entry.at,
        "writable": entry.writable,
        "content": None,
        "format": None,
        "mimetype": mimetypes.guess_type(entry.place.label)[0] if is_file else None,
        "size": entry.size,
        # What never changes, and has no tag, is known by when it came to be.
        **hashed(entry.etag or entry.at.isoformat()),
    }


def hashed(etag: str) -> dict[str, str]:
    """What says whether somebody else has saved since: the gateway's own tag."""
    return {"hash": etag, "hash_algorithm": _SHA256}


def folder(entry: Entry, inside: Sequence[Entry]) -> dict[str, Any]:
    """The model of a folder with what lies in it."""
    return {**bare(entry), "format": "json", "content": [bare(one) for one in inside]}


def raw(entry: Entry, content: bytes, format: str | None) -> dict[str, Any]:
    """The model of anything as a file, as text if it is that and nothing else is asked for.

    Raises:
        ValueError: Text is asked for, and it is none.
    """
    model = {**bare(entry), "type": "file", "size": len(content)}
    mimetype = "application/x-ipynb+json" if entry.is_notebook else model["mimetype"]
    if format != "base64":
        try:
            text = content.decode()
        except UnicodeDecodeError:
            if format == "text":
                raise
        else:
            plain = mimetype or "text/plain"
            return {**model, "format": "text", "mimetype": plain, "content": text}
    encoded = base64.b64encode(content).decode()
    binary = mimetype or "application/octet-stream"
    return {**model, "format": "base64", "mimetype": binary, "content": encoded}


def bytes_of(model: dict[str, Any]) -> bytes:
    """What somebody who saves *model* means to save.

    Raises:
        ValueError: It cannot be read.
    """
    content = model.get("content")
    if model.get("format") == "base64":
        return base64.b64decode(str(content))
    return (content if isinstance(content, str) else json.dumps(content)).encode()
