"""Agents that nobody wrote cell by cell: of a prompt, of another agent, of a description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from workbench.client.failures import refused
from workbench.client.plans import Noun, View, asks
from workbench.client.requests import PATIENCE_SECONDS, Plan, Request, path_of
from workbench.errors import InvalidRequest, Unavailable

AgentT = TypeVar("AgentT")

_WAIT_SECONDS = 20.0


class MakingVerbs(Generic[AgentT]):
    """The ways to an agent that begin without a notebook."""

    _bench: Any

    @asks
    def prompt(
        self,
        name: str,
        prompt: str,
        *,
        system: str = "",
        model: str = "",
        schema: Mapping[str, object] | None = None,
        publish: bool = False,
    ) -> Plan[AgentT]:
        """The new agent that asks a language model; `{{names}}` in *prompt* are its parameters.

            wb.agents.prompt("brief", "Summarise in {{sentences: int = 3}} sentences: {{text}}")

        Raises:
            InvalidAgentConfig: A name in the braces cannot be a parameter, or *schema* is none.
            DuplicateAgentName: You have one of that name.
        """
        config = {"prompt": prompt, "system": system, "model": model, "schema": schema}
        return (yield from self._configured(name, config, publish=publish))

    @asks
    def validate_prompt(self, prompt: str) -> Plan[View]:
        """What is wrong with a prompt, or what it declares; nothing is stored."""
        body = {"agent_name": "unnamed", "agent_config": {"prompt": prompt}}
        request = Request(method="POST", path="/agents/validate", body=body, repeatable=True)
        return dict((yield request).json())

    @asks
    def preset(
        self,
        name: str,
        of: str,
        *,
        parameters: Mapping[str, object] | None = None,
        version: str | None = None,
        publish: bool = False,
    ) -> Plan[AgentT]:
        """The new agent that is as *of*, `owner/name`, but with other defaults.

        It is a copy of one version, the current one unless another is named; later versions of the
        other agent change nothing in it.

        Raises:
            AgentNotFound: There is none you may know of.
            InvalidInput: It has no such parameters.
            DuplicateAgentName: You have one of that name.
        """
        config = {"agent": of, "parameters": dict(parameters or {}), "version": version}
        return (yield from self._configured(name, config, publish=publish))

    @asks
    def generate(
        self,
        name: str,
        description: str = "",
        *,
        plan: Mapping[str, object] | None = None,
        plan_only: bool = False,
        model: str = "",
        repairs: int | None = None,
    ) -> Plan[Any]:
        """A generation: an agent on its way, written by a language model, kept as a draft.

            made = wb.agents.generate("doubler", "Doubles a number.")
            made.wait()
            made.verified, made.agent()

        With *plan_only* it ends with a plan, to be changed and handed over as *plan*.

        Raises:
            DuplicateAgentName: You have one of that name.
            InvalidRequest: The plan is none.
        """
        wish = {
            "agent_name": name,
            "description": description,
            "plan": plan,
            "plan_only": plan_only,
            "model": model,
            "repairs": repairs,
        }
        body = {key: value for key, value in wish.items() if value not in (None, "")}
        answer = yield Request(method="POST", path="/agents/generate", body=body)
        return self._bench.generation(answer.json())

    def _configured(
        self, name: str, config: Mapping[str, object], *, publish: bool
    ) -> Plan[AgentT]:
        given = {key: value for key, value in config.items() if value not in (None, "")}
        body = {"agent_name": name, "agent_config": given, "publish": publish}
        answer = yield Request(method="POST", path="/agents", body=body, patience_seconds=None)
        agent: AgentT = self._bench.agent(answer.json())
        return agent


class GenerationVerbs(Noun, Generic[AgentT]):
    """One description on its way to become an agent."""

    @property
    def status(self) -> str:
        """`pending`, `planned`, `drafted`, `failed` or `cancelled`."""
        return str(self.about["status"])

    @property
    def settled(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status != "pending"

    @property
    def plan(self) -> View | None:
        """The plan, once there is one."""
        plan: View | None = self.about["plan"]
        return plan

    @property
    def verified(self) -> bool:
        """Whether all cases of the draft passed."""
        return bool(self.about["verified"])

    @asks
    def wait(self, seconds: float | None = None) -> Plan[str]:
        """What it has come to once it has settled, or after *seconds*."""
        left = seconds
        while not self.settled and (left is None or left > 0):
            turn = _WAIT_SECONDS if left is None else min(left, _WAIT_SECONDS)
            request = Request(
                path=self._path(),
                query={"wait": turn},
                patience_seconds=turn + PATIENCE_SECONDS,
                repeatable=True,
            )
            self.about = (yield request).json()
            left = None if left is None else left - turn
        return self.status

    @asks
    def refresh(self) -> Plan[None]:
        """Ask again how it stands."""
        self.about = (yield Request(path=self._path(), repeatable=True)).json()

    @asks
    def cancel(self) -> Plan[str]:
        """What has become of it, once it was given up; a draft that is there stays."""
        request = Request(method="POST", path=self._path("cancel"), repeatable=True)
        self.about = (yield request).json()
        return self.status

    @asks
    def agent(self) -> Plan[AgentT]:
        """The draft.

        Raises:
            WorkbenchError: There is none, for the reason that is raised.
        """
        address = self.about["agent"]
        if address is None:
            if self.about["error"] is not None:
                raise refused(self.about["error"])
            kind = InvalidRequest if self.settled else Unavailable
            raise kind(f"The generation is {self.status}: there is no draft.")
        path = path_of("agents", *str(address).split("/"), "about")
        agent: AgentT = self._bench.agent((yield Request(path=path, repeatable=True)).json())
        return agent

    def _path(self, *rest: str) -> str:
        return path_of("generations", str(self.about["id"]), *rest)

    def __repr__(self) -> str:
        """What it shall be called, and what it has come to."""
        return f"<{type(self).__name__} {self.about['agent_name']}: {self.status}>"
