"""The files an agent leaves behind."""

from __future__ import annotations

import shutil
from os import PathLike, fspath
from pathlib import Path, PurePosixPath

from workbench.agent.speech import situation


def file(name: str, data_or_path: str | bytes | PathLike[str]) -> Path:
    """Where *name* now lies in the run's working folder, to be kept with the run.

    A string or bytes are the content itself; a path names a file to copy. Whatever else lies in
    the working folder at the end is kept too: this is for agents that may have left the folder.

    Raises:
        ValueError: *name* is absolute, empty or leads out of the folder.
        OSError: It cannot be written.
    """
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise ValueError(f"{name!r:.80} must be a relative path without '..'.")
    target = situation().folder.joinpath(*path.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data_or_path, str):
        target.write_text(data_or_path, encoding="utf-8")
    elif isinstance(data_or_path, bytes):
        target.write_bytes(data_or_path)
    else:
        source = Path(fspath(data_or_path))
        if not (target.exists() and source.samefile(target)):
            shutil.copyfile(source, target)
    return target
