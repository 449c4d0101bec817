"""The keys of upstreams, encrypted in a file of their own.

They lie beside the index and the journal and in neither of them, so that neither a rebuilt index
nor a copied journal holds one. The master key comes from the environment, or lies in a file of its
own that only the owner of the home can read; then the encryption keeps keys out of backups, and
nobody who can read the whole home.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import InvalidRequest, Unavailable
from workbench.store.disk import make_folder, write_whole

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEYS = "model-keys.json"
MASTER = "master.key"
LONGEST_KEY = 10_000


class Keys:
    """The keys of one home; whoever may write there may set them, gateway or not."""

    def __init__(self, home: Path, *, master: str = "") -> None:
        """*master* are Fernet keys, comma-separated: the first encrypts, all of them decrypt."""
        self._path = home / KEYS
        self._master_path = home / MASTER
        self._master = master
        self._read: tuple[tuple[int, int], Mapping[str, str]] | None = None

    def get(self, name: str) -> str:
        """The key kept under *name*; empty if there is none.

        Raises:
            Unavailable: The file cannot be read, or the master key is another one.
        """
        kept = self._kept()
        return self._decrypted(name, kept[name]) if name in kept else ""

    def names(self) -> list[str]:
        """What keys are kept under.

        Raises:
            Unavailable: The file cannot be read.
        """
        return sorted(self._kept())

    def put(self, name: str, key: str) -> None:
        """Keep *key* under *name*, instead of what was there.

        Raises:
            InvalidRequest: It cannot be sent in a header.
            Unavailable: The disk does not take it, or there is no master key.
        """
        if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise InvalidRequest("A key is printable ASCII letters, and not empty.")
        sealed = self._cipher(make=True).encrypt(key.encode()).decode()
        self._write({**self._kept(), name: sealed})

    def forget(self, name: str) -> bool:
        """Have no key under *name*; whether there was one.

        Raises:
            Unavailable: The disk does not take it.
        """
        kept = dict(self._kept())
        known = kept.pop(name, None) is not None
        if known:
            self._write(kept)
        return known

    def rotate(self) -> int:
        """Encrypt every key anew with the first master key; how many there are.

        Raises:
            Unavailable: One cannot be decrypted, or the disk does not take it.
        """
        kept = {name: self._decrypted(name, sealed) for name, sealed in self._kept().items()}
        cipher = self._cipher(make=True)
        self._write({name: cipher.encrypt(key.encode()).decode() for name, key in kept.items()})
        return len(kept)

    def _kept(self) -> Mapping[str, str]:
        # Looked at each time: a command may have set a key while the gateway runs.
        try:
            found = self._path.stat()
            stamp = found.st_mtime_ns, found.st_ino
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, dict(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError):
            raise Unavailable(f"{KEYS} in the home folder cannot be read.") from None
        return self._read[1]

    def _write(self, kept: Mapping[str, str]) -> None:
        try:
            make_folder(self._path.parent)
            write_whole(self._path, json.dumps(kept, indent=1).encode())
        except OSError as error:
            raise Unavailable(f"The disk does not take it: {error.strerror}.") from error

    def _decrypted(self, name: str, sealed: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            return self._cipher().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unavailable(
                f"The key of {name} was encrypted with another master key; set it again.", key=name
            ) from None

    def _cipher(self, *, make: bool = False) -> MultiFernet:
        # Weight: most homes have no keys.
        from cryptography.fernet import Fernet, MultiFernet

        given = self._master or self._master_in_file(Fernet.generate_key() if make else b"")
        try:
            return MultiFernet([Fernet(one.strip()) for one in given.split(",") if one.strip()])
        except ValueError:
            raise Unavailable(
                "The master key is none: it is made by"
                " `python -c 'from cryptography.fernet import Fernet as F;"
                " print(F.generate_key().decode())'`."
            ) from None

    def _master_in_file(self, new: bytes) -> str:
        try:
            if new:
                make_folder(self._master_path.parent)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                try:
                    descriptor = os.open(self._master_path, flags, 0o600)
                except FileExistsError:
                    pass
                else:
                    with os.fdopen(descriptor, "wb") as file:
                        file.write(new)
                        os.fsync(file.fileno())
            return self._master_path.read_text()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise Unavailable(f"{MASTER} cannot be read: {error.strerror}.") from error
