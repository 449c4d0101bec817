"""What a call costs: by the administrator's own prices, else by a dated table of the providers'.

The table is genai-prices', https://github.com/pydantic/genai-prices, which comes with the package
and is never fetched. Of a model that neither knows the price is unknown, and never nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP
from fnmatch import fnmatchcase
from functools import lru_cache

from workbench.domain.models import PICO, Listed, Tokens, Upstream

TABLE = "genai-prices"
_PROVIDERS = {"openai": "openai", "azure": "azure"}


def cost(
    tokens: Tokens, *, model: str, upstream: Upstream, at: datetime, listed: Sequence[Listed]
) -> tuple[int, str] | None:
    """What *tokens* of *model* cost at *upstream*, in picodollars, and who says so.

    None if nobody knows.
    """
    own = [one for one in listed if one.since <= at and fnmatchcase(model, one.model)]
    if own:
        price = max(own, key=lambda one: one.since).price
        return price.of(tokens), price.source
    provider = _PROVIDERS.get(upstream.kind)
    minute = at.replace(second=0, microsecond=0)
    found = None if provider is None else _of_table(tokens, model, provider, minute)
    return None if found is None else (found, TABLE)


# A budget asks for the same several times before each question, and the table takes its time.
@lru_cache(maxsize=1_000)
def _of_table(tokens: Tokens, model: str, provider: str, at: datetime) -> int | None:
    # Weight: only workbenches that ask a provider need the table.
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.written,
        output_tokens=tokens.output,
    )
    try:
        found = calc_price(usage, model, provider_id=provider, genai_request_timestamp=at)
    except (LookupError, ValueError):
        return None
    return int((found.total_price * PICO).to_integral_value(ROUND_HALF_UP))
