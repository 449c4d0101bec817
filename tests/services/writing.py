"""What a scripted model writes, and kernels that end as they are told."""

from dataclasses import replace

from workbench.domain.runs import Reason, RunStatus
from workbench.kernels import Outcome
from workbench.services.drafting import Wish
from workbench.testing import InstantExecutor

PLAN = {
    "title": "Doubles",
    "description": "Doubles a number.",
    "result": "the double",
    "parameters": [{"name": "n", "type": "int", "default_json": "2", "help": "what to double"}],
    "steps": [{"title": "Double", "purpose": ""}],
    "tools": [],
    "cases": [{"name": "three", "parameters_json": '{"n": 3}', "expect_json": "6"}],
}
RESULT = "from workbench import agent\n\nagent.result(doubled)"
WISH = Wish(agent_name="doubler", description="Double a number")


def cells(first="doubled = n * 2"):
    return {"cells": [{"kind": "code", "source": source} for source in (first, RESULT)]}


def repair(source="", *, give_up=False, id="cell-1"):
    edit = {"action": "replace", "id": id, "kind": "code", "source": source}
    return {"diagnosis": "as it was", "give_up": give_up, "edits": [edit] if source else []}


def following(plan=PLAN, written=None, repaired=None):
    """The settings of a scripted model that answers so; text is what it is, the rest is JSON."""
    said = [
        ("Plan an agent", plan),
        ("Write the cells", cells() if written is None else written),
        ("Repair these", repair(give_up=True) if repaired is None else repaired),
    ]
    return {
        "script": [
            {
                "when": {"last_user": words},
                "reply": {"text": each} if isinstance(each, str) else {"json": each},
            }
            for words, each in said
        ]
    }


class Deciding(InstantExecutor):
    """An executor whose every run ends as `outcome` says, once that is known."""

    outcome = None

    async def execute(self, task, **more):
        usual = await super().execute(task, **more)
        return replace(self.outcome, notebook=task.notebook) if self.outcome else usual


def completed(value):
    return Outcome(notebook=b"{}", status=RunStatus.COMPLETED, result=value)


def stopped(reason=Reason.AGENT_ERROR):
    return Outcome(notebook=b"{}", status=RunStatus.FAILED, reason=reason, error={"message": "no"})
