"""Skills and personas: what a model can do and who it is, kept beside the notebook by name.

    personas/brief.md            who it shall be, in its own words
    skills/report/SKILL.md       what it shall know: a head with name and description, then words
    skills/report/tools.py       the tools that go with it

They are files of the agent: part of its version, and read from the run's folder.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.agent.speech import situation

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Skill:
    """Tools by the name of what they are good for, with what a model must know to use them.

    Attributes:
        name: What it is called.
        instructions: What the model is told.
        tools: Tools, functions, names of the toolbox's, or lists of them.
        description: One sentence for people.
    """

    name: str
    instructions: str
    tools: Sequence[Any] = ()
    description: str = ""

    @property
    def told(self) -> str:
        """The skill as a model is told of it."""
        return f"# {self.name}\n\n{self.instructions}".rstrip()


def skill(name: str) -> Skill:
    """The skill of that name, as it lies beside the notebook.

    Its head may say `tools: files, web` for tools of the toolbox; those in its `tools.py` come
    besides.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It cannot be called so.
    """
    folder = situation().folder / "skills" / _checked(name)
    head, instructions = _split(_read(folder / "SKILL.md", f"skill {name!r}"))
    known = [word.strip(" []\"'") for word in head.get("tools", "").split(",")]
    tools: list[Any] = [word for word in known if word]
    if (code := folder / "tools.py").exists():
        tools += _tools_of(code, f"workbench_skill_{name}")
    return Skill(
        name=head.get("name", name),
        instructions=instructions,
        tools=tuple(tools),
        description=head.get("description", ""),
    )


def persona(name: str) -> str:
    """What the persona of that name is told of itself.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It cannot be called so.
    """
    path = situation().folder / "personas" / f"{_checked(name)}.md"
    return _split(_read(path, f"persona {name!r}"))[1]


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r:.80} names no skill or persona: use a-z, 0-9, _ and -.")
    return name


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no {what} here: {path.relative_to(situation().folder)} is missing."
            " It must travel with the agent, or with one that its metadata says it uses."
        ) from None


def _split(text: str) -> tuple[Mapping[str, str], str]:
    """The head between lines of `---`, if there is one, and the words below it."""
    lines = text.lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---" or "---" not in map(str.strip, lines[1:]):
        return {}, text.strip()
    end = 1 + [line.strip() for line in lines[1:]].index("---")
    pairs = (line.partition(":") for line in lines[1:end] if ":" in line)
    head = {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}
    return head, "\n".join(lines[end + 1 :]).strip()


def _tools_of(code: Path, called: str) -> list[Any]:
    # Weight: only skills with tools need it.
    from importlib.util import module_from_spec, spec_from_file_location

    from workbench.agent.tools import Tool

    spec = spec_from_file_location(called, code)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[called] = module
    spec.loader.exec_module(module)
    return [value for value in vars(module).values() if isinstance(value, Tool)]
