"""Where the sockets of kernels lie: folders of their own, short of path and swept if left behind."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

from workbench.kernels.connection import LONGEST_SOCKET_PATH

_NAME = "wb-"
# What a socket's path has below the root: `/wb-4194304-abcdefgh/tmpabcdefgh/k-1`.
_BELOW_ROOT = 36
_BACKLOG = 16


class SocketFolders:
    """New folders for sockets; not among the working folders, whose paths may be too long."""

    def __init__(self) -> None:
        root = _root(tempfile.gettempdir())
        _sweep(root)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_NAME}{os.getpid()}-", dir=root))

    def new(self) -> Path:
        """One that nobody has used.

        Raises:
            OSError: It cannot be made.
        """
        return Path(tempfile.mkdtemp(dir=self._folder))

    def close(self) -> None:
        """Remove them all."""
        shutil.rmtree(self._folder, ignore_errors=True)


def listen(stem: str, ports: int) -> list[socket.socket]:
    """Sockets that listen already, at *stem* with `-1` and so on behind it.

    Raises:
        OSError: They cannot be made there.
    """
    listening: list[socket.socket] = []
    try:
        for port in range(1, ports + 1):
            one = socket.socket(socket.AF_UNIX)
            listening.append(one)
            one.bind(f"{stem}-{port}")
            one.listen(_BACKLOG)
    except OSError:
        for one in listening:
            one.close()
        raise
    return listening


def _root(temporary: str) -> Path:
    """The folder for temporary files, or one that every Unix has if that is too deep for sockets."""
    deep = len(os.fsencode(temporary)) + _BELOW_ROOT > LONGEST_SOCKET_PATH
    return Path("/tmp" if deep else temporary)


def _sweep(root: Path) -> None:
    """Remove the socket folders of workbenches of ours that were killed."""
    for folder in root.glob(f"{_NAME}*-*"):
        pid = folder.name.removeprefix(_NAME).partition("-")[0]
        try:
            if pid.isdecimal() and folder.lstat().st_uid == os.getuid():
                os.kill(int(pid), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # another has just removed it
            continue
