"""Which texts hold a word, or a part of one.

Texts are numbered and never change: one that is out of date is left behind, and what is left of it
goes once such texts have become the most. A word takes some 220 bytes, and what one text and all of
them together may have of them is bounded: whoever writes notebooks cannot fill the memory with them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_SELDOM = 256
"""In how many texts a word may stand for them to be written down one by one."""
_LEFT_BEHIND = 1_024
MOST_OF_A_TEXT = 10_000
"""By how many of its words a text is found: the first ones."""
MOST_WORDS = 1_000_000
"""How many different words there are room for; a text is not found by others that are new then."""
_WORD = re.compile(r"\w{1,64}")
_BETWEEN = "\n"
# Shorter parts stand inside so many words that nobody means them.
_SHORTEST_PART = 3


def words_in(text: str) -> set[str]:
    """The different words of *text*, in lower case, the first `MOST_OF_A_TEXT` of them."""
    found: set[str] = set()
    for match in _WORD.finditer(text.lower()):
        if len(found) >= MOST_OF_A_TEXT:
            break
        found.add(match[0])
    return found


@dataclass(frozen=True, slots=True)
class Holding:
    """The numbers of some texts: a few one by one, the many as the bits of a number."""

    few: frozenset[int]
    many: int

    def __contains__(self, number: int) -> bool:
        """Whether the text *number* is one of them."""
        return number in self.few or bool(self.many >> number & 1)

    def __len__(self) -> int:
        """How many there are at the most."""
        return len(self.few) + self.many.bit_count()

    def __iter__(self) -> Iterator[int]:
        """All of them, some perhaps twice."""
        yield from self.few
        many = self.many
        while many:
            lowest = many & -many
            yield lowest.bit_length() - 1
            many ^= lowest


class Wordbook:
    """Every word of all texts, and the numbers of the texts that hold it."""

    def __init__(self, *, most_words: int = MOST_WORDS) -> None:
        self._most = most_words
        # A word that stands in many texts keeps its place here, without numbers.
        self._seldom: dict[str, array[int]] = {}
        self._often: dict[str, int] = {}
        self._spelled = _BETWEEN
        self._count = 0
        self._numbers = 0
        self._free: list[int] = []
        self._gone: set[int] = set()

    def add(self, words: Collection[str]) -> int:
        """The number of a new text that consists of *words*."""
        if self._free:
            number = self._free.pop()
        else:
            number = self._numbers
            self._numbers += 1
        bit = 1 << number
        for word in words:
            if word in self._often:
                self._often[word] |= bit
            elif word in self._seldom:
                texts = self._seldom[word]
                texts.append(number)
                if len(texts) > _SELDOM:
                    self._often[word] = _bits(texts)
                    self._seldom[word] = array("I")
            elif len(self._seldom) < self._most:
                self._seldom[word] = array("I", (number,))
        return number

    def leave(self, number: int) -> None:
        """Leave the text *number* behind; it may still be found for a while."""
        self._gone.add(number)
        there = self._numbers - len(self._free) - len(self._gone)
        if len(self._gone) > max(_LEFT_BEHIND, there):
            self._clear()

    def holding(self, part: str) -> Holding:
        """The texts with a word that *part*, in lower case, is a part of.

        A part of one or two Latin letters is looked for at the beginning of words only.
        """
        few: set[int] = set()
        many = 0
        for word in self._words_with(part):
            if word in self._often:
                many |= self._often[word]
            else:
                few.update(self._seldom[word])
        return Holding(frozenset(few), many)

    def _words_with(self, part: str) -> Iterator[str]:
        spelled = self._all()
        begins = len(part) < _SHORTEST_PART and part.isascii()
        wanted = f"{_BETWEEN}{part}" if begins else part
        at = spelled.find(wanted)
        while at >= 0:
            end = spelled.index(_BETWEEN, at + len(wanted))
            begin = spelled.rindex(_BETWEEN, 0, at + 1) + 1
            yield spelled[begin:end]
            at = spelled.find(wanted, end)

    def _all(self) -> str:
        """All words one behind the other: looking through them is faster than one by one."""
        if self._count != len(self._seldom):
            self._count = len(self._seldom)
            self._spelled = f"{_BETWEEN}{_BETWEEN.join(self._seldom)}{_BETWEEN}"
        return self._spelled

    def _clear(self) -> None:
        left = ~_bits(self._gone)
        often = {word: many & left for word, many in self._often.items()}
        self._often = {word: many for word, many in often.items() if many}
        seldom: dict[str, array[int]] = {}
        for word, texts in self._seldom.items():
            there = array("I", (number for number in texts if number not in self._gone))
            if there or word in self._often:
                seldom[word] = there
        self._seldom, self._count = seldom, -1
        self._free += self._gone
        self._gone = set()


def _bits(numbers: Collection[int]) -> int:
    bits = bytearray(max(numbers) // 8 + 1)
    for number in numbers:
        bits[number // 8] |= 1 << number % 8
    return int.from_bytes(bits, "little")
