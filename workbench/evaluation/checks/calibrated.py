"""WB005: probabilities that are none."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from workbench.evaluation import calibration
from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.outcomes import Interval, Outcome
from workbench.evaluation.wording import between, number

__all__ = ["Calibration"]

_FEWEST = 100


class Calibration(Check):
    """What is said to come with a probability of 0.3 doesn't come three times in ten.

    The error of a calibrated model isn't 0 but what chance makes of so many rows; only what lies
    beyond that counts.
    """

    code: ClassVar[str] = "WB005"
    title: ClassVar[str] = "calibration"
    advice: ClassVar[str] = (
        "Calibrate on rows that neither training nor this evaluation used (isotonic regression "
        "with thousands of rows, Platt's scaling with fewer). If observed and predicted differ "
        "alike everywhere, the base rate has changed since training: train on later rows."
    )

    max_error: float = Field(
        default=0.05, gt=0, lt=1, description="largest calibration error (ECE, ten equal groups)"
    )
    tip_above: float = Field(
        default=0.02, gt=0, lt=1, description="calibration error that is worth a look"
    )
    slope: tuple[float, float] = Field(
        default=(0.8, 1.25), description="between which the calibration slope has to lie"
    )

    def look(self, evidence: Evidence) -> Finding:
        """Measure the calibration error, the slope, and how much of both is chance."""
        if evidence.task == "regression":
            raise NotApplicable("a number has no probability to calibrate")
        pairs = calibration.pairs_of(evidence.test)
        if pairs is None:
            raise NotApplicable("the predictions are no probabilities: not all lie from 0 to 1")
        predictions, came = pairs
        if came.size < _FEWEST or came.min() == came.max():
            raise NotApplicable(
                f"{came.size} rows with {int(came.sum())} that came true are too few to tell"
            )
        ones, resampler = np.ones((1, came.size)), evidence.resampler("calibration")
        error = float(calibration.error(predictions, came, ones)[0])
        rows = {"": lambda weights: calibration.error(predictions, came, weights)}
        interval = _holding(error, resampler.interval(resampler.replicates(rows)[""]))
        chance = calibration.by_chance(
            predictions, evidence.options.seed, resampler.resamples, resampler.level
        )
        found, scores = calibration.line(predictions, came)
        slope = resampler.interval(calibration.slopes(found, scores, resampler))
        numbers = {
            "error": error,
            "error_by_chance": chance,
            "slope": float(found[1]),
            "intercept": float(found[0]),
            "mean_prediction": float(predictions.mean()),
            "observed": float(came.mean()),
        }
        if slope is not None:
            numbers |= {"slope_low": slope.low, "slope_high": slope.high}
        outcome = self._judged(error, chance, slope)
        return Finding(outcome, _said(numbers, interval, slope), numbers, interval)

    def _judged(self, error: float, chance: float, slope: Interval | None) -> Outcome:
        if error > max(self.max_error, chance):
            return "issue"
        if error > max(self.tip_above, chance) or (slope is not None and self._off(slope)):
            return "tip"
        return "passed"

    def _off(self, slope: Interval) -> bool:
        return slope.high < self.slope[0] or slope.low > self.slope[1]


def _holding(value: float, interval: Interval | None) -> Interval | None:
    """Widen an interval to hold the value: what is drawn twice makes the error larger by itself."""
    if interval is None or interval.holds(value):
        return interval
    ends = {"low": min(interval.low, value), "high": max(interval.high, value)}
    return interval.model_copy(update=ends)


def _said(numbers: dict[str, float], error: Interval | None, slope: Interval | None) -> str:
    sure = "1 is what a calibrated model has"
    if slope is not None and not slope.holds(1.0):
        sure = "it is too sure of itself" if slope.high < 1 else "it is not sure enough"
    return (
        f"Predictions miss what came true by {number(numbers['error'])} on average "
        f"{between(error)}; chance alone would make it up to {number(numbers['error_by_chance'])}. "
        f"Mean prediction {number(numbers['mean_prediction'])}, observed "
        f"{number(numbers['observed'])}. The calibration slope is {number(numbers['slope'])} "
        f"{between(slope)}: {sure}."
    )
