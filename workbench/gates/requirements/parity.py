"""GT008: every way of serving answers as the model did in the training notebook."""

from __future__ import annotations

from workbench.errors import NotFoundError
from workbench.gates.parity import ParityReport, compare_ways
from workbench.gates.question import Question
from workbench.registry import Check

__all__ = ["judge"]


def judge(question: Question) -> list[Check]:
    """Ask each way that the policy names, each a check of its own."""
    spec = question.spec.parity
    if spec is None:
        return []
    try:
        reports = compare_ways(
            question.project,
            question.model,
            question.version,
            ways=spec.ways,
            same_environment=spec.environment == "same",
            tolerance=spec.tolerance,
        )
    except NotFoundError as error:  # nothing was recorded: there is no evidence
        return [_check("failed", None, "parity", str(error), "recorded rows", [])]
    return [_told(report) for report in reports]


def _told(report: ParityReport) -> Check:
    return _check(
        "passed" if report.agrees else "failed",
        report.largest,
        f"parity: {report.way} as in the training notebook",
        report.told,
        f"differences of at most {report.tolerance:g} on {report.rows:,} recorded rows",
        report.differing,
    )


def _check(
    outcome: str,
    found: float | None,
    title: str,
    explanation: str,
    expected: str,
    details: list[dict[str, object]],
) -> Check:
    return Check(
        code="GT008",
        title=title,
        outcome=outcome,
        found=found,
        expected=expected,
        explanation=explanation,
        details=details,
    )
