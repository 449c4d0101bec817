"""What an agent says of itself is read from fields, and only what was changed is written."""

import pytest

from workbench.panels import editing
from workbench.panels.amounts import bytes_of, written_bytes

AGENT = {"agent_name": "sums", "description": "Sums up.", "visibility": "private"}
ALLOWED = {
    "limits": {
        "memory_bytes": {"given": 2**30, "least": 2**28, "most": 2**32},
        "timeout_seconds": {"given": 60, "least": 0, "most": 3600},
    },
    "network": {"most": "allow-list", "hosts": 50},
    "retry": {"most": 10, "reasons": ["kernel_died", "timeout"], "backoff_seconds": 600},
}
OWN = {
    "tags": ["report"],
    "limits": {"memory_bytes": 2**29},
    "network": ["api.example.org"],
    "retry": {"max": 2, "test": True},
    "theirs": {"kept": 1},
}


@pytest.mark.parametrize("count", [1, 16, 1024, 10**9, 3 * 2**29, 256 * 2**20, 2**32, 123_456_789])
def test_a_size_is_written_as_it_is_read(count):
    assert bytes_of(written_bytes(count)) == count


@pytest.mark.parametrize("text", ["", "much", "1 TiBB", "-1", "1e9", "2 GiB more"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is no size"):
        bytes_of(text)


def test_what_nobody_touched_is_not_written():
    texts = editing.texts_of(AGENT, OWN)

    assert texts["memory_bytes"] == "512 MiB"
    assert (texts["network"], texts["hosts"]) == ("hosts", "api.example.org")
    assert editing.problems(texts, ALLOWED) == {}
    assert editing.changes(texts, texts, OWN) == {}
    assert editing.beside(texts, texts) == {}


def test_what_was_changed_is_put_into_what_stands_there_by_now():
    before = editing.texts_of(AGENT, OWN)
    now = {**before, "memory_bytes": "2 GiB", "retry": "3", "tags": "report, sql", "name": "sum"}
    by_now = {**OWN, "limits": {"memory_bytes": 2**29, "processes": 64}, "timeout_seconds": 9}

    changed = editing.changes(before, now, by_now)

    assert editing.merged(by_now, changed) == {
        **by_now,
        "tags": ["report", "sql"],
        "limits": {"memory_bytes": 2**31, "processes": 64},
        "retry": {
            "max": 3,
            "test": True,
            "on": ["gateway_restarted", "kernel_died", "kernel_start_failed"],
            "backoff_seconds": 1,
        },
    }
    assert editing.beside(before, now) == {"name": "sum"}


def test_what_is_emptied_is_said_no_more():
    before = editing.texts_of(AGENT, OWN)
    now = {**before, "memory_bytes": "", "network": "none", "retry": "0", "tags": " "}

    assert editing.merged(OWN, editing.changes(before, now, OWN)) == {"theirs": {"kept": 1}}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("memory_bytes", "9 GiB", "at most 4 GiB"),
        ("memory_bytes", "1 MiB", "at least 256 MiB"),
        ("memory_bytes", "plenty", "such as 512 MiB"),
        ("timeout_seconds", "0", "more than 0"),
        ("timeout_seconds", "4000", "at most 3,600 s"),
        ("timeout_seconds", "soon", "a number"),
        ("processes", "1.5", "whole number"),
        ("input_schema", "{oops", "no JSON"),
        ("output_schema", "[]", "is an object"),
        ("hosts", "https://example.org/", "is no host"),
        ("hosts", " ", "at least one host"),
        ("retry", "two", "a number"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(name, text, told):
    texts = {**editing.texts_of(AGENT, OWN), name: text}

    found = editing.problems(texts, ALLOWED)

    assert set(found) == {name}
    assert told in found[name]


def test_fields_that_do_not_matter_are_not_shown():
    shown = {one["name"] for one in editing.fields_of("limits", editing.texts_of(AGENT, {}), {})}
    asked = {one["name"] for one in editing.fields_of("limits", editing.texts_of(AGENT, OWN), {})}

    assert asked - shown == {"hosts", "retry_on", "retry_pause"}


def test_a_network_that_is_not_allowed_is_offered_as_that():
    fields = editing.fields_of("limits", editing.texts_of(AGENT, {}), ALLOWED)
    (network,) = (one for one in fields if one["name"] == "network")
    (memory,) = (one for one in fields if one["name"] == "memory_bytes")

    assert ["not allow" in label for _, label in network["options"]] == [False, False, True]
    assert (memory["hint"], memory["help"]) == ("1 GiB", "at most 4 GiB")


def test_what_the_gateway_finds_is_told_at_its_field_in_its_words():
    found = [
        {"message": "metadata.workbench.limits.memory_bytes asks for much.", "severity": "error",
         "details": {"field": "metadata.workbench.limits.memory_bytes"}},
        {"message": "metadata.workbench.cases[0].name is taken.", "severity": "error",
         "details": {"field": "metadata.workbench.cases[0].name"}},
        {"message": "Cell 3 cannot be read.", "severity": "error", "details": {"cell": 3}},
        {"message": "Cell 1 imports x.", "severity": "warning", "details": {}},
    ]  # fmt: skip

    by_field, others = editing.complaints(found)

    assert by_field == {"memory_bytes": "Asks for much.", "cases": "Is taken."}
    assert others == ("Cell 3 cannot be read.",)
