"""A message is counted and checked before it is believed."""

import json
import math

import pytest

from workbench.domain.runs import Reason
from workbench.kernels.connection import (
    MAX_DEPTH,
    Connection,
    connection_file,
    make_context,
)
from workbench.kernels.faults import Fault


@pytest.fixture
def connection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    context = make_context(frame_bytes=1000)
    made = Connection.of(connection_file(folder, kernel_name="k"), context=context)
    yield made
    made.close()
    made.close()
    context.destroy(linger=0)


def frames(connection, content, **header):
    header = {"msg_id": "m1", "msg_type": "stream", **header}
    signed = [json.dumps(header).encode(), b'{"msg_id": "p1"}', b"{}", content]
    return [b"topic", b"<IDS|MSG>", connection.session.sign(signed), *signed, b"buffer"]


def test_a_message_is_read(connection):
    raw = frames(connection, b'{"name": "stdout", "text": "hi"}')

    message = connection.read(raw)

    assert (message.type, message.parent) == ("stream", "p1")
    assert message.content == {"name": "stdout", "text": "hi"}
    assert message.buffers == [b"buffer"]
    assert message.size == sum(map(len, raw))
    assert message.weight == len(b'{"name": "stdout", "text": "hi"}') + len(b"buffer")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:2],
        lambda raw: [],
        lambda raw: [b"x"],
        lambda raw: [*raw[:2], b"0" * 64, *raw[3:]],
        lambda raw: [*raw[:6], b"{}"],
    ],
    ids=["short", "empty", "noise", "forged", "changed"],
)
def test_what_is_no_signed_message_is_a_fault(connection, spoil):
    with pytest.raises(Fault) as caught:
        connection.read(spoil(frames(connection, b'{"a": 1}')))

    assert caught.value.reason is Reason.KERNEL_PROTOCOL


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000,
        b'{"a": ' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}",
    ],
    ids=map(str, range(7)),
)
def test_content_that_cannot_be_kept_is_a_fault(connection, content):
    with pytest.raises(Fault):
        connection.read(frames(connection, content))


@pytest.mark.parametrize("header", [{"msg_type": None}, {"msg_type": ["x"]}])
def test_a_message_has_a_type(connection, header):
    with pytest.raises(Fault):
        connection.read(frames(connection, b"{}", **header))


def test_what_json_does_not_have_becomes_what_it_has(connection):
    content = b'{"a": [NaN, Infinity, -Infinity, 1e999, 1e5], "b": "x\\ud83dy\\ud83d\\ude00", "c\\udc00": 1}'

    read = connection.read(frames(connection, content)).content

    assert read["a"] == [None, None, None, None, 1e5]
    assert read["b"] == "x\ufffdy\U0001f600"
    assert all(math.isfinite(n) for n in read["a"] if n is not None)
    json.dumps(read, allow_nan=False, ensure_ascii=False).encode()


def test_bytes_that_are_no_text_are_replaced(connection):
    assert connection.read(frames(connection, b'{"a": "\xff"}')).content == {"a": "\ufffd"}


def test_every_kernel_has_a_key_of_its_own_that_only_we_can_read(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()

    paths = [connection_file(tmp_path / n, kernel_name="k") for n in ("1", "2")]

    keys = {json.loads(path.read_text())["key"] for path in paths}
    assert len(keys) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in paths)


def test_a_folder_that_is_too_long_for_sockets_is_refused_at_once(tmp_path):
    folder = tmp_path / ("x" * 120)
    folder.mkdir()

    with pytest.raises(OSError, match="too long a path for sockets"):
        connection_file(folder, kernel_name="k")
