"""What cells put out, as it stands in the executed notebook.

What an output means - clearing, displays that are updated later, widgets and their state - is
nbclient's business and is left to it. Added here are the budgets, the building of outputs without
a schema check for each, and the two kinds of display that are ours: results and events.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbclient import NotebookClient

from workbench.domain.events import EventType
from workbench.domain.limits import Limits
from workbench.domain.runs import Reason
from workbench.kernels.connection import Connection, Message
from workbench.kernels.faults import Fault, broken
from workbench.kernels.said import (
    EVENT,
    EVENT_BYTES,
    RESULT,
    Said,
    demand,
    event_in,
    made_of,
    told_of,
)
from workbench.notebook.document import NotebookNode, node

_UNCOUNTED = frozenset({"status", "execute_input"})
_REFUNDS = 10


@dataclass(slots=True)
class _Display:
    """A display that can be updated: one content, however often it is shown.

    Attributes:
        data: What all outputs that show it have as their data, the same object.
        size: In bytes.
        places: How many outputs show it, by the position of their cell.
    """

    data: NotebookNode
    metadata: NotebookNode
    size: int
    places: Counter[int] = field(default_factory=Counter)


class Outputs(NotebookClient):
    """The outputs of one run.

    Attributes:
        result: What the agent handed back, if it has.
        has_result: Whether it has.
        output_bytes: How much it has sent so far.
    """

    def __init__(self, nb: NotebookNode, *, limits: Limits, connection: Connection) -> None:
        super().__init__(nb, store_widget_state=True, record_timing=False)
        self.kc = _Echo(connection, self)  # type: ignore[assignment]
        self.clear_before_next_output = False
        self.result: object = None
        self.has_result = False
        self.output_bytes = 0
        self._limits = limits
        self._refunds = 0
        self._kept: Counter[int] = Counter()
        self._kept_bytes = 0
        self._displays: dict[str, _Display] = {}
        self._shown_by: dict[int, set[str]] = {}
        self._size = 0
        self._said: list[Said] = []
        self._cut: set[int] = set()
        self._open: NotebookNode | None = None
        self._pieces: list[str] = []

    def charge(self, size: int) -> None:
        """Count *size* bytes.

        Raises:
            Fault: The budget is used up.
        """
        self.output_bytes += size
        if self.output_bytes > self._limits.output_bytes:
            raise Fault(
                Reason.OUTPUT_LIMIT,
                f"The run put out more than {self._limits.output_bytes:,} bytes.",
            )

    def refund(self, message: Message) -> None:
        """Uncount *message*, of which every cell has a few; many, or one of any size, are none."""
        if self._refunds < _REFUNDS:
            self._refunds += 1
            self.output_bytes -= min(message.size, EVENT_BYTES)

    def take(self, message: Message, cell: NotebookNode, position: int) -> Sequence[Said]:
        """What there is to report of *message*, once it has been put into *cell*.

        *position* is the cell's place in the notebook that is executed.

        Raises:
            Fault: It is malformed, or a result that may not be.
        """
        if message.type in _UNCOUNTED:
            self.refund(message)
        self._size = message.weight
        self._said = []
        try:
            _time(message, cell)
            count = message.content.get("execution_count", 0)
            demand(type(count) is int and count >= 0)
            if message.type != "status":
                self.process_message(message.as_jupyter(), cell, position)
        except Fault:
            raise
        except Exception as error:  # noqa: BLE001 - strangers choose what happens here
            raise broken(f"{message.type:.40} with {error!r:.200}") from None
        return self._said

    def close(self) -> None:
        """Write what is still held back into the notebook, the widgets' state included."""
        self._settle()
        self.set_widgets_metadata()
        widgets = self.nb.metadata.get("widgets")
        if widgets and len(json.dumps(widgets)) > self._limits.kept_output_bytes:
            del self.nb.metadata["widgets"]

    def begin_cell(self, cell: NotebookNode) -> None:
        """Make *cell* ready for its outputs."""
        self._settle()
        self._refunds = 0
        self.clear_before_next_output = False
        cell.outputs = []
        cell.metadata["execution"] = {}

    def add_error(self, cell: NotebookNode, ename: str, evalue: str) -> None:
        """Say in *cell* why it did not come to its end, when it could not say so itself."""
        self._settle()
        cell.outputs.append(
            node(output_type="error", ename=ename, evalue=evalue, traceback=[evalue])
        )

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """The output that *msg* became; None if an output widget took it, or it was cut."""
        if self.output_hook_stack.get(msg["parent_header"].get("msg_id")):
            return super().output(outs, msg, display_id, cell_index)
        made = made_of(msg)
        if made is None:
            return None
        if self.clear_before_next_output:
            self._empty(outs, cell_index)
            self.clear_before_next_output = False
        special = self._special(made)
        # An error and the result are what the run is about; they are small, or have been checked.
        if not (made.output_type == "error" or special is EventType.RESULT):
            if cell_index in self._cut:
                return None
            if not self._has_room(self._size):
                self._cut_off(outs, cell_index, made)
                return None
        self._keep(cell_index, self._size)
        if special is None:
            self._said.append((EventType.OUTPUT, told_of(made, self._size)))
        if made.output_type == "stream":
            return self._stream(outs, made)
        self._settle()
        if display_id:
            self._place(display_id, made, cell_index)
        outs.append(made)
        return made

    def clear_output(self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int) -> None:
        """Do as the message says, now or before the next output."""
        self._settle()
        super().clear_output(outs, msg, cell_index)
        wait = bool(msg["content"].get("wait"))
        self._said.append((EventType.OUTPUT, {"kind": "clear", "wait": wait}))

    def clear_display_id_mapping(self, cell_index: int) -> None:
        """Forget what the cell had put out: nothing is left of it."""
        self._cut.discard(cell_index)
        self._kept_bytes -= self._kept.pop(cell_index, 0)
        for display_id in self._shown_by.pop(cell_index, ()):
            del self._displays[display_id].places[cell_index]

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        display = self._displays.get(display_id)
        made = made_of({**msg, "msg_type": "display_data"})
        if display is None or made is None or not display.places:
            return
        growth = self._size - display.size
        if not self._has_room(growth * display.places.total()):
            return
        display.size = self._size
        for cell_index, times in display.places.items():
            self._keep(cell_index, growth * times)
        _replace(display.data, made.data)
        _replace(display.metadata, made.metadata)
        if msg["msg_type"] == "update_display_data" and self._special(made, updated=True) is None:
            self._said.append((EventType.OUTPUT, {**told_of(made, self._size), "kind": "update"}))

    def _place(self, display_id: str, made: NotebookNode, position: int) -> None:
        """Have *made* show what the display shows from now on, whatever that will be."""
        display = self._displays.get(display_id)
        if display is None or not display.places:
            display = _Display(made.data, made.metadata, self._size)
            self._displays[display_id] = display
        elif display.data != made.data:  # there was no room for all places to show it
            return
        made["data"], made["metadata"] = display.data, display.metadata
        display.places[position] += 1
        self._shown_by.setdefault(position, set()).add(display_id)

    def _special(self, made: NotebookNode, *, updated: bool = False) -> EventType | None:
        """What kind of display of ours *made* is, once it has been heeded."""
        data = made.get("data", {})
        if RESULT in data and made.output_type == "display_data" and not updated:
            self._take_result(data[RESULT])
            return EventType.RESULT
        said = event_in(data.get(EVENT))
        if said is not None:
            self._said.append(said)
            return said[0]
        return None

    def _take_result(self, value: object) -> None:
        size = len(json.dumps(value)) if self._size > self._limits.result_bytes else self._size
        if size > self._limits.result_bytes:
            raise Fault(
                Reason.OUTPUT_LIMIT,
                f"The result is {size:,} bytes of JSON; {self._limits.result_bytes:,} are allowed.",
            )
        if self.has_result:
            raise Fault(Reason.INVALID_OUTPUT, "The run gave a second result; a run has one.")
        self.result, self.has_result = value, True
        shown: dict[str, object] = {"value": value} if size <= EVENT_BYTES else {"size": size}
        self._said.append((EventType.RESULT, shown))

    def _stream(self, outs: list[NotebookNode], made: NotebookNode) -> NotebookNode:
        last = outs[-1] if outs else None
        if last is None or last.output_type != "stream" or last.name != made.name:
            self._settle()
            outs.append(made)
            return made
        if self._open is not last:
            self._settle()
            self._open, self._pieces = last, [last.text]
        self._pieces.append(made.text)
        return made

    def _settle(self) -> None:
        # Adding each piece to the text at once would copy all of it every time.
        if self._open is not None:
            self._open["text"] = "".join(self._pieces)
        self._open, self._pieces = None, []

    def _empty(self, outs: list[NotebookNode], position: int) -> None:
        self._settle()
        outs[:] = []
        self.clear_display_id_mapping(position)

    def _has_room(self, size: int) -> bool:
        return self._kept_bytes + size <= self._limits.kept_output_bytes

    def _keep(self, position: int, size: int) -> None:
        self._kept[position] += size
        self._kept_bytes += size

    def _cut_off(self, outs: list[NotebookNode], position: int, made: NotebookNode) -> None:
        """Keep of *made* what there is room for, and of this cell nothing after it."""
        self._cut.add(position)
        limit = self._limits.kept_output_bytes
        room = max(0, limit - self._kept_bytes)
        if made.output_type == "stream":
            self._stream(outs, node(**{**made, "text": made.text[:room]}))
        self._settle()
        self._keep(position, room)
        text = f"\n[cut: the run put out more than the {limit:,} bytes that are kept]\n"
        outs.append(node(output_type="stream", name="stderr", text=text))
        self._said.append((EventType.OUTPUT, {"kind": "cut"}))


class _Echo:
    """What nbclient's output widgets take for a kernel client; what they send is counted."""

    def __init__(self, connection: Connection, outputs: Outputs) -> None:
        self.session = connection.session
        self.shell_channel = self
        self._connection = connection
        self._outputs = outputs

    def send(self, message: dict[str, Any]) -> None:
        frames = self.session.serialize(message)
        self._outputs.charge(sum(map(len, frames)))
        self._connection.shell.send(frames)


def _replace(content: dict[str, Any], by: Mapping[str, Any]) -> None:
    content.clear()
    content.update(by)


def _time(message: Message, cell: NotebookNode) -> None:
    """Write down when it was, as JupyterLab shows it."""
    date = message.header.get("date")
    if not isinstance(date, str) or len(date) > 40:
        return
    times = cell.metadata["execution"]
    if message.type == "execute_input":
        times["iopub.execute_input"] = date
    elif message.type == "status":
        state = message.content.get("execution_state")
        if state in ("busy", "idle"):
            times[f"iopub.status.{state}"] = date
