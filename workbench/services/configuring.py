"""Reading an `agent_config` that is no source: a prompt, or another agent with other defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.domain.access import Principal
from workbench.domain.names import is_name
from workbench.domain.parameters import accept
from workbench.domain.versions import DRAFT
from workbench.errors import AgentNotFound, IllegalMove, InvalidAgentConfig
from workbench.notebook.document import dump
from workbench.notebook.presets import preset
from workbench.notebook.prompts import Prompt, prompted
from workbench.services.authoring import Authoring, Proposal
from workbench.services.judging import check_values

_PROMPT: Mapping[str, type] = {"prompt": str, "system": str, "model": str, "schema": dict}
_PRESET: Mapping[str, type] = {"agent": str, "parameters": dict, "version": str}


class Configuring:
    """What becomes a notebook though nobody wrote one."""

    def __init__(self, *, authoring: Authoring) -> None:
        self._authoring = authoring

    async def configured(
        self, principal: Principal, proposal: Proposal, config: Mapping[str, object]
    ) -> Proposal:
        """*proposal* with the notebook that *config* stands for, and the files it needs.

        Raises:
            InvalidAgentConfig: It is neither a prompt nor a preset, or not as those are written.
            AgentNotFound: It is a preset of an agent that the asker may not know of.
            AgentAccessDenied: It is a preset of somebody else's draft.
            NotFound: There is no such version of that agent.
            IllegalMove: That agent is archived.
            InvalidInput: That agent has no such parameters, or not with such values.
        """
        if proposal.notebook is not None:
            raise InvalidAgentConfig(
                "Send a notebook or agent_config, not both.", field="agent_config"
            )
        if "prompt" in config:
            given = _read(config, _PROMPT)
            prompt = Prompt(text=given.pop("prompt"), **given)
            nb = prompted(str(proposal.name), proposal.description, prompt)
            return replace(proposal, notebook=dump(nb))
        if "agent" in config:
            return await self._preset(principal, proposal, _read(config, _PRESET))
        raise InvalidAgentConfig(
            'agent_config is Python source, {"prompt": …} or {"agent": "owner/name", …}.',
            field="agent_config",
        )

    async def _preset(
        self, principal: Principal, proposal: Proposal, given: Mapping[str, Any]
    ) -> Proposal:
        owner, _, name = given["agent"].partition("/")
        if not (is_name(owner) and is_name(name)):
            raise AgentNotFound("No agent can be called that.", agent=given["agent"][:130])
        other = await self._authoring.get(principal, owner, name)
        if other.archived_at is not None:
            raise IllegalMove(f"{other.address} is archived.", stage=other.stage)
        version = given.get("version") or other.current_version or DRAFT
        definition = await self._authoring.definition(principal, other, version)
        # What must be given may still be missing; what is given must be allowed.
        optional = [replace(parameter, required=False) for parameter in definition.parameters]
        values = accept(optional, given.get("parameters", {}))
        schema = {**definition.input_schema, "required": []}
        check_values(replace(definition, input_schema=schema), values)
        notebook, _ = await self._authoring.notebook(principal, other, version)
        nb = preset(notebook, values, of=other.address, version=version)
        files = {
            file.path: (await self._authoring.file(principal, other, file.path, version))[1]
            for file in definition.files
        }
        return replace(
            proposal,
            notebook=dump(nb),
            description=proposal.description or other.description,
            files={**files, **proposal.files},
        )


def _read(config: Mapping[str, object], known: Mapping[str, type]) -> dict[str, Any]:
    """The fields of *config*, those that are null left out.

    Raises:
        InvalidAgentConfig: One is not known, or of another type.
    """
    unknown = sorted(set(config) - set(known))
    if unknown:
        raise InvalidAgentConfig(
            f"agent_config with {next(iter(known))} may have {', '.join(known)};"
            f" not {', '.join(unknown)[:200]}.",
            field=f"agent_config.{unknown[0][:80]}",
        )
    given = {name: value for name, value in config.items() if value is not None}
    for name, value in given.items():
        if not isinstance(value, known[name]):
            what = "a text" if known[name] is str else "an object"
            raise InvalidAgentConfig(
                f"agent_config.{name} must be {what}.", field=f"agent_config.{name}"
            )
    if next(iter(known)) not in given:
        raise InvalidAgentConfig("agent_config is null.", field="agent_config")
    return given
