"""The demonstration adds the example agents, asks one of them, and shows what came back."""

import json
import signal

import pytest

from workbench.cli.demo import examples
from workbench.errors import Unavailable


def test_what_is_in_the_folder_of_its_name_travels_with_an_example(elsewhere, notebook):
    (elsewhere / "prices.ipynb").write_text(json.dumps(notebook("1")))
    (elsewhere / "prices" / "data").mkdir(parents=True)
    (elsewhere / "prices" / "data" / "table.csv").write_text("1,2")
    (elsewhere / "other.csv").write_text("3")

    (found,) = examples(elsewhere)

    assert found.name == "prices"
    assert found.files == {"data/table.csv": b"1,2"}


def test_a_workbench_without_examples_says_so(elsewhere):
    with pytest.raises(Unavailable, match="missing"):
        examples(elsewhere)


@pytest.mark.kernel
@pytest.mark.gateway
def test_it_ends_well_once_the_example_has_answered_and_again(start, ask, home):
    for times in (1, 2):
        process = start("demo", "--demo-only", "--home", home)

        out, said = process.communicate(timeout=110)

        assert process.returncode == 0, said
        assert "gateway: http://127.0.0.1:" in out
        assert "curl -H" in out
        assert len(ask("runs", "list", "--home", home, "--json").json["items"]) == times
    agents = ask("agents", "list", "--home", home, "--json").json["items"]
    assert [a["current_version"] for a in agents] == ["1.0.0"] * len(agents)
    assert len(agents) >= 3


@pytest.mark.kernel
@pytest.mark.gateway
def test_otherwise_it_stays_until_it_is_told_to_end(start, home):
    process = start("demo", "--port", 0, "--home", home)
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    assert process.poll() is None

    process.send_signal(signal.SIGINT)

    assert process.wait(60) == 0


@pytest.mark.gateway
def test_it_does_not_lean_on_somebody_elses_gateway(start, owned):
    process = start("demo", "--demo-only", "--home", owned)

    _, said = process.communicate(timeout=60)

    assert process.returncode == 3
    assert "in use" in said
