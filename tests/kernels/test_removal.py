"""Whatever was built is removed, and nothing else is."""

import os

from workbench.kernels.removal import remove


def test_a_tree_deeper_than_python_can_call_itself_is_removed(tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    place = os.open(folder, os.O_RDONLY)
    for _ in range(1_200):
        os.mkdir("d", dir_fd=place)
        os.mkdir("e", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)

    remove(folder)

    assert not folder.exists()


def test_what_was_locked_is_removed_and_what_links_lead_to_is_not(tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    (folder / "a" / "b").mkdir(parents=True)
    outside.mkdir()
    (outside / "file").touch()
    outside.chmod(0o500)
    (folder / "a" / "b" / "file").touch()
    (folder / "a" / "link").symlink_to(outside)
    (folder / "link").symlink_to(outside)
    (folder / "a" / "b").chmod(0)
    (folder / "a").chmod(0)
    folder.chmod(0)

    remove(folder)

    assert not folder.exists()
    assert (outside / "file").exists()
    assert outside.stat().st_mode & 0o777 == 0o500


def test_what_is_no_folder_or_not_there_is_left_alone(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").touch()

    for name in ("link", "file", "none"):
        remove(tmp_path / name)

    assert sorted(os.listdir(tmp_path)) == ["file", "link", "real"]
