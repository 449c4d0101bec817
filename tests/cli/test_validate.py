"""`agents validate` tells everything that is wrong with a file, and needs no home to do so."""

import json

from click.testing import CliRunner

from workbench.cli.main import main


def validate(*arguments):
    return CliRunner().invoke(main, ["agents", "validate", *map(str, arguments)])


def test_a_sound_notebook_is_said_to_be_so(written):
    done = validate(written("sound.ipynb", ("year: int = 2020", "parameters"), "year"))

    assert (done.exit_code, done.stdout) == (0, "valid; parameters: year\n")


def test_all_that_is_wrong_is_told_line_by_line(written):
    path = written("broken.ipynb", "def (", "import no_such_module", "x = = 1", network="maybe")
    done = validate(path)
    lines = done.stdout.splitlines()

    assert done.exit_code == 2
    assert [line.partition(":")[0] for line in lines] == ["error"] * 3 + ["warning", "not valid"]
    assert "Cell 2" in done.stdout and "no_such_module" in done.stdout


def test_programs_get_one_object(written):
    done = validate(written("broken.ipynb", "def ("), "--json")
    said = json.loads(done.stdout)

    assert done.exit_code == 2
    assert said["valid"] is False
    assert said["problems"][0]["details"] == {"cell": 0, "cell_id": "cell-0", "line": 1}


def test_source_and_what_travels_along_are_looked_at_too(tmp_path):
    (tmp_path / "agent.py").write_text("import beside\n")
    (tmp_path / "beside.py").write_text("")

    alone = validate(tmp_path / "agent.py", "--json")
    along = validate(tmp_path / "agent.py", "--with", tmp_path / "beside.py", "--json")

    assert [p["code"] for p in json.loads(alone.stdout)["problems"]] == ["ModuleNotFound"]
    assert (along.exit_code, json.loads(along.stdout)["problems"]) == (0, [])


def test_what_is_not_there_is_said(tmp_path):
    done = validate(tmp_path / "nothing.ipynb")

    assert done.exit_code == 2 and "There is no file" in done.stderr


def test_what_is_no_notebook_is_a_problem_and_no_crash(tmp_path):
    (tmp_path / "x.ipynb").write_bytes(b"\xff\xfe")
    done = validate(tmp_path / "x.ipynb")

    assert done.exit_code == 2 and "not valid" in done.stdout


def test_nothing_is_left_behind(written, tmp_path):
    path = written("sound.ipynb", "1")
    before = {p for p in tmp_path.rglob("*")}
    validate(path, "--home", tmp_path / "home")

    assert {p for p in tmp_path.rglob("*")} == before
