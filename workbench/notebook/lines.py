"""Two texts, line by line: what went, what came, and a little of what stands around it.

The shortest way from one to the other is looked for (Myers, 1986), which takes time in proportion
to how much is different. What could be made by an enemy is compared within a given effort.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_EDITS = 1_000
"""How many lines may differ before two texts count as wholly different."""
MOST_LISTED = 2_000
"""How many lines wholly different texts may have together to be listed all the same."""
AROUND = 3
"""How many lines are told that stand before and behind a difference."""

KEPT, WENT, CAME = " ", "-", "+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a comparison.

    Attributes:
        op: `-` stands in the first text only, `+` in the second only, a blank in both.
        before: Its number in the first text, from 1.
        after: Its number in the second text, from 1.
        text: What it says.
    """

    op: str
    before: int | None
    after: int | None
    text: str


class Effort:
    """How many steps may still be taken; shared by the parts of one comparison."""

    def __init__(self, steps: int = 2_000_000) -> None:
        self._left = steps

    def spend(self, steps: int) -> bool:
        """Whether that many steps could still be taken."""
        self._left -= steps
        return self._left >= 0


def changed_lines(before: str, after: str, effort: Effort) -> list[Line] | None:
    """What is different, with some lines around it; None if that would take too long to find."""
    one, other = _split(before), _split(after)
    numbers: dict[str, int] = {}
    # As numbers, for a line may be long and is compared more than once.
    a = [numbers.setdefault(line, len(numbers)) for line in one]
    b = [numbers.setdefault(line, len(numbers)) for line in other]
    head = _common(a, b)
    tail = _common(a[head:][::-1], b[head:][::-1])
    middle = _edits(a[head : len(a) - tail], b[head : len(b) - tail], effort)
    if middle is None:
        if len(one) + len(other) - 2 * (head + tail) > MOST_LISTED:
            return None
        middle = WENT * (len(a) - head - tail) + CAME * (len(b) - head - tail)
    script = KEPT * head + "".join(_in_order(middle)) + KEPT * tail
    return list(_near(list(_lines(script, one, other))))


def whole(text: str, op: str) -> list[Line]:
    """All lines of a text that stands on one side only."""
    return [
        Line(op=op, before=n if op == WENT else None, after=n if op == CAME else None, text=line)
        for n, line in enumerate(_split(text), start=1)
    ]


def _split(text: str) -> list[str]:
    """The lines of *text* as an editor numbers them; no empty one behind the last."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many numbers at the beginning are the same."""
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return length


def _edits(a: Sequence[int], b: Sequence[int], effort: Effort) -> str | None:
    """The shortest sequence of operations that makes *b* of *a*."""
    n, m = len(a), len(b)
    # reached[d][i]: how far in a one comes with d edits on the diagonal 2 * i - d.
    reached: list[list[int]] = []
    for d in range(min(n + m, MOST_EDITS) + 1):
        before = reached[-1] if reached else [0]
        row: list[int] = []
        steps = d + 1
        for i in range(d + 1):
            x = _begin(before, i, d)
            y = x - (2 * i - d)
            start = x
            while x < n and y < m and a[x] == b[y]:
                x, y = x + 1, y + 1
            steps += x - start
            row.append(x)
            if x >= n and y >= m:
                reached.append(row)
                return _way_back(reached, n, m)
        reached.append(row)
        if not effort.spend(steps):
            return None
    return None


def _begin(before: Sequence[int], i: int, d: int) -> int:
    """Where the diagonal *i* of *d* edits is entered: by a line that came, or by one that went."""
    if d == 0:
        return 0
    return before[i] if _by_coming(before, i, d) else before[i - 1] + 1


def _by_coming(before: Sequence[int], i: int, d: int) -> bool:
    return i == 0 or (i != d and before[i - 1] < before[i])


def _way_back(reached: Sequence[Sequence[int]], n: int, m: int) -> str:
    script: list[str] = []
    x, y = n, m
    for d in range(len(reached) - 1, 0, -1):
        i = (x - y + d) // 2
        before = reached[d - 1]
        entered = _begin(before, i, d)
        script.append(KEPT * (x - entered))
        y -= x - entered
        x = entered
        if _by_coming(before, i, d):
            script.append(CAME)
            y -= 1
        else:
            script.append(WENT)
            x -= 1
    script.append(KEPT * x)
    return "".join(reversed(script))


def _in_order(script: str) -> Iterator[str]:
    """*script* with what went before what came wherever they stand side by side."""
    went = came = 0
    for op in script:
        if op == KEPT:
            yield WENT * went + CAME * came + KEPT
            went = came = 0
        else:
            went, came = went + (op == WENT), came + (op == CAME)
    yield WENT * went + CAME * came


def _lines(script: str, one: Sequence[str], other: Sequence[str]) -> Iterator[Line]:
    x = y = 0
    for op in script:
        x, y = x + (op != CAME), y + (op != WENT)
        yield Line(
            op=op,
            before=None if op == CAME else x,
            after=None if op == WENT else y,
            text=other[y - 1] if op == CAME else one[x - 1],
        )


def _near(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines that are different, and those around them."""
    until = -1
    ahead = 0
    for place, line in enumerate(lines):
        ahead = max(ahead, place)
        while ahead < len(lines) and ahead <= place + AROUND and lines[ahead].op == KEPT:
            ahead += 1
        if ahead < len(lines) and ahead <= place + AROUND and lines[ahead].op != KEPT:
            until = ahead + AROUND
        if line.op != KEPT or place <= until:
            yield line
