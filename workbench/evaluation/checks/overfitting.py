"""WB002: a model that knows its training rows better than others."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.measuring import values
from workbench.evaluation.outcomes import Outcome
from workbench.evaluation.wording import between, number, percent

__all__ = ["Overfitting"]


class Overfitting(Check):
    """Too much of what it could do on its training rows is gone on others.

    What it could do is how much better than a constant prediction it was: a ROC AUC of 0.9 falls
    to 0.7 by half, as does one of 0.6 to 0.55. The interval is of the gap; both sides are drawn.
    """

    code: ClassVar[str] = "WB002"
    title: ClassVar[str] = "overfitting"
    advice: ClassVar[str] = (
        "Give the model less room (fewer or shallower trees, more rows in a leaf, stronger "
        "regularisation, earlier stopping) or more rows. If the test rows are later than the "
        "training rows, the world may have changed instead: compare the features' distributions."
    )

    issue_above: float = Field(default=0.4, gt=0, description="share of the skill lost: an issue")
    tip_above: float = Field(default=0.2, gt=0, description="share of the skill lost: a tip")

    def look(self, evidence: Evidence) -> Finding:
        """Compare the metric on training and test rows."""
        train, metric = evidence.train, evidence.options.primary
        if train is None:
            raise NotApplicable("no training rows were given (`train`)")
        learned = values([metric], train.labels, train.predictions)[metric.name]
        seen = values([metric], evidence.test.labels, evidence.test.predictions)[metric.name]
        nothing = evidence.labels.constant(train.labels, train.rows)
        base = values([metric], train.labels, nothing)[metric.name]
        if not np.isfinite([learned, seen, base]).all():
            raise NotApplicable(f"{metric.name} is not defined on both sides")
        skill, gap = metric.sign * (learned - base), metric.sign * (learned - seen)
        if skill <= 0:
            raise NotApplicable(
                f"on its training rows it is no better than a constant prediction: {metric.name} "
                f"{number(learned)} against {number(base)}"
            )
        drawn = [
            evidence.options.resampler(side.rows, name, groups).replicates(
                {"": metric.prepare(side.labels, side.predictions)}
            )[""]
            for side, name, groups in (
                (train, "train", None),
                (evidence.test, "all", evidence.groups),
            )
        ]
        interval = evidence.resampler("all").interval(metric.sign * (drawn[0] - drawn[1]))
        lost = gap / skill
        sure = interval is not None and interval.low > 0
        worst: Outcome = (
            "issue" if lost > self.issue_above else "tip" if lost > self.tip_above else "passed"
        )
        return Finding(
            worst if sure else "passed",
            f"{metric.name} is {number(learned)} on training rows and {number(seen)} on test rows: "
            f"the gap of {number(gap)} {between(interval)} is {_share(lost)} of what it gained on "
            f"a constant prediction in training ({number(skill)}).",
            {"train": learned, "test": seen, "gap": gap, "skill": skill, "lost": lost},
            interval,
        )


def _share(lost: float) -> str:
    return percent(lost) if lost > 0 else "nothing"
