"""GT009: each feature that the model needs is there where it is to be served."""

from __future__ import annotations

from sqlalchemy import select

from workbench.gates.question import Question
from workbench.registry import Check
from workbench.store import FeatureViewRow, database

__all__ = ["judge"]


def judge(question: Question) -> list[Check]:
    """Look each feature up among the registered views, if the policy says where it must be."""
    allowed = question.spec.availability
    if not allowed:
        return []
    missing = _missing(question, set(allowed))
    return [
        Check(
            code="GT009",
            title="features available where they are served",
            outcome="failed" if missing else "passed",
            found=float(len(missing)),
            expected=f"each of {len(question.scorer.columns)} by {' or '.join(allowed)}",
            explanation="; ".join(missing),
        )
    ]


def _missing(question: Question, allowed: set[str]) -> list[str]:
    with database(question.project).session() as session:
        views = {row.name: row.definition for row in session.scalars(select(FeatureViewRow))}
    missing = []
    for column in question.scorer.columns:
        reference = question.features.get(column)
        if reference is None:
            continue  # the caller's own column comes with the request
        view, _, feature = reference.partition(":")
        definition = views.get(view, {"features": {}})
        if feature not in definition["features"]:
            missing.append(f"{reference} isn't registered: workbench features apply")
        elif definition["availability"] not in allowed:
            missing.append(f"{reference} is {definition['availability']}")
    return missing
