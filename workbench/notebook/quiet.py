"""Reading other people's documents and code without Python's remarks on them."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Warning filters belong to the whole process: two threads that set them aside at once would leave
# them aside for good.
_filters = threading.RLock()


@contextmanager
def quietly() -> Iterator[None]:
    """A while in which warnings go nowhere: they are between the author and Python."""
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
