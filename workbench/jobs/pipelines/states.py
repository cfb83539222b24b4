"""How far a step and a whole run are: two closed sets."""

from __future__ import annotations

from typing import Literal

__all__ = ["RunState", "StepState"]

StepState = Literal[
    "waiting",  # for a step before it, or for a worker
    "running",
    "succeeded",
    "cached",  # an earlier job did the same
    "failed",
    "cancelled",
    "lost",
    "skipped",  # a step before it didn't succeed
]

RunState = Literal["running", "succeeded", "failed", "cancelled", "lost"]
