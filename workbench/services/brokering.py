"""Answering questions to language models: from an upstream, a cassette or the scripted model.

Whoever asks shows a token of ours and never sees a provider's key. Every question is reserved for,
answered, settled and put into the ledger here, whichever library asked it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.domain.access import Principal
from workbench.domain.models import (
    CASSETTE,
    SCRIPTED,
    Api,
    Catalogue,
    Mode,
    ModelCall,
    Tokens,
    Upstream,
)
from workbench.errors import (
    BudgetExceeded,
    ModelSilent,
    NotFound,
    NotRecorded,
    Unavailable,
    WorkbenchError,
)
from workbench.llm import Reply
from workbench.llm.answers import DONE, data_in, failed
from workbench.llm.assembly import Assembly, tokens_of
from workbench.llm.cassettes import Cassette, Entry
from workbench.llm.prices import cost
from workbench.llm.questions import Question, ask, guess, in_their_words
from workbench.llm.scripted import read_rules, scripted, told
from workbench.llm.upstreams import Upstreams
from workbench.services.lending import Lending, Loan
from workbench.services.spending import Reservation, Spending
from workbench.services.streaming import alive
from workbench.store.keys import Keys

GONE = 499
"""The status of a question whose asker did not wait for the answer."""
COST_HEADER = "X-Workbench-Cost-Usd"
SOURCE_HEADER = "X-Workbench-Model"


@dataclass(slots=True, kw_only=True)
class _Asking:
    """One question on its way.

    Attributes:
        source: `live`, `replayed` or `scripted`.
        upstream: Who is asked; None if nobody is.
        model: What they call the model.
    """

    question: Question
    principal: Principal
    loan: Loan | None
    source: str
    upstream: Upstream | None
    model: str
    began: float
    at: datetime
    reservation: Reservation
    first: float | None = None


class Brokering:
    """Questions to models, and their answers."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        lending: Lending,
        spending: Spending,
        keys: Keys,
        upstreams: Upstreams,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._catalogue = catalogue
        self._rules = read_rules(catalogue.script)
        self._lending = lending
        self._spending = spending
        self._keys = keys
        self._upstreams = upstreams
        self._clock = clock
        self._new_id = new_id

    def models(self) -> list[tuple[str, str]]:
        """The models that can be asked for by name, with who has them."""
        return self._catalogue.names()

    @property
    def has_voice(self) -> bool:
        """Whether anything but the bare scripted model answers."""
        return bool(self._catalogue.upstreams or self._rules)

    def check(self, model: str) -> None:
        """Let only a model pass that may be asked.

        Raises:
            ModelNotFound: There is no such model, or it may not be asked.
        """
        self._catalogue.find(model)

    async def ask(
        self, principal: Principal, api: Api, body: Mapping[str, Any], *, ends: asyncio.Event
    ) -> Reply:
        """The answer to *body*; when *ends* is set, nobody waits for it any more.

        Raises:
            InvalidRequest: It is no question.
            ModelNotFound: There is no such model, or it may not be asked.
            NotRecorded: It should be replayed, and was never recorded.
            BudgetExceeded: The run, the agent or the user has nothing left to spend.
            ModelSilent: The upstream did not answer, or nothing that can be read.
            Unauthenticated: The run that asks has ended.
        """
        question = ask(api, body)
        loan = self._lending.of(principal)
        asking = await self._let_through(question, principal, loan)
        try:
            reply = await self._reply(asking, ends)
        except BaseException as error:
            self._settle(asking, None, status=_status_of(error), error=type(error).__name__)
            raise
        headers = {**reply.headers, SOURCE_HEADER: f"{asking.source}; {asking.model[:100]!a}"}
        if reply.frames is not None:
            frames = self._pour(asking, reply.frames)
            return Reply(status=reply.status, headers=headers, frames=alive(frames))
        call = self._settle(asking, reply.answer, status=reply.status)
        if call.picodollars is not None:
            headers[COST_HEADER] = _dollars(call.picodollars)
        return Reply(status=reply.status, headers=headers, body=reply.body)

    async def close(self) -> None:
        """Hang up on all upstreams; nothing may be under way."""
        await self._spending.written()
        await self._upstreams.close()

    async def _let_through(
        self, question: Question, principal: Principal, loan: Loan | None
    ) -> _Asking:
        """The question with room reserved for it.

        Raises:
            WorkbenchError: There is no such model, or no room.
        """
        mode = loan.mode if loan is not None else Mode.LIVE
        upstream, model, source = None, SCRIPTED, "scripted"
        if mode is Mode.REPLAY:
            model, source = question.model, "replayed"
        elif mode is not Mode.SCRIPTED:
            upstream, model = self._catalogue.find(question.model)
            source, model = ("live", model) if upstream is not None else (source, SCRIPTED)
        accounts = loan.accounts if loan is not None else []
        if upstream is not None:
            agent = loan.run.agent_id if loan is not None else ""
            accounts += await self._spending.accounts(agent_id=agent, user=principal.user)
        at = self._clock()
        try:
            reservation = self._spending.reserve(
                accounts,
                read=question.about_tokens if accounts else 0,
                wanted=0 if question.api is Api.EMBEDDINGS else question.most_output,
                answers=question.answers,
                cost=lambda tokens: self._cost(tokens, model, upstream, at)[0],
            )
        except BudgetExceeded as error:
            if loan is not None:
                loan.refuse(error)
            raise
        return _Asking(
            question=question,
            principal=principal,
            loan=loan,
            source=source,
            upstream=upstream,
            model=model,
            began=time.perf_counter(),
            at=at,
            reservation=reservation,
        )

    async def _reply(self, asking: _Asking, ends: asyncio.Event) -> Reply:
        loan, question = asking.loan, asking.question
        if asking.source == "replayed" and loan is not None:
            return _played(loan.cassette, question)
        if asking.upstream is None:
            answering = scripted(question, loan.rules if loan is not None else self._rules)
        else:
            answering = self._upstreams.ask(
                asking.upstream,
                question,
                in_their_words(
                    question,
                    asking.upstream,
                    model=asking.model,
                    most_output=asking.reservation.most_output,
                ),
                key=self._keys.get(asking.upstream.name),
            )
        answer = asyncio.ensure_future(answering)
        ended = asyncio.ensure_future(ends.wait())
        try:
            await asyncio.wait({answer, ended}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            raise ModelSilent("Nobody waits for this answer any more.", status=GONE)
        finally:
            ended.cancel()
            if not answer.done():
                answer.cancel()

    async def _pour(
        self, asking: _Asking, frames: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """*frames* as they come, with what they took told before the last."""
        assembly = Assembly(asking.question.api)
        chat = asking.question.api is Api.CHAT
        status = GONE
        try:
            async with aclosing(frames):
                async for frame in frames:
                    asking.first = asking.first or time.perf_counter()
                    data = data_in(frame)
                    if frame.strip() == DONE.strip():
                        assembly.ended = True
                        break
                    if data is not None:
                        assembly.add(data)
                        if chat and _is_usage(data) and not asking.question.wants_usage:
                            continue
                    yield frame
            status = 200
        finally:
            answer = assembly.answer if assembly.ended else None
            error = "" if assembly.ended or status == GONE else "stream_cut"
            call = self._settle(
                asking, answer, status=status, error=error, letters=assembly.letters
            )
        if not assembly.ended and not assembly.failed:
            yield failed(asking.question.api, "The answer ended before its end.", "stream_cut")
        yield _comment(call)
        if chat and assembly.ended:
            yield DONE

    def _settle(
        self,
        asking: _Asking,
        answer: Mapping[str, Any] | None,
        *,
        status: int,
        error: str = "",
        letters: int = 0,
    ) -> ModelCall:
        """What the question took, told to everybody who counts."""
        question, loan = asking.question, asking.loan
        tokens = tokens_of(answer) if answer is not None else None
        estimated = tokens is None and (letters > 0 or status == GONE or status < 300)
        if tokens is None:
            read = question.about_tokens if estimated else 0
            tokens = Tokens(input=read, output=guess("x" * letters))
        picodollars, price_source = self._cost(tokens, asking.model, asking.upstream, asking.at)
        used = answer.get("model") if answer is not None else None
        run = loan.run if loan is not None else None
        call = ModelCall(
            id=self._new_id(),
            run_id=run.id if run else "",
            agent_id=run.agent_id if run else "",
            owner=run.owner if run else "",
            agent_name=run.agent_name if run else "",
            version=run.version if run else "",
            user=asking.principal.user,
            upstream=asking.upstream.name if asking.upstream else "",
            asked=question.model,
            used=used if isinstance(used, str) else asking.model,
            api=question.api,
            source=asking.source,
            tokens=tokens,
            picodollars=picodollars,
            price_source=price_source,
            estimated=estimated,
            ms=1000 * (time.perf_counter() - asking.began),
            first_ms=None if asking.first is None else 1000 * (asking.first - asking.began),
            status=status,
            error=error or ("" if status < 400 else f"status {status}"),
            test=run.test if run else False,
            key=question.key if loan is not None else "",
            at=asking.at,
        )
        self._spending.settle(asking.reservation, call)
        if loan is not None and loan.mode is Mode.RECORD and answer is not None and status == 200:
            entry = Entry(
                key=question.key, api=question.api, request=question.asked, response=answer
            )
            loan.recorded.append(entry)
        return call

    def _cost(
        self, tokens: Tokens, model: str, upstream: Upstream | None, at: datetime
    ) -> tuple[int | None, str]:
        if upstream is None:
            return 0, "nobody was asked"
        if not tokens.total:
            return 0, ""
        found = cost(tokens, model=model, upstream=upstream, at=at, listed=self._catalogue.prices)
        return found if found is not None else (None, "")


def _played(cassette: Cassette, question: Question) -> Reply:
    """What was recorded for *question*, whole or in pieces.

    Raises:
        NotRecorded: Nothing was, or nothing that a model could have said.
    """
    answer = cassette.play(question)
    try:
        return told(answer, question)
    except (LookupError, TypeError, AttributeError):
        # Written by hand, perhaps: what is recorded comes from a model.
        raise NotRecorded(
            f"What {CASSETTE} has for this question is no answer of a model.", key=question.key
        ) from None


def _is_usage(data: Mapping[str, Any]) -> bool:
    return data.get("choices") == [] and isinstance(data.get("usage"), Mapping)


def _comment(call: ModelCall) -> bytes:
    """What the call took, where readers of the stream pass over it."""
    cost_usd = None if call.picodollars is None else float(_dollars(call.picodollars))
    said = {
        "cost_usd": cost_usd,
        "input_tokens": call.tokens.input,
        "output_tokens": call.tokens.output,
    }
    return f": workbench {json.dumps(said)}\n\n".encode()


def _dollars(picodollars: int) -> str:
    return f"{picodollars // 10**12}.{picodollars % 10**12:012d}"


def _status_of(error: BaseException) -> int:
    if isinstance(error, WorkbenchError) and error.details.get("status") == GONE:
        return GONE
    if isinstance(error, NotFound):
        return 404
    return 503 if isinstance(error, Unavailable) else 500
