"""A file is written whole or not at all, and what cannot be written is known beforehand."""

import json
import os
import stat
from pathlib import Path

import pytest

from workbench.cli.paper import check_writable, read_draft, read_file, read_notebook, write_whole
from workbench.errors import InvalidAgentConfig, InvalidRequest, NotFound, Unavailable


def test_a_file_takes_the_place_of_the_one_before(elsewhere):
    path = elsewhere / "out.ipynb"
    path.write_bytes(b"before")

    write_whole(path, b"after")

    assert path.read_bytes() == b"after"
    assert os.listdir(elsewhere) == ["out.ipynb"]


def test_who_reads_the_file_before_keeps_reading_it(elsewhere):
    path = elsewhere / "out.ipynb"
    path.write_bytes(b"before")

    with path.open("rb") as reader:
        write_whole(path, b"after")

        assert reader.read() == b"before"


def test_a_link_stays_a_link(elsewhere):
    real, link = elsewhere / "real.ipynb", elsewhere / "link.ipynb"
    real.write_bytes(b"before")
    link.symlink_to(real)

    write_whole(link, b"after")

    assert link.is_symlink()
    assert real.read_bytes() == b"after"


def test_a_device_stays_a_device(elsewhere):
    device = elsewhere / "null"
    device.symlink_to("/dev/null")

    write_whole(device, b"gone")

    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_what_the_disk_refuses_leaves_nothing_behind(elsewhere):
    (elsewhere / "folder").mkdir()

    with pytest.raises(Unavailable, match="could not be written"):
        write_whole(elsewhere / "folder", b"x")

    assert os.listdir(elsewhere) == ["folder"]


@pytest.mark.parametrize("path", ["missing/out.ipynb", ".", "file/out.ipynb"])
def test_a_place_that_cannot_be_written_is_refused_beforehand(elsewhere, path):
    (elsewhere / "file").write_text("x")

    with pytest.raises(InvalidRequest, match="cannot be written"):
        check_writable(elsewhere / path)


def test_a_missing_file_is_not_found():
    with pytest.raises(NotFound, match=r"no file gone\.ipynb"):
        read_file(Path("gone.ipynb"))


def test_a_folder_cannot_be_read_as_a_notebook(elsewhere):
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_notebook(elsewhere)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cells": []}', b"\xff\xfe"])
def test_a_file_that_is_no_notebook_is_refused(elsewhere, content):
    path = elsewhere / "broken.ipynb"
    path.write_bytes(content)

    with pytest.raises(InvalidAgentConfig):
        read_notebook(path)


def test_source_that_is_no_text_is_refused(elsewhere):
    path = elsewhere / "a.py"
    path.write_bytes(b"x = '\xff'")

    with pytest.raises(InvalidRequest, match="UTF-8"):
        read_notebook(path)


def test_a_draft_is_what_the_author_wrote_without_what_it_put_out(elsewhere, notebook):
    document = notebook("print(1)")
    document["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    path = elsewhere / "a.ipynb"
    path.write_text(json.dumps(document))

    assert json.loads(read_notebook(path))["cells"][0]["outputs"] != []
    assert json.loads(read_draft(path))["cells"][0]["outputs"] == []
