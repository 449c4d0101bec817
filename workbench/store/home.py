"""The home folder: where everything lies, and who owns it at the moment.

The lock file is never unlinked: whoever holds its `flock` owns the home, and what is written in
it counts only while somebody does.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.errors import HomeInUse, HomeUnreadable
from workbench.store.disk import TEMPORARY, make_folder

FORMAT = 1
"""The layout described here; a home with a higher number was made by a newer workbench."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that owns a home.

    Attributes:
        pid: Its process id; 0 if it has not written it down yet.
        url: Where it answers, once it does.
        token: What lets the same user's commands speak to it, once it answers.
        certificate: What it shows them, in PEM; empty if it does not speak TLS.
    """

    pid: int
    url: str | None = None
    token: str | None = None
    certificate: str = ""


class Home:
    """One home folder and, while it is claimed, the right to change what is in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._descriptor: int | None = None

    @property
    def index(self) -> Path:
        """The DuckDB file."""
        return self.path / "index.duckdb"

    @property
    def journal(self) -> Path:
        """The folder of the journal's segments."""
        return self.path / "journal"

    @property
    def objects(self) -> Path:
        """The folder of what is kept by fingerprint."""
        return self.path / "objects"

    @property
    def runs(self) -> Path:
        """The folder of what runs leave behind."""
        return self.path / "runs"

    @property
    def claimed(self) -> bool:
        """Whether this object owns the home."""
        return self._descriptor is not None

    def claim(self) -> None:
        """Own the home from now on; make it if it is not there.

        Raises:
            HomeInUse: Another process owns it.
            HomeUnreadable: A newer workbench made it, or it cannot be written.
        """
        try:
            make_folder(self.path)
            self.path.chmod(0o700)
            descriptor = os.open(_lock(self.path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HomeUnreadable(f"The home {self.path} cannot be used: {error}.") from error
        try:
            _flock(descriptor, self.path)
            _refuse_newer(_read(descriptor), self.path)
            self._descriptor = descriptor
            self._write(Owner(pid=os.getpid()))
            for folder in (self.journal, self.objects, self.runs):
                make_folder(folder)
            _sweep(self.path)
        except BaseException:
            self._descriptor = None
            os.close(descriptor)
            raise

    def announce(self, url: str, token: str, certificate: str = "") -> None:
        """Tell the same user's commands where the owner answers and what it takes as a token.

        *certificate*, in PEM, is what it shows them, if it speaks TLS.
        """
        self._write(Owner(pid=os.getpid(), url=url, token=token, certificate=certificate))

    def release(self) -> None:
        """Let somebody else own the home."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, owner: Owner) -> None:
        assert self._descriptor is not None
        text = json.dumps({"home": FORMAT, **asdict(owner)}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text, 0)


def owner(path: Path) -> Owner | None:
    """Who owns the home at *path* now; None if nobody does."""
    try:
        descriptor = os.open(_lock(path), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _owner(_read(descriptor))
        return None
    finally:
        os.close(descriptor)


def _lock(path: Path) -> Path:
    return path / "owner.lock"


def _flock(descriptor: int, path: Path) -> None:
    # Somebody who only asks who the owner is holds a shared lock for an instant: try again.
    for pause in (0.01, 0.02, 0.04, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return
    holder = _owner(_read(descriptor))
    where = f" and answers at {holder.url}" if holder.url else ""
    raise HomeInUse(
        f"The home {path} is in use: process {holder.pid} owns it{where}.",
        pid=holder.pid,
        url=holder.url,
    )


def _read(descriptor: int) -> dict[str, object]:
    # The owner empties the file before it writes: an empty one is worth a second look.
    for _ in range(20):
        try:
            said = json.loads(os.pread(descriptor, 65536, 0))
        except ValueError:
            time.sleep(0.001)
            continue
        return said if isinstance(said, dict) else {}
    return {}


def _owner(said: dict[str, object]) -> Owner:
    pid, url, token = said.get("pid"), said.get("url"), said.get("token")
    return Owner(
        pid=pid if isinstance(pid, int) else 0,
        url=url if isinstance(url, str) else None,
        token=token if isinstance(token, str) else None,
    )


def _refuse_newer(said: dict[str, object], path: Path) -> None:
    made_by = said.get("home", FORMAT)
    if not isinstance(made_by, int) or made_by > FORMAT:
        raise HomeUnreadable(
            f"The home {path} is of format {made_by}, made by a newer workbench; "
            f"this one reads up to {FORMAT}.",
            format=made_by,
        )


def _sweep(path: Path) -> None:
    for folder, _, names in os.walk(path):
        for name in names:
            if name.startswith(TEMPORARY):
                Path(folder, name).unlink(missing_ok=True)
