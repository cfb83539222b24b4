"""WB006: predictions that small noise moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from workbench.evaluation.bootstrap import interval_of
from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.measuring import values
from workbench.evaluation.outcomes import Interval
from workbench.evaluation.wording import between, number, percent

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Noise"]

_MOST = 5_000
_FEW = 10
"""A number with at most so many values is a category: noise would make it another thing."""


class Noise(Check):
    """Noise far below what measuring does moves predictions, or the same rows get others."""

    code: ClassVar[str] = "WB006"
    title: ClassVar[str] = "unstable under small noise"
    advice: ClassVar[str] = (
        "A model that follows the last digit has learned its training rows by heart, or leans on a "
        "feature with a cliff. Give it less room, round or bin the feature, or train on rows with "
        "noise. If the same rows get different predictions, set its seed."
    )

    noise: float = Field(
        default=0.01, gt=0, le=1, description="size of the noise, in standard deviations"
    )
    issue_above: float = Field(
        default=0.05,
        gt=0,
        description="mean move of a prediction that is an issue: of "
        "probabilities, or in the label's standard deviations",
    )
    tip_above: float = Field(default=0.02, gt=0, description="mean move that is worth a look")
    max_loss: float = Field(default=0.1, gt=0, description="share of the skill that noise may cost")

    def look(self, evidence: Evidence) -> Finding:
        """Predict the same rows again, and with noise."""
        chosen = _noisy_columns(evidence)
        places = np.arange(evidence.test.rows)
        kept = evidence.sample(pl.Series(places).to_frame("row"), _MOST).to_series().to_numpy()
        frame = evidence.test.frame[kept]
        before = evidence.test.predictions[kept]
        again = np.asarray(_answer(evidence, frame), dtype=np.float64)
        scale, unit = _scale(evidence)
        if (repeated := float(_moved(before, again).mean()) / scale) > 1e-6:
            return Finding(
                "issue",
                "The same rows were given different predictions when asked again: they moved by "
                f"{number(repeated)} on average, without any noise.",
                {"moved_again": repeated},
            )
        if not chosen:
            raise NotApplicable("there is no feature that is a number with enough values")
        after = _answer(evidence, _with_noise(frame, chosen, self.noise, evidence.options.seed))
        moved = _moved(before, after) / scale
        return self._judged(evidence, kept, before, after, moved, unit, len(chosen))

    def _judged(
        self,
        evidence: Evidence,
        kept: Any,
        before: Floats,
        after: Floats,
        moved: Floats,
        unit: str,
        columns: int,
    ) -> Finding:
        resampler = evidence.options.resampler(moved.size, "noise")
        drawn = resampler.replicates({"": lambda w: (w @ moved) / w.sum(axis=1)})[""]
        interval = interval_of(drawn, resampler.level)
        lost, sure = _lost(evidence, kept, before, after)
        flipped = _flipped(evidence, before, after)
        mean = float(moved.mean())
        numbers = {"moved": mean, "moved_p95": float(np.quantile(moved, 0.95)), "skill_lost": lost}
        if flipped is not None:
            numbers["flipped"] = flipped
        bad = mean > self.issue_above or (sure and lost > self.max_loss)
        fair = mean > self.tip_above
        turned = "" if flipped is None else f", and {percent(flipped)} of rows change sides"
        return Finding(
            "issue" if bad else "tip" if fair else "passed",
            f"Noise of {percent(self.noise)} of a standard deviation on {columns} features "
            f"moves a prediction by {number(mean)} {unit} on average {between(interval)}{turned}; "
            f"it costs {percent(max(lost, 0.0))} of what the model gains on a constant prediction.",
            numbers,
            interval,
        )


def _answer(evidence: Evidence, frame: pl.DataFrame) -> Floats:
    answer = np.asarray(evidence.predictor.score(frame), dtype=np.float64)
    wanted = evidence.test.predictions.ndim
    if answer.ndim == 2 and wanted == 1:
        answer = answer[:, -1]
    return answer


def _noisy_columns(evidence: Evidence) -> list[str]:
    frame = evidence.test.frame
    return [name for name in evidence.numeric() if frame[name].n_unique() > _FEW]


def _with_noise(frame: pl.DataFrame, columns: list[str], size: float, seed: int) -> pl.DataFrame:
    """Add noise to each column, in its own spread and type; what is missing stays so."""
    generator = np.random.default_rng([seed, 6])
    noisy = []
    for name in columns:
        series = frame[name]
        numbers = series.cast(pl.Float64)
        spread = float(numbers.filter(numbers.is_finite()).std() or 0.0)  # type: ignore[arg-type]
        moved = numbers + generator.normal(0, size * spread, len(series))
        if series.dtype.is_integer():
            moved = moved.round()
        cast = moved.cast(series.dtype, strict=False)
        noisy.append(cast.fill_null(series).alias(name))  # where it would leave the type's range
    return frame.with_columns(noisy)


def _moved(before: Floats, after: Floats) -> Floats:
    """How far each prediction moved; of several classes how much probability went elsewhere."""
    off = np.abs(after - before)
    moved: Floats = off if off.ndim == 1 else off.sum(axis=1) / 2
    return moved


def _scale(evidence: Evidence) -> tuple[float, str]:
    """Say by what a move is measured: a probability's is one of its own."""
    predictions = evidence.test.predictions
    if evidence.task == "regression":
        return float(evidence.test.labels.std()) or 1.0, "of the label's spread"
    if ((predictions < 0) | (predictions > 1)).any():
        return float(predictions.std()) or 1.0, "of the predictions' spread"
    return 1.0, "of probability"


def _flipped(evidence: Evidence, before: Floats, after: Floats) -> float | None:
    if evidence.task == "regression":
        return None
    if before.ndim == 2:
        return float((before.argmax(axis=1) != after.argmax(axis=1)).mean())
    return float(((before >= 0.5) != (after >= 0.5)).mean())


def _lost(evidence: Evidence, kept: Any, before: Floats, after: Floats) -> tuple[float, bool]:
    """Say which share of the skill is lost, and whether that is more than chance."""
    metric, labels = evidence.options.primary, evidence.test.labels[kept]
    found = [
        values([metric], labels, predictions)[metric.name]
        for predictions in (before, after, evidence.constant[: labels.size])
    ]
    skill = metric.sign * (found[0] - found[2])
    if not (np.isfinite(found).all() and skill > 0):
        return np.nan, False
    resampler = evidence.options.resampler(labels.size, "noise")
    drawn = resampler.replicates(
        {"before": metric.prepare(labels, before), "after": metric.prepare(labels, after)}
    )
    loss: Interval | None = resampler.interval(metric.sign * (drawn["before"] - drawn["after"]))
    return metric.sign * (found[0] - found[1]) / skill, loss is not None and loss.low > 0
