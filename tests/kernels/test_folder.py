"""What a run leaves is taken in without following a link, and only so much of it."""

import os

import pytest

from workbench.domain.limits import Limits
from workbench.domain.runs import Reason
from workbench.kernels.faults import Fault
from workbench.kernels.folder import harvest, place


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


@pytest.fixture
def take_in(work, tmp_path):
    def take(placed=None, **limits):
        return harvest(work, tmp_path / "left", placed=placed or {}, limits=Limits(**limits))

    return take


def test_regular_files_are_moved(work, take_in, tmp_path):
    (work / "a").mkdir()
    (work / "a" / "b.txt").write_text("b")
    (work / "c.txt").write_text("c")
    (work / "c.txt").chmod(0o000)

    assert take_in() == ["a/b.txt", "c.txt"]
    assert (tmp_path / "left/a/b.txt").read_text() == "b"
    assert (tmp_path / "left/c.txt").stat().st_mode & 0o777 == 0o600
    assert not (work / "c.txt").exists()


def test_nothing_but_regular_files_is_taken(work, take_in, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("key")
    (work / "link").symlink_to(secret / "key")
    (work / "folder-link").symlink_to(secret)
    (work / "dangling").symlink_to("/no/such/file")
    os.mkfifo(work / "pipe")
    (work / "folder").mkdir()

    assert take_in() == []
    assert not (tmp_path / "left").exists()


def test_the_homes_own_things_stay(work, take_in):
    (work / ".cache").mkdir()
    (work / ".cache" / "x").touch()
    (work / ".bash_history").touch()
    (work / "sub").mkdir()
    (work / "sub" / ".keep").touch()
    (work / "sub" / "__pycache__").mkdir()
    (work / "sub" / "__pycache__" / "x.pyc").touch()

    assert take_in() == ["sub/.keep"]


def test_a_file_with_other_names_is_copied(work, take_in, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("before")
    os.link(outside, work / "a")

    assert take_in() == ["a"]
    outside.write_text("after")
    assert (tmp_path / "left/a").read_text() == "before"


def test_placed_files_are_left_out_unless_they_were_changed(work, take_in, tmp_path):
    source = tmp_path / "object"
    source.write_text("data")
    placed = place({"in/a.csv": source, "in/b.csv": source, "c.csv": source}, work)
    (work / "in/b.csv").chmod(0o600)
    (work / "in/b.csv").write_text("more data")
    (work / "c.csv").unlink()
    (work / "c.csv").write_text("data")

    assert take_in(placed) == ["c.csv", "in/b.csv"]
    assert source.read_text() == "data"


@pytest.mark.parametrize("name", ["../up", "/etc/x", "a/../../b"])
def test_no_file_is_placed_outside_the_folder(work, tmp_path, name):
    with pytest.raises(ValueError, match="leads out"):
        place({name: tmp_path / "object"}, work)


def deep(work):
    folder = work
    for _ in range(40):
        folder = folder / "d"
    folder.mkdir(parents=True)


def wide(work):
    for n in range(1200):
        (work / str(n)).mkdir()


def many(work):
    for n in range(4):
        (work / str(n)).touch()


def sparse(work):
    with (work / "big").open("wb") as file:
        file.truncate(2**40)


@pytest.mark.parametrize("filled", [deep, wide, many, sparse])
def test_too_much_is_a_fault(work, take_in, filled):
    filled(work)

    with pytest.raises(Fault) as caught:
        take_in(files=3, file_bytes=1000)

    assert caught.value.reason is Reason.DISK_LIMIT


def test_a_name_that_is_no_text_is_made_one(work, take_in):
    with open(os.fsencode(work) + b"/\xff.txt", "w") as file:
        file.write("x")

    assert take_in() == ["?.txt"]


def test_a_folder_that_has_gone_leaves_nothing(work, take_in):
    work.rmdir()

    assert take_in() == []


def test_a_folder_replaced_by_a_link_leaves_nothing(work, take_in, tmp_path):
    work.rmdir()
    work.symlink_to(tmp_path)
    (tmp_path / "secret").touch()

    assert take_in() == []
