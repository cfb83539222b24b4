"""WB009: a model that is no better than none."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from workbench.evaluation.bootstrap import paired
from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.metrics import find_metric
from workbench.evaluation.wording import between, number

__all__ = ["Dummy"]


class Dummy(Check):
    """Always saying the training rows' base rate, or mean, would do as well.

    Compared on the same rows by a paired bootstrap: the Brier score of classes, the root mean
    squared error of numbers. Both are proper: no constant but the truth gets a better one.
    """

    code: ClassVar[str] = "WB009"
    title: ClassVar[str] = "no better than a constant prediction"
    advice: ClassVar[str] = (
        "Don't use it. Look whether the features arrive at all (missing, constant, in other "
        "units), whether the base rate has moved away from training's, and whether there is any "
        "signal."
    )

    def look(self, evidence: Evidence) -> Finding:
        """Compare the model with the constant."""
        metric = find_metric("rmse" if evidence.task == "regression" else "brier", evidence.task)
        predictions = evidence.test.predictions
        if metric.probabilities and not ((predictions >= 0) & (predictions <= 1)).all():
            raise NotApplicable("the predictions are no probabilities: not all lie from 0 to 1")
        found = paired(
            metric,
            evidence.test.labels,
            predictions,
            evidence.constant,
            evidence.resampler("dummy"),
        )
        worse = found.advantage <= 0
        unsure = found.interval.low <= 0
        verdict = (
            "no better than" if worse else "perhaps no better than" if unsure else "better than"
        )
        return Finding(
            "issue" if worse else "tip" if unsure else "passed",
            f"With a {metric.name} of {number(found.ours)} it is {verdict} a constant prediction "
            f"({number(found.theirs)}); it gains "
            f"{number(found.advantage)} {between(found.interval)}.",
            {
                metric.name: found.ours,
                "constant": found.theirs,
                "advantage": found.advantage,
                "gained": found.advantage / found.theirs if found.theirs else np.nan,
            },
            found.interval,
        )
