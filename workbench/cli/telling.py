"""What a person reads of an agent that was written for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.cli.printing import line, remark


def generation(view: Mapping[str, Any]) -> None:
    """Print what has become of a description: the draft, the rounds, and what is left to do."""
    if view["source"] == "starter":
        remark("No language model is set up: a starter was filled in. See docs/models.md.")
    for each in view["rounds"]:
        changed = ", ".join(f"{one['change']} {one['id']}" for one in each["changes"])
        remark(f"round {each['number']}: {changed}")
        for problem in each["problems"]:
            remark(f"  {problem['message']}")
    verified = "its cases pass" if view["verified"] else "NOT VERIFIED: look at what is wrong"
    line(f"{view['agent']}: kept as a draft; {verified}.")
    if view["error"] is not None:
        remark(f"  {view['error']['message']}")
    if view["calls"]:
        cost = "an unknown price" if view["cost_usd"] is None else f"${view['cost_usd']:.4f}"
        remark(f"{view['calls']} questions to a language model for {cost}.")
    remark(f"Read it, then: workbench agents publish {view['agent']}")
