"""Files that commands read and write: notebooks in, notebooks out, whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import InvalidRequest, NotFound, Unavailable


def read_file(path: Path) -> bytes:
    """What is in the file.

    Raises:
        NotFound: There is no such file.
        InvalidRequest: It cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.") from None
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from None


def read_notebook(path: Path) -> bytes:
    """The notebook in the file, in the one form that is kept; Python source becomes one.

    Raises:
        NotFound: There is no such file.
        InvalidRequest: It cannot be read.
        InvalidAgentConfig: It is no notebook.
    """
    # Weight: the libraries that know notebook formats.
    from workbench.notebook.document import dump

    return dump(_document(path))


def read_draft(path: Path) -> bytes:
    """The notebook in the file as its author wrote it, without what it has put out.

    Raises:
        NotFound: There is no such file.
        InvalidRequest: It cannot be read.
        InvalidAgentConfig: It is no notebook.
    """
    # Weight: see read_notebook.
    from workbench.notebook.document import dump, without_outputs

    return dump(without_outputs(_document(path)))


def read_proposed(path: Path) -> dict[str, Any]:
    """What is in the file as a proposal has it, however wrong: a notebook, or Python source.

    Raises:
        NotFound: There is no such file.
        InvalidRequest: It cannot be read, or is source and no UTF-8 text.
    """
    content = read_file(path)
    return {"source": _source(path, content)} if path.suffix == ".py" else {"notebook": content}


def _source(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path} is no UTF-8 text.") from None


def _document(path: Path) -> Mapping[str, Any]:
    from workbench.notebook.document import load
    from workbench.notebook.source import from_source

    content = read_file(path)
    if path.suffix != ".py":
        return load(content)
    return from_source(_source(path, content))


def check_writable(path: Path) -> None:
    """Make sure, before anything is done, that the file can be written.

    Raises:
        InvalidRequest: Its folder is missing or closed, or it is a folder itself.
    """
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InvalidRequest(f"{path} cannot be written: is its folder there, and yours?")


def write_whole(path: Path, content: bytes) -> None:
    """Write the file so that nobody ever sees half of it.

    Raises:
        Unavailable: The disk refuses.
    """
    place = path.resolve()
    temporary = place.parent / f".{place.name[:100]}.{secrets.token_hex(4)}"
    try:
        if place.exists() and not place.is_file():
            # A device or a pipe: there is nothing to take the place of.
            place.write_bytes(content)
            return
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    except OSError as error:
        raise Unavailable(f"{path} could not be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)
