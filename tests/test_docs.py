"""The README tells the truth: every route, setting and command in it is real, and none is missing."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from workbench.cli.main import main
from workbench.gateway.routes import ROUTES
from workbench.llm.briefs import read_plan
from workbench.llm.configuration import read_catalogue
from workbench.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def table_after(heading):
    """The first cells of the rows of the table below *heading*."""
    section = README.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (.+?) \|", section, flags=re.MULTILINE)
    return [row for row in rows if not row.startswith("---")][1:]


def test_every_route_is_documented_and_every_documented_route_exists():
    documented = [row.strip("`") for row in table_after("HTTP")]

    assert documented == [f"{route.method} {route.path}" for route in ROUTES]


def test_every_setting_is_documented_with_its_default():
    assert [row.strip("`") for row in table_after("Settings")] == [f.name for f in fields(Settings)]


def test_every_command_is_documented():
    text = "\n".join(table_after("The command line"))

    for name, command in main.commands.items():
        assert f"workbench {name}" in text
        for inner in getattr(command, "commands", ()):
            assert f"`{inner}`" in text or f"workbench {name} {inner}" in text


def test_every_documented_option_exists():
    known = {"--help"}
    for command in main.commands.values():
        for one in (command, *getattr(command, "commands", {}).values()):
            known |= {text for option in one.params for text in option.opts}

    section = README.split("## The command line", 1)[1].split("\n## HTTP", 1)[0]
    theirs = {"--engine"}  # papermill's
    assert set(re.findall(r"--[a-z][a-z-]+", section)) - theirs <= known


def test_the_models_that_are_set_up_as_an_example_are_found_where_they_are():
    text = (ROOT / "docs" / "models.md").read_text()
    scripted, first, others = (
        read_catalogue(tomllib.loads(block)["models"])
        for block in re.findall(r"```toml\n(.+?)```", text, flags=re.DOTALL)
    )

    def asked(catalogue, name):
        upstream, model = catalogue.find(name)
        return upstream.name, model

    assert read_plan(scripted.script[0]["reply"]["json"]).title == "Doubles"
    assert asked(first, "default") == ("openai", "gpt-5.4-mini")
    assert asked(first, "small") == ("local", "llama3.2:3b")
    assert asked(others, "gpt-5.4-mini") == ("azure", "our-deployment")
    assert asked(others, "our-other-deployment") == ("azure-v1", "our-other-deployment")
    assert asked(others, "qwen3:8b") == ("ollama", "qwen3:8b")
    assert asked(others, "Qwen/Qwen3-8B") == ("vllm", "Qwen/Qwen3-8B")
    assert asked(others, "anything") == ("proxy", "anything")
    assert others.upstreams[2].url == "http://127.0.0.1:11434/v1"


def test_what_the_readme_points_at_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


@pytest.mark.gateway
@pytest.mark.kernel
def test_the_tour_works_pasted_line_by_line(tmp_path):
    blocks = re.findall(r"<!-- tour -->\n```sh\n(.+?)```", README, flags=re.DOTALL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = "set -e\nshopt -s expand_aliases\n" + "\n".join(blocks).replace("8890", str(port))
    script = script.replace("workbench ", f"{sys.executable} -m workbench ").replace(
        "-o run.ipynb", f"-o {tmp_path}/run.ipynb"
    )
    tour = subprocess.Popen(
        ["bash", "-c", script],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = tour.communicate(timeout=100)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tour.pid, signal.SIGKILL)

    assert '{"message": "Hello, World"}' in printed, printed
    assert "event: run.completed" in printed
    assert '"mean_absolute_error"' in printed
    assert (tmp_path / "run.ipynb").exists()
    assert '{"error"' not in printed
