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
@pytest.mark.timeout(300)  # six runs of real models and two gateways, on whatever machine
def test_it_shows_an_answer_and_stays_until_told_to_end_or_ends_at_once(start, ask, home):
    staying = start("demo", "--port", 0, "--home", home)
    shown = []
    for line in staying.stdout:
        shown.append(line)
        if "Ctrl-C" in line:
            break
    assert any(line.startswith("gateway: http://127.0.0.1:") for line in shown)
    assert any("curl -H" in line for line in shown)
    assert staying.poll() is None
    staying.send_signal(signal.SIGINT)
    assert staying.wait(60) == 0

    leaving = start("demo", "--demo-only", "--home", home)
    out, said = leaving.communicate(timeout=120)
    assert leaving.returncode == 0, said
    assert "nothing has changed" in out

    assert len(ask("runs", "list", "--home", home, "--json").json["items"]) == 2
    agents = ask("agents", "list", "--home", home, "--json").json["items"]
    assert [a["current_version"] for a in agents] == ["1.0.0"] * len(agents)
    assert len(agents) >= 3


@pytest.mark.gateway
def test_it_does_not_lean_on_somebody_elses_gateway(start, owned):
    process = start("demo", "--demo-only", "--home", owned)

    _, said = process.communicate(timeout=60)

    assert process.returncode == 3
    assert "in use" in said
