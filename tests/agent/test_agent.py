"""What an agent's notebook imports is light, and works where there is no workbench."""

import subprocess
import sys

import pytest

from workbench import agent
from workbench.agent import speech


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setattr(speech, "_situation", speech.Situation(folder=tmp_path))


def test_outside_a_run_there_is_no_run_and_no_test():
    assert agent.run_id == ""
    assert agent.test is False
    assert agent.has_result() is False


def test_in_plain_python_a_result_is_printed_and_may_be_given_again(capsys):
    agent.result({"city": "Köln"})
    agent.result([1])

    assert capsys.readouterr().out == '{\n  "city": "Köln"\n}\n[\n  1\n]\n'
    assert agent.has_result() is True


def test_in_a_run_there_is_one_result(capsys):
    speech.situation().run_id = "r1"
    agent.result(1)

    with pytest.raises(agent.InvalidResult, match="has a result already"):
        agent.result(2)


def test_a_result_that_is_refused_is_none(capsys):
    with pytest.raises(agent.InvalidResult):
        agent.result({1, 2})

    assert agent.has_result() is False
    assert capsys.readouterr().out == ""


def test_in_plain_python_the_log_and_the_progress_are_printed_apart_from_results(capsys):
    agent.log("warning", "slow", seconds=3)
    agent.progress(0.5, "half way")
    agent.progress(7)

    assert capsys.readouterr() == ("", "WARNING slow seconds=3\n 50% half way\n100%\n")


def test_a_log_has_four_levels():
    with pytest.raises(ValueError, match="debug, info, warning, error"):
        agent.log("loud", "hello")


def test_progress_is_a_number():
    with pytest.raises(ValueError, match="from 0 to 1"):
        agent.progress(float("nan"))


@pytest.mark.parametrize("content", ["text: ä", "text: ä".encode()])
def test_a_file_lies_in_the_working_folder(tmp_path, content):
    path = agent.file("reports/march.txt", content)

    assert path == tmp_path / "reports/march.txt"
    assert path.read_text(encoding="utf-8") == "text: ä"


def test_a_file_can_be_copied_from_a_path_and_from_itself(tmp_path):
    source = tmp_path / "plot.png"
    source.write_bytes(b"\x89PNG")

    assert agent.file("copy.png", source).read_bytes() == b"\x89PNG"
    assert agent.file("plot.png", source).read_bytes() == b"\x89PNG"


@pytest.mark.parametrize("name", ["", ".", "/etc/passwd", "../up", "a/../../b", "nul\0"])
def test_a_file_stays_in_the_working_folder(name):
    with pytest.raises(ValueError, match="relative path"):
        agent.file(name, "text")


def test_the_public_names_are_these():
    said = "chat call file has_result log progress result run_id test tool"
    kinds = "Chat InvalidResult Skill Tool"
    errors = "BudgetExceeded CallFailed ModelError NotApproved StepsExceeded"
    assert set(agent.__all__) == {*said.split(), *kinds.split(), *errors.split()}
    with pytest.raises(AttributeError, match="tset"):
        agent.tset  # noqa: B018


def test_importing_it_brings_in_nothing_but_pythons_own_library():
    code = (
        "import sys; before = set(sys.modules)\n"
        "from workbench import agent\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - sys.stdlib_module_names))"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert said == "['workbench']\n"
