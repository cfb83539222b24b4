"""What a gate found of a version: the document that a promotion names as its evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Check", "GateReport", "Outcome", "digest_of"]

Outcome = Literal["passed", "failed", "not applicable", "skipped"]


class Check(BaseModel):
    """One check of the gate. Its numbers are those that it was judged by."""

    model_config = ConfigDict(frozen=True)

    code: str
    title: str
    outcome: Outcome
    found: float | None
    expected: str
    interval: tuple[float, float] | None = None
    explanation: str = ""
    details: list[dict[str, Any]] = []


class GateReport(BaseModel):
    """What the gate found of one version, on which rows, under which policy."""

    model_config = ConfigDict(frozen=True)

    factory: str
    model: str
    version: str
    outcome: Literal["passed", "failed"]
    checks: list[Check]
    metrics: dict[str, float]
    baseline: dict[str, float]
    champion: dict[str, float] | None
    champion_version: str | None
    window: str
    rows: int
    dataset: str
    policy: str
    approvals: dict[str, int] = {}
    """How many people of which role have to approve before the alias moves."""
    evaluation: dict[str, Any] | None = None
    """The evaluation that checks by code were read from."""

    @property
    def digest(self) -> str:
        """A digest of the whole report."""
        return digest_of(self.model_dump(mode="json"))

    def _repr_html_(self) -> str:
        from workbench.registry.page import fragment

        return fragment(self)

    @property
    def failed(self) -> list[Check]:
        """The checks that keep it from passing."""
        return [check for check in self.checks if check.outcome == "failed"]


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the digest of a document as it is stored: SHA-256 of its JSON with sorted keys."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
