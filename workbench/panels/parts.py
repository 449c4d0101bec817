"""The components that panels are made of: each shows what it is given and tells what people do.

They are drawn by the small scripts in `components/`, without a build and without a network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import anywidget
import ipywidgets
import traitlets

Told: TypeAlias = Mapping[str, Any]
"""What somebody did: one of the few words that a component knows, and what goes with it."""

Heed: TypeAlias = Callable[[Told], None]

_FOLDER = Path(__file__).parent / "components"
_SHARED = (_FOLDER / "shared.js").read_text(encoding="utf-8")
_STYLE = (Path(__file__).parent / "panel.css").read_text(encoding="utf-8")


def _script(name: str) -> str:
    return _SHARED + (_FOLDER / f"{name}.js").read_text(encoding="utf-8")


class Part(anywidget.AnyWidget):
    """One component.

    Attributes:
        shown: What it shows, as plain JSON; each script says what it looks for.
    """

    shown = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, *, script: str = "", **more: Any) -> None:
        """A component that is drawn by *script*, one of those in `components/`."""
        # Traits that are added to a widget make a class of its own below its class.
        if script:
            cls._esm = _script(script)
        super().__init_subclass__(**more)

    def __init__(self, heed: Heed | None = None, **shown: object) -> None:
        """One that shows *shown*; *heed* is told what people do with it."""
        super().__init__(shown=shown)
        if heed is not None:
            heeded = at_home(heed)
            self.on_msg(lambda _part, told, _buffers: heeded(told))

    def show(self, **shown: object) -> None:
        """Show this from now on; what is the same already is not sent again."""
        self.shown = shown


def at_home(heed: Heed) -> Heed:
    """*heed*, done on the loop on which this is called, wherever it is asked for.

    JupyterLab has what people do told in a thread of its own, a subshell of the kernel, with a loop
    of its own; a panel and its connections live on one loop alone.
    """
    home = _loop()
    if home is None:
        return heed

    def heeded(told: Told) -> None:
        if _loop() is home:
            heed(told)
        else:
            home.call_soon_threadsafe(heed, told)

    return heeded


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Cards(Part, script="cards"):
    """A list to choose from, as cards or rows; tells `choose`."""


class Search(Part, script="search"):
    """A field to search by, with filters; tells `find` and `filter`."""


class Fields(Part, script="form"):
    """A form; tells `fill` with every key, and `submit`."""


class Actions(Part, script="actions"):
    """Buttons; tells `press`."""


class Tabs(Part, script="tabs"):
    """Tabs; tells `choose`."""


class Steps(Part, script="steps"):
    """How far a run is."""


class Log(Part, script="log"):
    """Lines, to which more are added without sending all of them again."""

    def add(self, lines: list[dict[str, str]]) -> None:
        """Add *lines* to what is shown."""
        if lines:
            self.send({"add": lines})


class Value(Part, script="value"):
    """A result as people read it."""


class Links(Part, script="links"):
    """What can be downloaded; tells `open` where an address has still to be made."""

    def go(self, address: str) -> None:
        """Let the browser download what is at *address*."""
        self.send({"go": address})


class Table(Part, script="table"):
    """Rows to look at, sort and choose from; tells `choose` and `more`."""


class Chart(Part, script="chart"):
    """Bars or lines."""


class Snippet(Part, script="snippet"):
    """A piece of code to copy."""


class Note(Part, script="note"):
    """A heading, or a word to the reader; tells `press` if it offers something."""


class Address(Part, script="address"):
    """What the browser's address says of the page; tells `go` when somebody goes back or on."""


class Sheet(Part, script="frame"):
    """A page made by the workbench, in a frame where nothing in it can run."""


def columns(labels: Mapping[str, str], **kinds: str) -> list[dict[str, str]]:
    """The columns of a table, headed as *labels* say and each of its kind."""
    return [{"key": key, "label": labels[key], "kind": kind} for key, kind in kinds.items()]


def screen(*children: Any) -> Any:
    """The outermost box of a panel, with the style of all that is in it."""
    style = ipywidgets.HTML(f"<style>{_STYLE}</style>")
    style.layout.display = "none"
    return boxed("wb", style, boxed("wb-stack", *children))


def boxed(names: str, *children: Any) -> Any:
    """*children* in a box of the classes *names*."""
    box = ipywidgets.Box(list(children))
    for name in names.split():
        box.add_class(name)
    # Sizes are the style sheet's: ipywidgets' own would stand in its way.
    box.layout = ipywidgets.Layout()
    return box


def appear(box: Any, *, when: bool) -> None:
    """Show *box* or not; a component by itself does not heed its classes."""
    (box.remove_class if when else box.add_class)("wb-gone")
