"""Importing the notebook floor costs nothing; its modules spare themselves what they do not need."""

from __future__ import annotations

import subprocess
import sys

import pytest


def loaded_by(statement, *names):
    """Which modules of *names* a fresh interpreter has loaded after *statement*."""
    program = f"{statement}\nimport sys\nprint(*[n for n in {names!r} if sys.modules.get(n)])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_the_package_itself_imports_nothing():
    assert loaded_by("import workbench.notebook", "nbformat", "jsonschema", "IPython") == []


def test_the_slow_grammars_are_never_loaded():
    program = "import workbench.notebook.document, jsonschema"

    assert loaded_by(program, "nbformat", "rfc3987_syntax", "lark") == ["nbformat"]


@pytest.mark.parametrize("module", ["document", "tags"])
def test_what_runs_notebooks_does_not_load_what_reads_them(module):
    program = f"import workbench.notebook.{module}"

    assert loaded_by(program, "jupytext", "IPython") == []
