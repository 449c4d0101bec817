"""The example agents pass their own cases, answer from real data, and are kept without outputs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import nbformat
import pytest

from workbench.app import ADMINISTRATOR, App
from workbench.domain.runs import RunStatus
from workbench.gateway.brokerage import Brokerage
from workbench.gateway.front import Front
from workbench.gateway.identity import Identity
from workbench.gateway.metering import Metering
from workbench.services.authoring import Proposal
from workbench.services.running import Order
from workbench.settings import Settings

AGENTS = Path(__file__).parents[2] / "notebooks" / "agents"
NOTEBOOKS = sorted(AGENTS.glob("*.ipynb"))

# What an independent reading of the same tables gives.
ANSWERS = {
    "car-mileage": ({"model": "forest", "folds": 4}, {"cars": 392, "model": "forest"}),
    "car-question": ({}, {"rows_seen": 3, "steps": 2}),
    "employment-shift": (
        {"before": "2006-01", "after": "2015-12"},
        {"jobs_change": 7_643_000, "table": "shift.csv"},
    ),
    "seattle-weather": ({"year": 2012}, {"days": 366, "rain_mm": 1226.0}),
}


def test_every_example_is_tried_here():
    assert {path.stem for path in NOTEBOOKS} == set(ANSWERS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_example_is_kept_without_outputs_and_with_ids_that_say_something(path):
    cells = json.loads(path.read_text())["cells"]

    ids = [cell["id"] for cell in cells]
    assert len(set(ids)) == len(ids)
    assert all(len(cell_id) > 3 and not cell_id.isdigit() for cell_id in ids)
    for cell in cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.kernel
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_example_is_published_by_its_cases_and_answers(path, tmp_path):
    parameters, expected = ANSWERS[path.stem]

    async def story():
        settings = Settings(home=tmp_path / "home", ready_kernels=1)
        brokerage = Brokerage()
        async with await App.open(settings, door=brokerage.door) as app:
            identity = Identity(app.admitting, app.lending)
            brokerage.serve(Front(app=app, identity=identity, metering=Metering()))
            proposal = Proposal(name=path.stem, notebook=path.read_bytes())
            agent = await app.authoring.create(ADMINISTRATOR, proposal)
            for file in sorted(path.with_suffix("").glob("*")):
                agent = await app.authoring.attach(
                    ADMINISTRATOR, agent, file.name, file.read_bytes()
                )
            await app.publishing.publish(ADMINISTRATOR, agent)
            agent = await app.authoring.get(ADMINISTRATOR, "admin", path.stem)
            run = await app.running.accept(ADMINISTRATOR, agent, Order(parameters=parameters))
            run = await app.running.get(ADMINISTRATOR, run.id, wait_seconds=None)
            files = await app.running.files(ADMINISTRATOR, run.id)
            notebook = json.loads(await app.running.notebook(ADMINISTRATOR, run.id))
            await brokerage.close()
            return run, [file.path for file in files], notebook

    run, files, notebook = asyncio.run(story())

    nbformat.validate(notebook)
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert {key: run.result[key] for key in expected} == expected
    assert files == (["shift.csv"] if path.stem == "employment-shift" else [])
    shown = {
        media
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        for media in output.get("data", ())
    }
    assert "application/vnd.workbench.result+json" in shown
    assert ("image/png" in shown) == (path.stem == "seattle-weather")
