"""GT007: how long one row takes."""

from __future__ import annotations

import time

import numpy as np

from workbench.gates.question import Question
from workbench.registry import Check

__all__ = ["judge"]

_WARM, _TIMES, _ROUNDS = 20, 200, 3


def judge(question: Question) -> list[Check]:
    """Score single rows in this process and take the slowest twentieth."""
    most = question.spec.max_latency_ms
    if most is None:
        return []
    # What else the machine does is none of the model's latency: the best of a few rounds counts.
    found = 1e3 * min(float(np.percentile(_seconds(question), 95)) for _ in range(_ROUNDS))
    return [
        Check(
            code="GT007",
            title="latency of one row, p95",
            outcome="passed" if found <= most else "failed",
            found=found,
            expected=f"at most {most:g} ms",
            explanation=f"of {_TIMES} rows one after the other, the best of {_ROUNDS} rounds in a "
            "warm process, feature lookup not included",
        )
    ]


def _seconds(question: Question) -> list[float]:
    places = np.linspace(0, question.rows.height - 1, _WARM + _TIMES).astype(int)
    rows = [question.rows[int(place)] for place in places]
    taken = []
    for row in rows:
        began = time.perf_counter()
        question.scorer.score(row)
        taken.append(time.perf_counter() - began)
    return taken[_WARM:]
