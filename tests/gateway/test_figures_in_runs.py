"""What an agent draws is in its executed notebook, though kernels are forked with matplotlib loaded."""

import json

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

DRAWER = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"


def test_a_figure_that_is_shown_is_kept_as_a_picture(gateway):
    gateway.add("drawer", DRAWER)
    run = gateway.wait(gateway.ask("POST", "/agents/admin/drawer/runs", {}).json["id"])

    notebook = json.loads(gateway.ask("GET", f"/runs/{run['id']}/notebook").body)

    shown = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in shown)
