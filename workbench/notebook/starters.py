"""The notebook a new agent begins with when nobody brought one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.notebook.document import NotebookNode, code_cell, markdown_cell, node
from workbench.notebook.tags import PARAMETERS


def starter(name: str, description: str) -> NotebookNode:
    """A notebook that runs as it is and shows where everything goes."""
    about = description or "Say here what this agent does; it becomes its description."
    cells = [
        markdown_cell(f"# {name}\n\n{about}", id="title"),
        code_cell(
            'name: str = "world"  # whom to greet\ntest: bool = False',
            id="parameters",
            tags=[PARAMETERS],
        ),
        code_cell(
            'from workbench import agent\n\nagent.result({"greeting": f"Hello, {name}!"})',
            id="result",
        ),
    ]
    return agent_notebook(cells)


def agent_notebook(
    cells: Sequence[NotebookNode], said: Mapping[str, object] | None = None
) -> NotebookNode:
    """A notebook of *cells* in Python that says *said* of itself, if anything."""
    metadata: dict[str, object] = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    if said:
        metadata["workbench"] = dict(said)
    return node(cells=list(cells), metadata=metadata, nbformat=4, nbformat_minor=5)
