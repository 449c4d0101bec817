"""What a call costs is exact, and unknown where nobody knows."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from workbench.domain.models import PICO, Listed, Price, Tokens, Upstream
from workbench.errors import InvalidRequest, ModelNotFound
from workbench.llm.configuration import read_catalogue
from workbench.llm.prices import cost

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPENAI = Upstream(name="openai", kind="openai", url="https://api.openai.com/v1")
LOCAL = Upstream(name="local", kind="ollama", url="http://127.0.0.1:11434/v1")


def own(model, since, dollars):
    price = Price(source="settings", input=Decimal(dollars), output=Decimal(0))
    return Listed(model=model, since=since, price=price)


def test_cached_tokens_are_among_those_read_and_cost_less():
    tokens = Tokens(input=1_000, cached=400, output=10)

    picodollars, source = cost(tokens, model="gpt-5.5", upstream=OPENAI, at=NOON, listed=())

    assert source == "genai-prices"
    assert picodollars == (600 * 5 + 400 * Decimal("0.5") + 10 * 30) * PICO // 10**6


def test_a_price_that_nobody_knows_is_not_nothing():
    tokens = Tokens(input=10)

    assert cost(tokens, model="never-heard-of", upstream=OPENAI, at=NOON, listed=()) is None
    assert cost(tokens, model="gpt-5.5", upstream=LOCAL, at=NOON, listed=()) is None


def test_the_administrators_price_counts_from_its_day_on():
    listed = [
        own("our-*", datetime(2026, 1, 1, tzinfo=UTC), 1),
        own("our-*", datetime(2026, 6, 1, tzinfo=UTC), 2),
        own("our-*", datetime(2027, 1, 1, tzinfo=UTC), 3),
    ]
    tokens = Tokens(input=1)

    def at(*day):
        return cost(
            tokens, model="our-1", upstream=LOCAL, at=datetime(*day, tzinfo=UTC), listed=listed
        )

    assert at(2025, 1, 1) is None
    assert at(2026, 3, 1) == (10**6, "settings")
    assert at(2026, 11, 20) == (2 * 10**6, "settings")


def test_the_table_of_models_is_read():
    catalogue = read_catalogue(
        {
            "default": "small",
            "upstreams": {
                "openai": {"kind": "openai", "models": ["gpt-*"]},
                "local": {"kind": "ollama", "models": ["llama3"], "names": {"small": "llama3"}},
            },
            "prices": [{"model": "x", "input": 1, "output": 2.5, "since": "2026-01-01"}],
            "budgets": {"run": {"usd": 0.5, "calls": 10}, "user": {"tokens": 1000}},
        }
    )

    assert catalogue.find("gpt-5.5")[0].name == "openai"
    assert catalogue.find("")[1] == "llama3"
    assert catalogue.find("default")[0].url == "http://127.0.0.1:11434/v1"
    assert catalogue.find("scripted")[0] is None
    assert catalogue.run.picodollars == PICO // 2
    assert catalogue.names() == [
        ("scripted", "workbench"),
        ("small", "local"),
        ("llama3", "local"),
    ]
    with pytest.raises(ModelNotFound):
        catalogue.find("claude")


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ({"upstream": {}}, "models"),
        ({"upstreams": {"A!": {}}}, "models.upstreams.A!"),
        ({"upstreams": {"a": {"kind": "x"}}}, "models.upstreams.a.kind"),
        ({"upstreams": {"a": {"kind": "compatible"}}}, "models.upstreams.a.url"),
        ({"upstreams": {"a": {"url": "http://u:p@h/"}}}, "models.upstreams.a.url"),
        ({"upstreams": {"a": {"kind": "vllm", "retries": -1}}}, "models.upstreams.a.retries"),
        ({"upstreams": {"a": {"kind": "vllm", "key": "sk"}}}, "models.upstreams.a"),
        ({"prices": [{"model": "x"}]}, "models.prices[0]"),
        ({"budgets": {"run": {"usd": "much"}}}, "models.budgets.run"),
        ({"budgets": {"run": {"euros": 1}}}, "models.budgets.run"),
        ({"script": {}}, "models.script"),
        ({"script": [{"when": {"mood": "good"}, "reply": {}}]}, "models.script"),
        ({"script": [{"when": {}}]}, "models.script"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_the_place(table, place):
    with pytest.raises(InvalidRequest) as refused:
        read_catalogue(table)

    assert refused.value.details["setting"] == place
