"""What a policy can ask for. A further requirement is one more module, and its entry here."""

from collections.abc import Callable, Mapping

from workbench.gates.question import Question
from workbench.gates.requirements import (
    availability,
    baseline,
    champion,
    codes,
    explanation,
    latency,
    parity,
    size,
    slices,
    thresholds,
)
from workbench.registry import Check

__all__ = ["CHEAP", "DEAR"]

Requirement = Callable[[Question], list[Check]]

CHEAP: Mapping[str, Requirement] = {
    "thresholds": thresholds.judge,
    "baseline": baseline.judge,
    "champion": champion.judge,
    "slices": slices.judge,
    "checks": codes.judge,
    "size": size.judge,
    "latency": latency.judge,
    "availability": availability.judge,
}
"""Always judged, all of them: who mends one thing wants to know of the others."""

DEAR: Mapping[str, Requirement] = {
    "explanation": explanation.judge,
    "parity": parity.judge,
}
"""Judged once the others have passed; of a version that fails anyway they are skipped."""
