"""Making a notebook on disk an agent, or the new draft of the agent it is already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.cli.desk import Desk, View
from workbench.cli.targets import FIRST_USER, Address
from workbench.errors import DuplicateAgentName


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What has become of a notebook.

    Attributes:
        agent: The agent as it stands now.
        created: Whether it was not there before.
        changed: Whether its draft is another one than before.
    """

    agent: View
    created: bool
    changed: bool

    @property
    def address(self) -> Address:
        """Where the agent is found."""
        return Address(owner=self.agent["owner"], name=self.agent["agent_name"])


def add(desk: Desk, name: str, notebook: bytes, *, files: Mapping[str, bytes]) -> Added:
    """Add the notebook with its files; doing so twice is doing so once.

    Raises:
        InvalidAgentConfig: It cannot be an agent.
    """
    address = Address(owner=FIRST_USER, name=name)
    before: View | None = None
    try:
        agent = desk.create(name, notebook)
    except DuplicateAgentName:
        before = desk.agent(address)
        agent = desk.save(address, notebook)
    for path in sorted(files):
        agent = desk.attach(address, path, files[path])
    changed = before is None or _draft(before) != _draft(agent)
    return Added(agent=agent, created=before is None, changed=changed)


def publish(desk: Desk, added: Added, *, force: bool) -> str | None:
    """The number under which the draft was published; None if it is what callers get already.

    Raises:
        ChecksFailed: A case failed, so it was not published; the draft stays.
    """
    if added.agent["current_version"] is not None and not added.agent["draft_differs"]:
        return None
    version = desk.publish(added.address, version=None, changelog="", force=force)
    return str(version["version"])


def _draft(agent: View) -> tuple[object, object]:
    return agent["etag"], agent["files"]
