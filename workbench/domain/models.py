"""Language models: which ones there are, how a run is answered by them, what one call has taken.

Money is counted in picodollars, millionths of a millionth of a dollar: the price of one token is
then a whole number, and sums of any length are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, cast

from workbench.errors import ModelNotFound

PICO = 10**12
"""Picodollars in a dollar."""

CASSETTE = "model.cassette.json"
"""The file beside an agent's notebook that holds what a model has answered."""
SCRIPT = "model.script.json"
"""The file beside an agent's notebook that tells the scripted model what to say."""
SCRIPTED = "scripted"
"""The model that ships with the workbench."""
DEFAULT = "default"
"""The name that stands for whichever model the administrator has chosen."""


class Api(StrEnum):
    """The ways of asking that are understood here, by the last part of their path."""

    CHAT = "chat/completions"
    RESPONSES = "responses"
    EMBEDDINGS = "embeddings"


class Mode(StrEnum):
    """Where a run's answers come from."""

    LIVE = "live"
    """The model itself."""
    RECORD = "record"
    """The model itself, and what it says is kept to be replayed."""
    REPLAY = "replay"
    """The cassette that travels with the agent, and nothing else."""
    SCRIPTED = "scripted"
    """The scripted model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """How much was read and written.

    Attributes:
        input: Tokens read, the cached ones among them.
        cached: Those of them that were read from the provider's cache.
        written: Those of them that were written to it.
        output: Tokens written, the reasoning ones among them.
        reasoning: Those of them that nobody sees.
    """

    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    reasoning: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        """Both together."""
        return Tokens(
            input=self.input + other.input,
            cached=self.cached + other.cached,
            written=self.written + other.written,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
        )

    @property
    def total(self) -> int:
        """All that was read and written."""
        return self.input + self.output


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a million tokens cost, in dollars.

    Attributes:
        source: Who says so.
        cached: For tokens read from the provider's cache; as `input` if None.
        written: For tokens written to it; as `input` if None.
    """

    source: str
    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    written: Decimal | None = None

    def of(self, tokens: Tokens) -> int:
        """What *tokens* cost, in picodollars."""
        plain = tokens.input - tokens.cached - tokens.written
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.written is None else self.written
        dollars_of_a_million = (
            max(0, plain) * self.input
            + tokens.cached * cached
            + tokens.written * written
            + tokens.output * self.output
        )
        return int((dollars_of_a_million * (PICO // 10**6)).to_integral_value(ROUND_HALF_UP))


FREE = Price(source="scripted", input=Decimal(0), output=Decimal(0))
"""What is answered here costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A price the administrator has set.

    Attributes:
        model: A pattern such as `our-*`, for the name the upstream knows.
        since: From when on; the latest one that has begun counts.
        price: The price.
    """

    model: str
    since: datetime
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Somebody who has models and speaks as OpenAI does.

    Attributes:
        name: What the administrator calls them, and what their key is kept under.
        kind: `openai`, `azure`, `ollama`, `vllm` or `compatible`.
        url: Where their interface begins, such as `https://api.openai.com/v1`.
        models: Patterns of the names that may be asked for; nothing else is sent there.
        names: Names that stand here for other names there.
        retries: How often a question is asked again that was not answered.
        seconds: How long one question may take altogether.
        silence_seconds: How long they may say nothing in between.
        version: The `api-version` that Azure wants.
    """

    name: str
    kind: str
    url: str
    models: Sequence[str] = ("*",)
    names: Mapping[str, str] = field(default_factory=dict)
    retries: int = 2
    seconds: float = 600.0
    silence_seconds: float = 120.0
    version: str = ""

    def allows(self, model: str) -> bool:
        """Whether *model* may be asked for."""
        return model in self.names or any(fnmatchcase(model, one) for one in self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much may be spent on models; None is as much as anybody likes.

    Attributes:
        picodollars: In money.
        tokens: Read and written.
        calls: How often a model may be asked.
    """

    picodollars: int | None = None
    tokens: int | None = None
    calls: int | None = None

    @property
    def limits_output(self) -> bool:
        """Whether it matters how long an answer may get."""
        return self.picodollars is not None or self.tokens is not None

    def within(self, other: Budget) -> Budget:
        """Whatever is smaller in either."""
        return Budget(
            picodollars=_smaller(self.picodollars, other.picodollars),
            tokens=_smaller(self.tokens, other.tokens),
            calls=_smaller(self.calls, other.calls),
        )


def read_budget(table: Mapping[str, object]) -> Budget:
    """The budget that a table with `usd`, `tokens` and `calls` allows; each may be left out.

    Raises:
        ValueError: One of them is no amount, or there is something else; the message says which.
    """
    unknown = sorted(set(table) - {"usd", "tokens", "calls"})
    if unknown:
        raise ValueError(f"speaks of {', '.join(unknown)[:200]}; it knows usd, tokens and calls")
    usd = table.get("usd")
    for name in ("tokens", "calls"):
        if (count := table.get(name)) is not None and (type(count) is not int or count < 0):
            raise ValueError(f"has {name} that are no whole number")
    if usd is not None and (type(usd) not in (int, float) or not 0 <= float(str(usd)) < 10**6):
        raise ValueError("has usd that are no amount of dollars")
    return Budget(
        picodollars=None if usd is None else int(Decimal(str(usd)) * PICO),
        tokens=cast("int | None", table.get("tokens")),
        calls=cast("int | None", table.get("calls")),
    )


def _smaller(one: int | None, other: int | None) -> int | None:
    given = [value for value in (one, other) if value is not None]
    return min(given) if given else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The models that may be asked, and how much.

    Attributes:
        upstreams: In the order in which they are tried for a name.
        default: The model that is meant by `default`.
        prices: What the administrator says of prices.
        script: What the scripted model says to users' own questions, as rules of a script.
        run: The budget of each run.
        agent: The budget of each agent for a day, in UTC.
        user: The budget of each user for a day.
    """

    upstreams: Sequence[Upstream] = ()
    default: str = ""
    prices: Sequence[Listed] = ()
    script: Sequence[Mapping[str, Any]] = ()
    run: Budget = field(default_factory=Budget)
    agent: Budget = field(default_factory=Budget)
    user: Budget = field(default_factory=Budget)

    def find(self, model: str) -> tuple[Upstream | None, str]:
        """Who is asked for *model*, and what they call it; nobody but the scripted model is None.

        Raises:
            ModelNotFound: Nobody has it, or it may not be asked for.
        """
        if model in ("", DEFAULT):
            model = self.default or (SCRIPTED if not self.upstreams else model)
        if model == SCRIPTED or not self.upstreams:
            return None, model
        for upstream in self.upstreams:
            if upstream.allows(model):
                return upstream, upstream.names.get(model, model)
        raise ModelNotFound(
            f"The model {model!r:.80} does not exist here or may not be asked for.",
            model=model[:80],
        )

    def names(self) -> list[tuple[str, str]]:
        """The models that can be named without a pattern, with who has them."""
        found = {SCRIPTED: "workbench"}
        for upstream in self.upstreams:
            plain = [one for one in upstream.models if not set("*?[") & set(one)]
            for model in (*upstream.names, *plain):
                found.setdefault(model, upstream.name)
        return list(found.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One question to a model, and what it took.

    Attributes:
        id: UUIDv7 as 32 hex digits.
        run_id: The run that asked; empty if it was a user's own program.
        agent_id: Its agent, with `owner` and `agent_name`; empty as well then.
        user: On whose behalf.
        upstream: Who was asked; empty if nobody was.
        asked: The model's name in the question.
        used: The model's name in the answer.
        api: In which way it was asked.
        source: `live`, `replayed` or `scripted`.
        picodollars: What it cost; None if nobody knows the price.
        price_source: Who says what it cost.
        estimated: Whether the tokens are a guess because the upstream did not say.
        ms: From the question to the end of the answer.
        first_ms: From the question to the beginning of the answer, where it came in pieces.
        status: The HTTP status of the answer; 499 if the asker did not wait for it.
        error: What went wrong; empty if nothing did.
        test: Whether a test run asked.
        key: What the question is recorded under.
    """

    id: str
    run_id: str = ""
    agent_id: str = ""
    owner: str = ""
    agent_name: str = ""
    version: str = ""
    user: str
    upstream: str = ""
    asked: str
    used: str
    api: Api
    source: str
    tokens: Tokens = field(default_factory=Tokens)
    picodollars: int | None = None
    price_source: str = ""
    estimated: bool = False
    ms: float = 0.0
    first_ms: float | None = None
    status: int = 200
    error: str = ""
    test: bool = False
    key: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What some calls have taken together.

    Attributes:
        picodollars: What those cost whose price is known.
        unpriced: How many there are whose price is not.
    """

    calls: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    picodollars: int = 0
    unpriced: int = 0

    def plus(self, call: ModelCall) -> Spent:
        """This, and *call*."""
        return replace(
            self,
            calls=self.calls + 1,
            tokens=self.tokens + call.tokens,
            picodollars=self.picodollars + (call.picodollars or 0),
            unpriced=self.unpriced + (call.picodollars is None),
        )

    @property
    def dollars(self) -> float | None:
        """What it cost as far as is known; None if nothing is known and something was asked."""
        if self.calls and self.calls == self.unpriced:
            return None
        return self.picodollars / PICO
