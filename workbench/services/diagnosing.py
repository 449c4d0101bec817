"""Diagnosing: what keeps runs apart on this machine, found out by trying."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.domain.isolation import Isolation
from workbench.kernels.cgroups import Cgroups
from workbench.kernels.ground import AUTO, Mechanism, choose, survey
from workbench.kernels.probing import KNOWN, Finding, assail
from workbench.kernels.sources import kernels_behind
from workbench.kernels.walls import Wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What protects this machine from the agents it runs.

    Attributes:
        expected: The level that runs should have here.
        level: The one they have; None if none begins.
        mechanisms: Every way of keeping them apart, and whether it works.
        findings: What became of each attack to get past it; empty at level `none`.
        cure: What would make it more.
    """

    expected: Isolation
    level: Isolation | None
    mechanisms: Sequence[Mechanism]
    findings: Sequence[Finding]
    cure: str

    @property
    def got_past(self) -> list[Finding]:
        """The attacks that got something although the level denies it."""
        known = KNOWN[self.level] if self.level else frozenset()
        return [f for f in self.findings if not f.denied and f.attack not in known]

    @property
    def holds(self) -> bool:
        """Whether runs are kept apart as they should be."""
        return self.level is not None and self.level.meets(self.expected) and not self.got_past

    def as_json(self) -> dict[str, Any]:
        """The diagnosis as plain JSON values."""
        unexpected = {finding.attack for finding in self.got_past}
        return {
            "holds": self.holds,
            "expected": str(self.expected),
            "level": self.level and str(self.level),
            "cure": self.cure or None,
            "mechanisms": [
                {
                    "name": mechanism.name,
                    "level": str(mechanism.level),
                    "works": mechanism.works,
                    "said": mechanism.said,
                    "cure": mechanism.cure or None,
                }
                for mechanism in self.mechanisms
            ],
            "attacks": len(self.findings),
            "denied": sum(finding.denied for finding in self.findings),
            "got_past": [
                {"attack": f.attack, "got": f.got, "known": f.attack not in unexpected}
                for f in self.findings
                if not f.denied
            ],
        }


async def diagnose(wanted: str, *, minimum: str) -> Diagnosis:
    """What runs get where the setting `isolation` is *wanted* and no run has less than *minimum*."""
    ground = choose(wanted)
    level = None if ground.wall is None else ground.wall.level
    asked = Isolation.NAMESPACES if wanted == AUTO else Isolation(wanted)
    expected = max(asked, Isolation(minimum), key=lambda level: level.height)
    findings: Sequence[Finding] = ()
    if ground.wall is not None and level is not Isolation.NONE:
        findings = await _attacked(ground.wall, ground.cgroups)
    return Diagnosis(
        expected=expected, level=level, mechanisms=survey(), findings=findings, cure=ground.cure
    )


async def _attacked(wall: Wall, cgroups: Cgroups | None) -> Sequence[Finding]:
    secret = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="wb-doctor-") as folder:
        source = kernels_behind(
            wall,
            work=Path(folder) / "runs",
            cache=Path(folder) / "cache",
            inherited={**os.environ, "OPENAI_API_KEY": secret},
            cgroups=cgroups,
        )
        return await assail(source, secret=secret)
