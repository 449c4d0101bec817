"""What browsers load besides the page itself: from memory, packed, and once per release.

Voilà sends each file as it lies on disk and has it asked for anew at every visit, a hundred of them.
Here they stand under an address that changes with any of them, so that a browser keeps them.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voila.paths import collect_static_paths
from voila.utils import get_voila_labextensions_path

STATIC, EXTENSIONS = "static", "labextensions"
_PACKED = ("text/", "application/json", "image/svg+xml")
_WORTHWHILE_BYTES = 500
_CHUNK = re.compile(r"static/\d+\.voila\.js")
_BUNDLE = "bundle/"
MOST_WANTED = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file.

    Attributes:
        type: Its media type.
        body: The file.
        packed: The file by gzip; None where that saves nothing.
    """

    type: str
    body: bytes
    packed: bytes | None


class Assets:
    """The files below some folders.

    Attributes:
        key: What stands in their addresses; another as soon as any of them is another.
    """

    def __init__(self, folders: Mapping[str, Sequence[Path]]) -> None:
        """Those of *folders*, by the word that their paths begin with; the first folder wins."""
        self._files: dict[str, Path] = {}
        for word, places in folders.items():
            for place in places:
                for path in _files(place):
                    self._files.setdefault(f"{word}/{path.relative_to(place).as_posix()}", path)
        self.key = self._fingerprint()
        self._kept: dict[str, Asset] = {}
        self._wanted: dict[str, str] = {}

    @classmethod
    def of_pages(cls, template: str, extensions: Sequence[str]) -> Assets:
        """What Voilà's pages load: the static files of *template*, and those *extensions*."""
        found = [Path(place) for place in collect_static_paths(["voila", "nbconvert"], template)]
        places = [Path(place) for place in get_voila_labextensions_path([])]
        named = {f"{EXTENSIONS}/{name}": [p / name for p in places] for name in extensions}
        return cls({STATIC: found, **named})

    def __deepcopy__(self, _: object) -> Assets:
        """Itself: Jupyter copies what it is configured with, and there is one of these."""
        return self

    def find(self, path: str) -> Asset | None:
        """The file at *path*, if there is one."""
        if path not in self._kept and path in self._files:
            self._kept[path] = _asset(self._files[path])
        return self._kept.get(path)

    def learn(self, path: str, query: str) -> None:
        """Take note that a page has asked for *path*, with that *query*."""
        if path.endswith(".js") and (path in self._wanted or len(self._wanted) < MOST_WANTED):
            self._wanted[path] = f"{path}?{query}" if query else path

    def hints(self) -> list[str]:
        """The scripts that pages have asked for so far: the next one will do so, too."""
        return [asked for path, asked in self._wanted.items() if not _CHUNK.fullmatch(path)]

    def bundle(self) -> str:
        """The path of all of Voilà's chunks that pages have asked for, in one; empty at first.

        A chunk does nothing but say that it is there, so one that is there before Voilà's own
        script is not asked for any more.
        """
        chunks = sorted(path for path in self._wanted if _CHUNK.fullmatch(path))
        if not chunks:
            return ""
        digest = hashlib.sha256(" ".join(chunks).encode()).hexdigest()[:16]
        path = f"{_BUNDLE}{digest}.js"
        if path not in self._kept:
            # Each in a function of its own: only some of them are strict.
            found = filter(None, map(self.find, chunks))
            body = b"".join(b"(()=>{" + chunk.body + b"\n})();\n" for chunk in found)
            for former in [kept for kept in self._kept if kept.startswith(_BUNDLE)]:
                del self._kept[former]
            self._kept[path] = _packed("text/javascript", body)
        return path

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path, file in sorted(self._files.items()):
            about = file.stat()
            digest.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode())
        return digest.hexdigest()[:16]


def _files(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_file()) if place.is_dir() else iter(())


def _asset(path: Path) -> Asset:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return _packed(kind, path.read_bytes())


def _packed(kind: str, body: bytes) -> Asset:
    packable = kind.startswith(_PACKED) or kind.endswith("javascript")
    worthwhile = packable and len(body) >= _WORTHWHILE_BYTES
    return Asset(type=kind, body=body, packed=gzip.compress(body, 6) if worthwhile else None)
