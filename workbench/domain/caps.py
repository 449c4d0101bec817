"""Caps: the most that an agent may ask for, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from workbench.domain.definitions import Definition
from workbench.domain.limits import Limits
from workbench.domain.network import Network
from workbench.errors import InvalidAgentConfig

SETTINGS: Mapping[str, str] = {
    "seconds": "longest_run_seconds",
    "cpu_seconds": "most_cpu_seconds",
    "memory_bytes": "most_memory_bytes",
    "processes": "most_processes",
    "open_files": "most_open_files",
    "file_bytes": "most_file_bytes",
    "folder_bytes": "most_folder_bytes",
    # Both are memory.
    "scratch_bytes": "most_memory_bytes",
    "shared_memory_bytes": "most_memory_bytes",
    "output_bytes": "most_output_bytes",
    "result_bytes": "most_result_bytes",
}
"""The setting that caps each limit an agent may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most that an agent may ask for.

    Attributes:
        limits: Of each limit.
        network: How far it may reach.
        shell: Whether language models may have a shell.
    """

    limits: Limits = field(default_factory=Limits)
    network: Network = Network.ALLOW_LIST
    shell: bool = False

    def refusals(self, definition: Definition) -> Iterator[InvalidAgentConfig]:
        """Why an agent of that *definition* cannot be; nothing if it can."""
        for name, asked in definition.asked.items():
            most = getattr(self.limits, name)
            if asked > most:
                setting = SETTINGS[name]
                key = "timeout_seconds" if name == "seconds" else f"limits.{name}"
                yield InvalidAgentConfig(
                    f"metadata.workbench.{key} asks for {asked:,}; the administrator allows at"
                    f" most {most:,} ({setting}).",
                    field=f"metadata.workbench.{key}",
                    most=most,
                    setting=setting,
                )
        if not definition.network.within(self.network):
            yield InvalidAgentConfig(
                f"metadata.workbench.network asks for {definition.network}; the administrator"
                f" allows at most {self.network} (network).",
                field="metadata.workbench.network",
                most=str(self.network),
                setting="network",
            )
        if definition.shell and not self.shell:
            yield InvalidAgentConfig(
                "metadata.workbench.shell asks for a shell; the administrator allows none (shell).",
                field="metadata.workbench.shell",
                most=False,
                setting="shell",
            )

    def check(self, definition: Definition) -> None:
        """Let only a *definition* pass that asks for no more.

        Raises:
            InvalidAgentConfig: It asks for more; the message names the cap.
        """
        for refusal in self.refusals(definition):
            raise refusal
