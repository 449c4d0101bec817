"""What every test may lean on."""

from __future__ import annotations

import json
import os
import signal

import hypothesis
import pytest

import workbench.notebook  # noqa: F401 - its cure for a slow import comes before nbformat's
from workbench.domain.access import Principal, Role

# How long one example takes says something about the machine, not about the law under test.
hypothesis.settings.register_profile("workbench", deadline=None)
hypothesis.settings.load_profile("workbench")

# What cells import they import themselves: no template is made twice for a gateway of one test.
os.environ.setdefault("WORKBENCH_PRELOAD", "")

# A shell starts what runs in its background deaf to Ctrl-C, and all its children with it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def as_notebook(*cells, **metadata):
    """A notebook of code cells, each `(source, tag…)` or just its source, as plain values."""
    written = [cell if isinstance(cell, tuple) else (cell,) for cell in cells]
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": list(tags)} if tags else {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, (source, *tags) in enumerate(written)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "workbench": metadata,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.fixture
def notebook():
    """The builder of small notebooks."""
    return as_notebook


@pytest.fixture
def written(tmp_path):
    """Writes a small notebook to a file and gives the path."""

    def write(name, *cells, **metadata):
        path = tmp_path / name
        path.write_text(json.dumps(as_notebook(*cells, **metadata)))
        return path

    return write


@pytest.fixture
def ada():
    return Principal(user="ada", role=Role.AUTHOR)


@pytest.fixture
def bob():
    return Principal(user="bob", role=Role.AUTHOR)


@pytest.fixture
def admin():
    return Principal(user="admin", role=Role.ADMIN)
