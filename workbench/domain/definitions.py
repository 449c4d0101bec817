"""A definition: everything a notebook says about the agent it is.

It is read from the notebook once, kept beside the fingerprint of the notebook it was read from,
and from then on nobody opens the document to know what the agent takes, gives or is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from workbench.domain.models import Budget
from workbench.domain.network import Network, Reach, read_hosts
from workbench.domain.parameters import Parameter
from workbench.domain.retries import AT_MOST_ONCE, Retry, retry_from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A test case the agent carries about itself.

    Attributes:
        name: What the case shows.
        parameters: What the test run is given.
        expects: Whether `expected` is to be compared at all.
        expected: What the result must match; see `matches`.
    """

    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    expects: bool = False
    expected: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFile:
    """A file that travels with an agent and lies read-only in the working folder of its runs.

    Attributes:
        path: Relative path with forward slashes; never absolute, never with `..`.
        fingerprint: SHA-256 of the content, in hex.
        size: In bytes.
    """

    path: str
    fingerprint: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a notebook declares.

    Attributes:
        fingerprint: SHA-256, in hex, of the notebook as it is kept.
        description: One paragraph for people.
        parameters: In the order of the `parameters` cell.
        input_schema: JSON Schema of the parameters as one object.
        output_schema: JSON Schema of the result; None allows any.
        cases: The agent's own test cases.
        timeout_seconds: How long the whole run may take; None leaves it to the server.
        limits: What it asks for otherwise than the server's defaults, by the names of `Limits`.
        network: `none`, unless the notebook asks for more.
        hosts: What it may reach if its network is an allow-list: `name` or `name:port`.
        isolation: The least isolation its runs may begin with; empty leaves it to the server.
        retry: How often, and after what, a run is begun again.
        kernel: The kernelspec the notebook names; empty if it names none.
        language: The notebook's language, in lower case.
        tags: Words to find the agent by.
        files: What travels with it.
        budget: What one run may spend on language models, as far as the author says.
        shell: Whether language models that it asks may have a shell.
        uses: The agents whose skills and personas it uses: `owner/name`, or `owner/name@version`.
        shared: Those skills and personas, as files, as they were when it was published.
    """

    fingerprint: str
    description: str = ""
    parameters: Sequence[Parameter] = ()
    input_schema: Mapping[str, object] = field(default_factory=dict)
    output_schema: Mapping[str, object] | None = None
    cases: Sequence[Case] = ()
    timeout_seconds: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    network: Network = Network.NONE
    hosts: Sequence[str] = ()
    isolation: str = ""
    retry: Retry = AT_MOST_ONCE
    kernel: str = ""
    language: str = "python"
    tags: Sequence[str] = ()
    files: Sequence[AgentFile] = ()
    budget: Budget = field(default_factory=Budget)
    shell: bool = False
    uses: Sequence[str] = ()
    shared: Sequence[AgentFile] = ()

    @property
    def asked(self) -> Mapping[str, float]:
        """Every limit it asks for, the time of the whole run included."""
        if self.timeout_seconds is None:
            return self.limits
        return {"seconds": self.timeout_seconds, **self.limits}

    @property
    def reach(self) -> Reach:
        """What its runs may reach."""
        return Reach(network=self.network, hosts=read_hosts(self.hosts))

    def as_json(self) -> dict[str, Any]:
        """The definition as plain JSON values; `definition_from_json` reads it back."""
        return asdict(self)


def definition_from_json(value: Mapping[str, Any]) -> Definition:
    """The definition that `Definition.as_json` wrote."""
    nested: dict[str, Any] = {
        "parameters": tuple(Parameter(**p) for p in value["parameters"]),
        "cases": tuple(Case(**c) for c in value["cases"]),
        "files": tuple(AgentFile(**f) for f in value["files"]),
        "tags": tuple(value["tags"]),
        "budget": Budget(**value.get("budget", {})),
        "network": Network(value["network"]),
        "hosts": tuple(value.get("hosts", ())),
        "retry": retry_from_json(value["retry"]),
        "uses": tuple(value.get("uses", ())),
        "shared": tuple(AgentFile(**f) for f in value.get("shared", ())),
    }
    return Definition(**{**value, **nested})


def matches(expected: object, actual: object) -> bool:
    """Whether a result is what a case expects.

    Objects may have more keys than expected; lists must be of the same length and order; numbers
    may differ by one part in a billion; everything else must be equal.
    """
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(
            key in actual and matches(value, actual[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(map(matches, expected, actual))
        )
    if _is_number(expected) and _is_number(actual):
        assert isinstance(expected, int | float) and isinstance(actual, int | float)
        return _is_close(expected, actual)
    return type(expected) is type(actual) and expected == actual


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_close(one: float, other: float) -> bool:
    try:
        return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))
    except OverflowError:
        # Whole numbers may be larger than any float.
        return one == other
