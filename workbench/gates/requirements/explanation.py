"""GT010: the model's reasons add up, and are none that it must not have."""

from __future__ import annotations

from workbench.errors import WorkbenchError
from workbench.explanation.explaining import explain
from workbench.gates.question import Question
from workbench.gates.spec import ExplanationSpec
from workbench.registry import Check
from workbench.tracking.recorded import spread_rows

__all__ = ["judge"]

_FIRST = 10


def judge(question: Question) -> list[Check]:
    """Explain some of the rows and look at what counts most."""
    spec = question.spec.explanation
    if spec is None:
        return []
    rows = spread_rows(question.rows.select(question.scorer.columns), spec.rows)
    try:
        explained = explain(question.scorer.model, rows)
    except WorkbenchError as error:  # values that don't add up, among others
        return [_check("failed", None, str(error))]
    importance = explained.importance
    whole = sum(importance.values()) or 1.0
    shares = {name: value / whole for name, value in importance.items()}
    wrong = _wrong(shares, spec)
    first = ", ".join(f"{name} {share:.0%}" for name, share in list(shares.items())[:3])
    said = f"{first}; {explained.flavor}, additivity error {explained.additivity_error:.2g}"
    return [
        _check(
            "failed" if wrong else "passed",
            max(shares.values(), default=0.0),
            "; ".join([*wrong, said]),
        )
    ]


def _wrong(shares: dict[str, float], spec: ExplanationSpec) -> list[str]:
    wrong = [
        f"{name} alone is {share:.0%} of all reasons"
        for name, share in shares.items()
        if share > spec.max_share
    ]
    first = [name for name, share in list(shares.items())[:_FIRST] if share > 0]
    unwanted = [name for name in spec.unused if name in first]
    return wrong + [f"{name} is among the first {_FIRST} reasons" for name in unwanted]


def _check(outcome: str, found: float | None, explanation: str) -> Check:
    return Check(
        code="GT010",
        title="explanation sane",
        outcome=outcome,
        found=found,
        expected="values that add up, from more than one feature",
        explanation=explanation,
    )
