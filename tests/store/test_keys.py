"""Keys are readable to whoever has the master key, and to nobody else."""

import json
import stat

import pytest
from cryptography.fernet import Fernet

from workbench.errors import InvalidRequest, Unavailable
from workbench.store.keys import KEYS, MASTER, Keys

SECRET = "sk-canary-0123456789"


def test_a_key_is_given_back_and_lies_nowhere_in_the_clear(tmp_path):
    Keys(tmp_path).put("openai", SECRET)

    assert Keys(tmp_path).get("openai") == SECRET
    assert Keys(tmp_path).get("other") == ""
    assert Keys(tmp_path).names() == ["openai"]
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_with_a_master_key_from_outside_none_is_in_the_home(tmp_path):
    master = Fernet.generate_key().decode()
    Keys(tmp_path, master=master).put("openai", SECRET)

    assert not (tmp_path / MASTER).exists()
    with pytest.raises(Unavailable, match="master key"):
        Keys(tmp_path, master=Fernet.generate_key().decode()).get("openai")


def test_a_key_set_by_another_process_counts_at_once(tmp_path):
    mine, theirs = Keys(tmp_path), Keys(tmp_path)
    mine.put("openai", "one")
    assert mine.get("openai") == "one"

    theirs.put("openai", "two")

    assert mine.get("openai") == "two"


def test_after_a_rotation_the_old_master_key_opens_nothing(tmp_path):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    Keys(tmp_path, master=old).put("openai", SECRET)

    assert Keys(tmp_path, master=f"{new},{old}").rotate() == 1

    assert Keys(tmp_path, master=new).get("openai") == SECRET
    with pytest.raises(Unavailable):
        Keys(tmp_path, master=old).get("openai")


def test_a_key_can_be_forgotten(tmp_path):
    keys = Keys(tmp_path)
    keys.put("openai", SECRET)

    assert keys.forget("openai")
    assert not keys.forget("openai")
    assert json.loads((tmp_path / KEYS).read_text()) == {}


@pytest.mark.parametrize("wrong", ["", "a\nb", "ä", "x" * 10_001])
def test_what_no_header_could_carry_is_no_key(tmp_path, wrong):
    with pytest.raises(InvalidRequest):
        Keys(tmp_path).put("openai", wrong)


@pytest.mark.parametrize("content", ["", "[", "7"])
def test_a_damaged_file_is_said(tmp_path, content):
    (tmp_path / KEYS).write_text(content)

    with pytest.raises(Unavailable, match="cannot be read"):
        Keys(tmp_path).get("openai")


def test_a_master_key_that_is_none_is_said(tmp_path):
    with pytest.raises(Unavailable, match="master key is none"):
        Keys(tmp_path, master="short").put("openai", SECRET)
