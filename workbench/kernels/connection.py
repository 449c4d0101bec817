"""Talking to one kernel: three sockets, and messages that are checked before they are believed.

Nobody but us and the kernel can reach the sockets, but a kernel runs strangers' code, and that
code knows the key. So a message is counted before it is read, and one that is no message, nests
without end or holds what cannot be written down again is an error of this connection's alone.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import zmq
from jupyter_client.session import Session
from zmq.utils.monitor import parse_monitor_message

from workbench.kernels.channel import Channel, receive
from workbench.kernels.faults import Fault, broken

PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}
MAX_DEPTH = 80
INSIDE_FILE = "i.json"
"""The connection file as a kernel behind a wall reads it."""

LONGEST_SOCKET_PATH = zmq.IPC_PATH_MAX_LEN

_RETRY_MS = 20
"""How soon a socket tries again when the kernel has not made its end yet."""

_UNREAD = 64
"""How many messages of a patient kernel are kept for us; of any other it is a thousand."""

_SUSPICIOUS = re.compile(rb"\\u[dD][89a-fA-F]|[\d.][eE]\+?\d{3,}(?:[\s,\]}]|$)|\d{300}")
"""What may turn into half a character or an infinite number when it is read; ids in hex do not."""


_HEEDED = (0, 1, 3)
"""What is read of a message: its header, its parent's and its content; not its metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message from a kernel.

    Attributes:
        type: Its `msg_type`.
        parent: The id of the request it belongs to; empty if to none.
        header: As it was sent.
        content: Safe to be written as JSON again.
        buffers: What came behind it, raw.
        size: In bytes, as received.
        weight: In bytes, without what every message has.
    """

    type: str
    parent: str
    header: dict[str, Any]
    parent_header: dict[str, Any]
    content: dict[str, Any]
    buffers: list[bytes]
    size: int
    weight: int

    def as_jupyter(self) -> dict[str, Any]:
        """The message in the shape that nbclient reads."""
        return {
            "header": self.header,
            "msg_id": self.header.get("msg_id", ""),
            "msg_type": self.type,
            "parent_header": self.parent_header,
            "metadata": {},
            "content": self.content,
            "buffers": self.buffers,
        }


def make_context(*, frame_bytes: int) -> zmq.Context[zmq.Socket[bytes]]:
    """What all connections of one source share; no frame larger than *frame_bytes* is taken in."""
    context = zmq.Context()
    context.setsockopt(zmq.LINGER, 0)
    # What a busy kernel does not read yet is counted by whoever sends it.
    context.setsockopt(zmq.SNDHWM, 0)
    context.setsockopt(zmq.MAXMSGSIZE, frame_bytes)
    context.setsockopt(zmq.RECONNECT_IVL, _RETRY_MS)
    return context


def connection_file(folder: Path, *, kernel_name: str, inside: str = "") -> Path:
    """A new connection file in *folder*, which also receives the sockets.

    For a kernel that finds the folder at *inside* another lies beside it, `i.json`.

    Raises:
        OSError: The folder's path is too long for a socket, or cannot be written.
    """
    stem = folder / "k"
    if len(f"{stem}-1".encode()) > LONGEST_SOCKET_PATH:
        raise OSError(f"{folder} is too long a path for sockets: {LONGEST_SOCKET_PATH} bytes fit.")
    info = {
        "transport": "ipc",
        "ip": str(stem),
        **PORTS,
        "key": secrets.token_hex(32),
        "signature_scheme": "hmac-sha256",
        "kernel_name": kernel_name,
    }
    _keep(folder / "c.json", info)
    if inside:
        _keep(folder / INSIDE_FILE, info | {"ip": f"{inside}/{stem.name}"})
    return folder / "c.json"


def _keep(path: Path, info: Mapping[str, object]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(info))


class Connection:
    """Our end of the sockets of one kernel."""

    def __init__(
        self,
        stem: str,
        key: str,
        *,
        context: zmq.Context[zmq.Socket[bytes]],
        patient: bool = False,
    ) -> None:
        """The kernel whose sockets' paths begin with *stem* and whose messages *key* signs.

        One that is *patient* waits until what it says is taken in; others would drop it.
        """
        self.session = Session(key=key.encode(), username="workbench")
        self._url = f"ipc://{stem}-"
        self._context = context
        self.shell = Channel(self._socket(zmq.DEALER, "shell_port"))
        self._outputs = self._socket(zmq.SUB, "iopub_port", unread=_UNREAD if patient else 0)
        self._outputs.subscribe(b"")
        self.iopub = Channel(self._outputs)
        self._control: Channel | None = None
        self._monitor: Channel | None = None

    @classmethod
    def of(cls, file: Path, *, context: zmq.Context[zmq.Socket[bytes]]) -> Self:
        """The kernel that was given the connection file *file*."""
        info = json.loads(file.read_text())
        return cls(info["ip"], info["key"], context=context)

    def _socket(self, kind: int, port: str, *, unread: int = 0) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        if unread:
            socket.rcvhwm = unread
        if kind == zmq.DEALER:
            socket.identity = self.session.bsession
        socket.connect(f"{self._url}{PORTS[port]}")
        return socket

    async def request(
        self, type: str, content: Mapping[str, object], metadata: Mapping[str, object] | None = None
    ) -> str:
        """The id of a request, once it is on its way on the shell channel."""
        message = self.session.msg(type, content=dict(content), metadata=dict(metadata or {}))
        self.shell.send(self.session.serialize(message))
        return str(message["header"]["msg_id"])

    async def execute(
        self,
        code: str,
        *,
        silent: bool = False,
        kept: bool = True,
        stop_on_error: bool = True,
        metadata: Mapping[str, object] | None = None,
    ) -> str:
        """The id of a request to execute *code*; nobody is there to answer `input()`.

        What is not *kept* is not counted among the cells and does not enter the history.
        """
        content = {
            "code": code,
            "silent": silent,
            "store_history": kept and not silent,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        return await self.request("execute_request", content, metadata)

    async def interrupt(self) -> None:
        """Ask by message, for kernels that take no signal."""
        if self._control is None:
            self._control = Channel(self._socket(zmq.DEALER, "control_port"))
        message = self.session.msg("interrupt_request", content={})
        self._control.send(self.session.serialize(message))

    async def cut_off(self) -> None:
        """Return when the kernel's end of a socket has gone, or sent a frame too large to take."""
        await self._happened(zmq.EVENT_DISCONNECTED)

    async def lost(self) -> None:
        """Return when it is looked for after it was cut off, which is when its end has gone.

        Nobody looks for a kernel that sent a frame too large to take.
        """
        await self._happened(zmq.EVENT_CONNECT_RETRIED)

    async def _happened(self, awaited: int) -> None:
        if self._monitor is None:
            events = zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED
            self._monitor = Channel(self._outputs.get_monitor_socket(events))
        event = 0
        while event != awaited:
            frames = await receive(self._monitor)
            event = int(parse_monitor_message(frames)["event"]) if frames else 0

    def read(self, frames: list[bytes]) -> Message:
        """The message in *frames*.

        Raises:
            Fault: There is none, or it is not signed with this kernel's key.
        """
        try:
            return self._read(frames)
        except Fault:
            raise
        except Exception as error:  # noqa: BLE001 - strangers choose what happens here
            raise broken(f"a message that cannot be read: {error!r:.200}") from None

    def _read(self, frames: list[bytes]) -> Message:
        at = frames.index(b"<IDS|MSG>")
        signature, *signed = frames[at + 1 : at + 6]
        if not hmac.compare_digest(self.session.sign(signed), signature):
            raise broken("a message with a wrong signature")
        header, parent, content = (_loads(signed[place]) for place in _HEEDED)
        if not isinstance(header["msg_type"], str):
            raise broken("a message without a type")
        return Message(
            type=header["msg_type"],
            parent=str(parent.get("msg_id", "")),
            header=header,
            parent_header=parent,
            content=content,
            buffers=frames[at + 6 :],
            size=sum(map(len, frames)),
            weight=sum(map(len, frames[at + 5 :])),
        )

    def close(self) -> None:
        """Close the sockets; the paths of a kernel's sockets are never used again."""
        if self._monitor is not None and not self._outputs.closed:
            # In this order: it says a last word, and waits for ever if nobody is there to hear it.
            self._outputs.disable_monitor()
            self._monitor.close()
        for channel in (self.shell, self.iopub, self._control):
            if channel is not None:
                channel.close()


def _loads(frame: bytes) -> dict[str, Any]:
    # Kernels write file names that are no UTF-8 as they are.
    value = _decode(frame.decode(errors="replace"))
    if not isinstance(value, dict):
        raise broken("a message that is no object")
    if frame.count(b"[") + frame.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    if _SUSPICIOUS.search(frame):
        return _writable(value)  # type: ignore[no-any-return]
    return value


def _nothing(constant: str) -> None:
    """What NaN and the infinities become: JSON has none."""


_decode = json.JSONDecoder(parse_constant=_nothing).decode


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)  # type: ignore[attr-defined]
            if isinstance(item, dict | list)
        ]
        if not level:
            return
    raise broken(f"a message nested more than {MAX_DEPTH} deep")


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float):
        return value if abs(value) != float("inf") else None
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, dict):
        return {_writable(key): _writable(item) for key, item in value.items()}
    return value
