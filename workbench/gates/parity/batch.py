"""As batch scoring answers."""

from __future__ import annotations

from workbench.gates.parity.recorded import Answers, Recorded
from workbench.registry import Scorer

__all__ = ["by_batch"]


def by_batch(recorded: Recorded) -> Answers:
    """Load the version as batch scoring does and score the rows."""
    scorer = Scorer.load(recorded.project, recorded.name, recorded.version)
    return scorer.score(recorded.rows)
