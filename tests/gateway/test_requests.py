"""A request is read strictly: what is not plainly meant is refused with the place and the reason."""

import asyncio
from datetime import UTC, datetime

import pytest
from tornado.httputil import HTTPHeaders

from workbench.domain.access import Principal, Role
from workbench.errors import InvalidAgentConfig, InvalidRequest
from workbench.gateway import requests
from workbench.gateway.kept import Kept
from workbench.gateway.metering import Metering
from workbench.gateway.requests import Call


def call(query="", body=b"", **headers):
    return Call(
        app=None,
        principal=Principal(user="ada", role=Role.AUTHOR),
        method="POST",
        path="/agents",
        places={},
        query=query,
        headers=HTTPHeaders({name.replace("_", "-"): text for name, text in headers.items()}),
        body=body,
        origin="http://127.0.0.1:8890",
        ends=asyncio.Event(),
        opens=lambda _: False,
        metering=Metering(),
        kept=Kept(),
    )


def test_a_query_is_texts_by_name():
    assert requests.texts(call("a=1&b=x%20y+z&c=")) == {"a": "1", "b": "x y z", "c": ""}


@pytest.mark.parametrize(
    "query", ["a=1&a=2", "a=%ff", "a=\xe4", "&".join(f"a{i}=1" for i in range(501))]
)
def test_a_query_that_can_be_read_in_two_ways_is_refused(query):
    with pytest.raises(InvalidRequest):
        requests.texts(call(query))


def test_an_option_nobody_knows_is_named():
    with pytest.raises(InvalidRequest, match="token") as refused:
        requests.options(call("token=abc"), "limit")

    assert "abc" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "meant"), [("true", True), ("1", True), ("False", False), ("0", False)]
)
def test_a_flag_is_said_in_four_ways(text, meant):
    assert requests.flag({"test": text}, "test") is meant


@pytest.mark.parametrize("text", ["", "yes", "2", "truee"])
def test_a_flag_is_not_guessed(text):
    with pytest.raises(InvalidRequest):
        requests.flag({"test": text}, "test")


@pytest.mark.parametrize("text", ["0", "201", "-1", "1e1", "٣", "", "9" * 5000])
def test_a_page_has_a_sensible_length(text):
    with pytest.raises(InvalidRequest):
        requests.page({"limit": text})


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "soon", ""])
def test_a_wait_is_a_number_of_seconds(text):
    with pytest.raises(InvalidRequest):
        requests.seconds({"wait": text}, "wait", most=10)


def test_nobody_waits_longer_than_allowed():
    assert requests.seconds({"wait": "1e9"}, "wait", most=10) == 10


def test_a_moment_without_a_zone_is_utc():
    assert requests.moment_in({"since": "2026-11-20T12:00"}, "since") == datetime(
        2026, 11, 20, 12, tzinfo=UTC
    )


@pytest.mark.parametrize("text", ["yesterday", "", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(InvalidRequest):
        requests.moment_in({"since": text}, "since")


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_no_body_is_an_empty_object(body):
    assert requests.json_object(call(body=body)) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"1",
        b"null",
        b'"x"',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": ' + b"[" * 500 + b"]" * 500 + b"}",
        b"[" * 200_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b"{} {}",
    ],
)
def test_a_body_that_is_no_plain_object_is_refused(body):
    with pytest.raises(InvalidRequest):
        requests.json_object(call(body=body))


def test_a_form_is_not_taken_for_json():
    with pytest.raises(InvalidRequest, match="Content-Type"):
        requests.json_object(call(body=b"{}", Content_Type="text/plain"))


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8"])
def test_json_is_known_by_its_type(media):
    assert requests.json_object(call(body=b"{}", Content_Type=media)) == {}


def test_a_field_that_is_null_is_as_if_it_were_not_there():
    assert requests.fields(call(body=b'{"name": null}'), {"name": (str,)}) == {}


@pytest.mark.parametrize("body", [b'{"name": 1}', b'{"name": true}', b'{"nam": "x"}'])
def test_a_field_of_another_kind_is_refused_as_the_route_refuses(body):
    with pytest.raises(InvalidAgentConfig) as refused:
        requests.fields(call(body=body), {"name": (str,)}, refusal=InvalidAgentConfig)

    assert refused.value.details["field"] in {"name", "nam"}


def test_true_is_no_whole_number():
    with pytest.raises(InvalidRequest):
        requests.fields(call(body=b'{"days": true}'), {"days": (int, float)})


def test_two_spellings_of_one_request_have_one_fingerprint():
    one = requests.idempotency(call(body=b'{"a":1,"b":2}', Idempotency_Key="k"))
    other = requests.idempotency(call(body=b'{ "b": 2, "a": 1 }', Idempotency_Key="k"))

    assert one == other


def test_another_body_or_query_has_another_fingerprint():
    prints = {
        requests.idempotency(call(body=body, query=query, Idempotency_Key="k")).fingerprint
        for body in (b'{"a":1}', b'{"a":2}', b'{"a":1.5}')
        for query in ("", "test=1")
    }

    assert len(prints) == 6


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, "a\tb"])
def test_a_key_that_could_be_misread_is_refused(key):
    with pytest.raises(InvalidRequest):
        requests.idempotency(call(Idempotency_Key=key))


def test_no_key_is_no_key():
    assert requests.idempotency(call()) is None


@pytest.mark.parametrize(
    ("prefer", "wanted"),
    [("respond-async", True), ("wait=5, Respond-Async;x=1", True), ("return=minimal", False)],
)
def test_who_would_rather_not_wait_says_so(prefer, wanted):
    assert requests.prefers_async(call(Prefer=prefer)) is wanted


def test_entity_tags_are_a_list():
    assert requests.entity_tags(call(If_Match='"a", W/"b"'), "If-Match") == ['"a"', 'W/"b"']
    assert requests.entity_tags(call(If_Match=" * "), "If-Match") == ["*"]
    assert requests.entity_tags(call(), "If-Match") is None


@pytest.mark.parametrize("text", ["", "abc", '"a" "b"', '"a",', "*, *"])
def test_what_is_no_entity_tag_is_refused(text):
    with pytest.raises(InvalidRequest):
        requests.entity_tags(call(If_Match=text), "If-Match")


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "²", "9" * 17])
def test_what_is_no_event_is_refused(text):
    with pytest.raises(InvalidRequest):
        requests.last_event_id(call(Last_Event_ID=text))
