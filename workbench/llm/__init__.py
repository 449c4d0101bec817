"""Speaking with language models, in the words of OpenAI's interface.

Here a question is put to an upstream and its answer is brought back, or is found in a cassette, or
is made up by the scripted model. This floor knows no run, no user and no database, and it keeps no
key longer than a request takes. Its HTTP client is imported when the first question leaves the
machine, as most workbenches never ask one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Reply:
    """What came back for a question.

    Attributes:
        status: The HTTP status.
        headers: Those that the asker may see.
        body: The whole answer, unless it comes in pieces.
        frames: The pieces, each one a whole frame of server-sent events.
        answer: The whole answer as a value, where it is known already.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    frames: AsyncGenerator[bytes, None] | None = None
    answer: Mapping[str, Any] | None = None
