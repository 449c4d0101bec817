"""Every command ends with a number and, if it was asked for, one object that says how it went."""

import click
import pytest

from workbench import __version__
from workbench.cli.main import main
from workbench.cli.outcomes import code_of, code_of_run
from workbench.domain.runs import Reason
from workbench.errors import (
    AgentNotFound,
    ChecksFailed,
    HomeInUse,
    IllegalMove,
    InvalidInput,
    ResourceExhausted,
    Unauthenticated,
    WorkbenchError,
)


def commands(group=main, path=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())


def test_the_commands_are_those_of_the_contract():
    assert {" ".join(path) for path in COMMANDS} == {
        "up",
        "serve",
        "run",
        "demo",
        "doctor",
        "rebuild",
        "backup",
        "restore",
        *(
            f"agents {verb}"
            for verb in ("add", "new", "validate", "list", "show", "publish", "delete")
        ),
        *(f"runs {verb}" for verb in ("list", "show", "logs", "cancel", "notebook")),
        *(f"models {verb}" for verb in ("list", "key", "rotate", "record", "usage")),
        *(f"token {verb}" for verb in ("create", "list", "revoke")),
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(ask, path):
    answer = ask(*path, "--help")

    assert answer.code == 0
    assert answer.out.startswith("Usage: ")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_can_come_from_the_environment_and_has_help(path):
    for option in COMMANDS[path].params:
        if isinstance(option, click.Option):
            long = next(name for name in option.opts if name.startswith("--"))
            assert option.envvar == "WORKBENCH_" + long[2:].replace("-", "_").upper()
            assert option.help


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_about_a_home(path):
    assert "home" in {option.name for option in COMMANDS[path].params}


@pytest.mark.parametrize(
    "path", [p for p in COMMANDS if p[0] not in ("up", "serve", "demo")], ids=" ".join
)
def test_every_command_that_ends_can_answer_in_json(path):
    assert "as_json" in {option.name for option in COMMANDS[path].params}


def test_the_version_is_told(ask):
    assert ask("--version").out == f"workbench {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("run",),
        ("run", "a.ipynb", "--nonsense"),
        ("run", "a.ipynb", "-p", "x"),
        ("agents",),
        ("runs", "list", "--status", "nonsense"),
        ("runs", "list", "--limit", "0"),
        ("runs", "list", "--limit", "201"),
        ("runs", "notebook", "x"),
        ("serve", "--port", "65536"),
        ("token", "create", "x", "--role", "king"),
        ("token", "create", "x", "--days", "soon"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_understood_is_a_wrong_request(ask, arguments):
    assert ask(*arguments).code == 2


def test_what_cannot_be_understood_is_said_in_json_too(ask):
    answer = ask("run", "--json")

    assert answer.code == 2
    assert answer.json["error"]["code"] == "InvalidRequest"
    assert "TARGET" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("name", "value"), [("WORKBENCH_PORT", "many"), ("WORKBENCH_RUNS_AT_ONCE", "0")]
)
def test_a_setting_that_makes_no_sense_is_a_wrong_request(ask, home, name, value):
    answer = ask("serve", "--home", home, env={name: value})

    assert answer.code == 2
    assert value in answer.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("x"), 2),
        (AgentNotFound("x"), 2),
        (Unauthenticated("x"), 2),
        (IllegalMove("x"), 2),
        (ChecksFailed("x"), 1),
        (HomeInUse("x"), 3),
        (ResourceExhausted("x"), 3),
        (WorkbenchError("x"), 3),
    ],
    ids=lambda value: getattr(value, "code", value),
)
def test_an_error_decides_how_a_command_ends(error, code):
    assert code_of(error) == code


@pytest.mark.parametrize("reason", Reason)
def test_a_run_that_did_not_complete_never_ends_well(reason):
    code = code_of_run({"status": "failed", "reason": reason})

    assert code == (
        3
        if reason
        in (
            Reason.KERNEL_START_FAILED,
            Reason.GATEWAY_RESTARTED,
            Reason.INTERNAL_ERROR,
            Reason.ISOLATION_UNAVAILABLE,
        )
        else 1
    )


def test_a_home_that_is_a_file_is_refused(ask, elsewhere):
    (elsewhere / "file").write_text("x")

    assert ask("agents", "list", "--home", elsewhere / "file").code == 2


def test_the_home_comes_from_the_environment(ask, home):
    assert ask("agents", "list", env={"WORKBENCH_HOME": str(home)}).code == 0
    assert (home / "journal").is_dir()


def test_an_option_wins_over_the_environment(ask, home, tmp_path):
    other = tmp_path / "other"

    ask("agents", "list", "--home", home, env={"WORKBENCH_HOME": str(other)})

    assert home.is_dir()
    assert not other.exists()


def test_a_failure_of_our_own_is_neither_the_runs_nor_the_askers(ask, home):
    home.mkdir()
    (home / "journal").write_text("a file where a folder belongs")

    answer = ask("agents", "list", "--home", home, "--json")

    assert answer.code == 3
    assert set(answer.json) == {"error"}
    assert "Traceback" not in answer.out
