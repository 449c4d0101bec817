"""Which agents there are and what each is found by, in memory: lists are asked for all the time.

It is read from the index when that is opened, and told of every change once it is committed. The
words of notebooks take their time to be read; only who looks for words waits for that.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from workbench.domain.access import Principal, may_see_agent
from workbench.domain.agents import Visibility, is_shown
from workbench.domain.queries import AgentQuery
from workbench.errors import InvalidRequest
from workbench.store.cells import from_moment, moment, text
from workbench.store.tables import AGENT_TEXTS, AGENTS, Change, Row
from workbench.store.tags import tags_in
from workbench.store.wordbook import Holding, Wordbook, words_in

MOST_WORDS = 32
"""How many different words may be looked for at once."""
_FEW = 8
"""Fewer than one in so many are sorted; more are met soon enough on a walk from the newest."""

Place = tuple[str, str]
"""When an agent was made, as its row says it, and its id: what lists are in the order of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What lists go by.

    Attributes:
        place: Where it stands among all.
        owner: The user it belongs to.
        name: What it is called.
        shown: Whether everybody may see it.
        archived: Whether it is out of use.
        tags: Words it is found by as a whole.
        told: What it is found by that is no notebook's.
        heard: The number of that text.
        said: The number of the text of the published notebook; None until it is read.
        drafted: The number of the text that only its owner finds it by.
    """

    place: Place
    owner: str
    name: str
    shown: bool
    archived: bool
    tags: tuple[str, ...]
    told: str
    heard: int
    said: int | None = None
    drafted: int | None = None

    @property
    def marks(self) -> Iterator[tuple[str, str]]:
        """What it is listed under."""
        yield "owner", self.owner
        yield "name", self.name
        for tag in self.tags:
            yield "tag", tag


class Directory:
    """All agents of one home; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._order: list[Place] = []
        self._under: dict[tuple[str, str], set[str]] = {}
        self._words = Wordbook()
        self._whose: dict[int, str] = {}

    def take_in(self, changes: Iterable[Change]) -> None:
        """Take note of *changes* that are committed, in order."""
        for change in changes:
            agent_id = str(change.key[0])
            if change.table is AGENTS and change.row is None:
                self._strike(agent_id)
            elif change.table is AGENTS and change.row is not None:
                self.enter(change.row)
            elif change.table is AGENT_TEXTS and change.row is not None:
                self.hear(change.row)

    def enter(self, row: Row) -> None:
        """Have the agent of *row* as it says."""
        told = "\n".join((text(row["name"]), text(row["description"]), *tags_in(row["tags"])))
        words = words_in(told)
        agent_id = text(row["id"])
        with self._lock:
            before = self._entries.get(agent_id)
            if before is not None and before.told == told:
                heard = before.heard
            else:
                heard = self._note(agent_id, words)
                self._leave(before.heard if before else None)
            entry = _entry(row, told=told, heard=heard)
            if before is None:
                insort(self._order, entry.place)
            else:
                entry = replace(entry, said=before.said, drafted=before.drafted)
                self._unlist(agent_id, before)
            self._entries[agent_id] = entry
            for mark in entry.marks:
                self._under.setdefault(mark, set()).add(agent_id)

    def hear(self, row: Row, *, late: bool = False) -> None:
        """Have the agent of *row* found by the words it says; *late* ones only if it has none."""
        published, drafted = words_in(text(row["published"])), words_in(text(row["draft"]))
        agent_id = text(row["agent_id"])
        with self._lock:
            before = self._entries.get(agent_id)
            if before is None or (late and before.said is not None):
                return
            self._leave(before.said)
            self._leave(before.drafted)
            own = drafted - published
            self._entries[agent_id] = replace(
                before,
                said=self._note(agent_id, published),
                drafted=self._note(agent_id, own) if own else None,
            )

    def page(
        self, principal: Principal, query: AgentQuery, below: Place | None
    ) -> tuple[list[str], bool]:
        """The ids of the agents behind *below* that *query* asks for, and whether there are more.

        Raises:
            InvalidRequest: Too many words are looked for.
        """
        asked = (query.text or "").strip()
        wanted = _wanted_words(asked)
        if asked and not wanted:
            # Neither letters nor digits: nothing is found by them.
            return [], False
        with self._lock:
            holdings = sorted((self._words.holding(word) for word in wanted), key=len)
            listed = [self._under.get(mark, set()) for mark in _marks(query)]
            found: list[str] = []
            for place in self._places(holdings, listed, below):
                agent_id = place[1]
                entry = self._entries[agent_id]
                if (
                    not entry.archived
                    and may_see_agent(principal, entry)
                    and all(agent_id in ids for ids in listed)
                    and all(_says(entry, holding, principal) for holding in holdings)
                ):
                    if len(found) == query.limit:
                        return found, True
                    found.append(agent_id)
        return found, False

    def place(self, agent_id: str) -> Place | None:
        """Where the agent stands, if there is such an agent."""
        with self._lock:
            entry = self._entries.get(agent_id)
        return entry.place if entry else None

    def _places(
        self,
        holdings: Sequence[Holding],
        listed: Sequence[AbstractSet[str]],
        below: Place | None,
    ) -> Iterable[Place]:
        """Where to look, newest first: no more than must be."""
        sizes = [*map(len, holdings[:1]), *map(len, listed)]
        smallest = min(sizes, default=len(self._order))
        if smallest * _FEW < len(self._order):
            ids: AbstractSet[str] = min(listed, key=len) if listed else set()
            if holdings and (not listed or len(holdings[0]) < len(ids)):
                ids = {self._whose[n] for n in holdings[0] if n in self._whose}
            places = (self._entries[agent_id].place for agent_id in ids)
            return sorted((p for p in places if below is None or p < below), reverse=True)
        end = len(self._order) if below is None else bisect_left(self._order, below)
        return (self._order[n] for n in range(end - 1, -1, -1))

    def _note(self, agent_id: str, words: AbstractSet[str]) -> int:
        number = self._words.add(words)
        self._whose[number] = agent_id
        return number

    def _leave(self, number: int | None) -> None:
        if number is not None:
            del self._whose[number]
            self._words.leave(number)

    def _strike(self, agent_id: str) -> None:
        with self._lock:
            entry = self._entries.pop(agent_id, None)
            if entry is not None:
                del self._order[bisect_left(self._order, entry.place)]
                self._unlist(agent_id, entry)
                for number in (entry.heard, entry.said, entry.drafted):
                    self._leave(number)

    def _unlist(self, agent_id: str, entry: Entry) -> None:
        for mark in entry.marks:
            ids = self._under.get(mark, set())
            ids.discard(agent_id)
            if not ids:
                self._under.pop(mark, None)


def _wanted_words(wanted: str) -> set[str]:
    words = words_in(wanted)
    if len(words) > MOST_WORDS:
        raise InvalidRequest(f"At most {MOST_WORDS} different words may be looked for at once.")
    return words


def _says(entry: Entry, holding: Holding, principal: Principal) -> bool:
    own = principal.is_admin or principal.user == entry.owner
    return (
        entry.heard in holding
        or (entry.said is not None and entry.said in holding)
        or (own and entry.drafted is not None and entry.drafted in holding)
    )


def _marks(query: AgentQuery) -> Iterator[tuple[str, str]]:
    asked = (("owner", query.owner), ("name", query.name), ("tag", query.tag))
    return ((kind, wanted) for kind, wanted in asked if wanted is not None)


def _entry(row: Row, *, told: str, heard: int) -> Entry:
    archived = row["archived_at"] is not None
    return Entry(
        place=(from_moment(moment(row["created_at"])) or "", text(row["id"])),
        owner=text(row["owner"]),
        name=text(row["name"]),
        shown=is_shown(
            Visibility(text(row["visibility"])),
            published=row["current_version"] is not None,
            archived=archived,
        ),
        archived=archived,
        tags=tags_in(row["tags"]),
        told=told,
        heard=heard,
    )
