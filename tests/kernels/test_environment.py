"""A kernel put up apart inherits what is listed, and its folders are its own."""

from workbench.kernels.environment import apart, at_home


def test_only_what_is_listed_is_inherited(tmp_path):
    inherited = {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "Europe/Berlin",
        "HOME": "/root",
        "WORKBENCH_TOKEN": "secret",
        "WORKBENCH_HOME": "/secret",
        "OPENAI_API_KEY": "secret",
        "JPY_PARENT_PID": "1",
        "PYTHONPATH": "/elsewhere",
        "LD_PRELOAD": "/evil.so",
    }

    house = apart(work=tmp_path / "w", cache=tmp_path / "c", inherited=inherited)()

    assert house.environment == {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "Europe/Berlin",
        "PYTHONUTF8": "1",
        "HOME": str(house.folder),
        "TMPDIR": str(house.root / "tmp"),
        "IPYTHONDIR": str(house.root / "ipython"),
        "XDG_CACHE_HOME": str(tmp_path / "c"),
        "MPLCONFIGDIR": str(tmp_path / "c" / "matplotlib"),
    }


def test_every_house_is_new_private_and_cleared(tmp_path):
    housing = apart(work=tmp_path / "w", cache=tmp_path / "c", inherited={})
    one, two = housing(), housing()
    (one.folder / "locked").mkdir()
    (one.folder / "locked" / "file").touch()
    (one.folder / "locked").chmod(0)

    assert one.folder != two.folder
    assert one.root.stat().st_mode & 0o777 == 0o700
    one.clear()
    one.clear()
    two.clear()
    assert list((tmp_path / "w").iterdir()) == []


def test_at_home_everything_is_inherited_but_what_is_ours_and_nothing_is_cleared(tmp_path):
    inherited = {"HOME": "/me", "OPENAI_API_KEY": "mine", "WORKBENCH_TOKEN": "secret"}

    house = at_home(folder=tmp_path, inherited=inherited)()

    assert house.environment == {"HOME": "/me", "OPENAI_API_KEY": "mine"}
    assert house.folder == tmp_path
    house.clear()
    assert tmp_path.exists()
