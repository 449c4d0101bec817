"""Keys are set, rotated and forgotten without ever being shown; what models took is told."""

import json

import pytest
from cryptography.fernet import Fernet

from workbench.store.keys import KEYS, Keys

SECRET = "sk-canary-0123456789abcdef"
MODELS = json.dumps({"upstreams": {"one": {"kind": "vllm", "models": ["our-*"]}}})


@pytest.fixture
def models(ask, home, monkeypatch):
    """Asks `workbench models …` in JSON, with what comes on standard input."""
    monkeypatch.setenv("WORKBENCH_MODELS", MODELS)

    def models(*arguments, given=""):
        return ask("models", *arguments, "--home", home, "--json", given=given)

    return models


def test_a_key_comes_from_standard_input_and_is_shown_nowhere(models, home):
    said = models("key", "one", given=f"{SECRET}\n")

    assert (said.code, said.json) == (0, {"upstream": "one", "key": True})
    assert Keys(home).get("one") == SECRET
    listed = models("list")
    assert listed.json["upstreams"] == [
        {
            "name": "one",
            "kind": "vllm",
            "url": "http://127.0.0.1:8000/v1",
            "models": ["our-*"],
            "key": True,
        }
    ]
    assert SECRET not in said.out + said.err + listed.out + listed.err
    assert SECRET not in (home / KEYS).read_text()


def test_a_key_that_no_header_could_carry_is_refused_and_the_old_one_stays(models, home):
    models("key", "one", given=SECRET)

    said = models("key", "one", given="two\nlines")

    assert (said.code, said.json["error"]["code"]) == (2, "InvalidRequest")
    assert Keys(home).get("one") == SECRET


def test_a_key_is_forgotten_once(models, home):
    models("key", "one", given=SECRET)

    assert models("key", "one", "--forget").json == {"upstream": "one", "key": False}
    again = models("key", "one", "--forget")
    assert (again.code, again.json["error"]["code"]) == (2, "NotFound")
    assert Keys(home).names() == []


def test_keys_are_encrypted_anew_with_the_first_master_key(models, home, monkeypatch):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    monkeypatch.setenv("WORKBENCH_MASTER_KEY", old)
    models("key", "one", given=SECRET)
    models("key", "two", given=SECRET)

    monkeypatch.setenv("WORKBENCH_MASTER_KEY", f"{new},{old}")
    assert models("rotate").json == {"keys": 2}

    assert Keys(home, master=new).get("two") == SECRET
    monkeypatch.setenv("WORKBENCH_MASTER_KEY", old)
    said = models("rotate")
    assert (said.code, said.json["error"]["code"]) == (3, "Unavailable")


def test_what_nobody_has_taken_is_an_empty_list(models):
    assert models("usage", "--by", "model").json == {"items": [], "next_cursor": None}
