"""Putting a version through the gate."""

from __future__ import annotations

from workbench.access import require
from workbench.errors import DataError
from workbench.gates.document import store_report, stored_reports
from workbench.gates.question import Question
from workbench.gates.requirements import CHEAP, DEAR
from workbench.registry import Check, GateReport
from workbench.tracking.store import ask_model

__all__ = ["judge"]


def judge(question: Question) -> GateReport:
    """Judge a version by the policy and store what was found.

    The same question gets the answer that is stored, if it passed then.

    Raises
    ------
    ForbiddenError
        If who asks isn't a developer, or the store's server doesn't let their login.
    DataError
        If there are no rows to judge on.
    """
    require(question.project, "developer", f"judge {question.name}")
    ask_model(question.project, question.model, f"judge {question.name}")
    if question.rows.is_empty():
        raise DataError(f"{question.name}: there are no labelled rows in {question.window}")
    for known in stored_reports(question.project, question.model, question.version):
        asked = (known.policy, known.dataset, known.champion_version)
        same = asked == (question.spec.digest, question.digest, question.champion)
        if same and known.outcome == "passed":  # what failed may have been the machine
            return known
    report = _reported(question, _checks(question))
    store_report(question.project, report)
    return report


def _checks(question: Question) -> list[Check]:
    checks = [check for judge_one in CHEAP.values() for check in judge_one(question)]
    failed = any(check.outcome == "failed" for check in checks)
    for name, judge_one in DEAR.items():
        if not failed:
            checks += judge_one(question)
        elif getattr(question.spec, name) is not None:
            checks.append(_skipped(name))
    return checks


def _skipped(name: str) -> Check:
    codes = {"parity": "GT008", "explanation": "GT010"}
    return Check(
        code=codes[name],
        title=name,
        outcome="skipped",
        found=None,
        expected="",
        explanation="not tried: other requirements failed",
    )


def _reported(question: Question, checks: list[Check]) -> GateReport:
    evaluation = question.evaluation.model_dump(mode="json") if question.needs_evaluation else None
    return GateReport(
        factory=question.factory,
        model=question.model,
        version=question.version,
        outcome="failed" if any(check.outcome == "failed" for check in checks) else "passed",
        checks=checks,
        metrics=question.metrics,
        baseline=question.baseline,
        champion=question.champion_metrics,
        champion_version=question.champion,
        window=question.window,
        rows=question.rows.height,
        dataset=question.digest,
        policy=question.spec.digest,
        approvals=dict(question.spec.approvals),
        evaluation=evaluation,
    )
