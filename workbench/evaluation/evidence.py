"""What the checks look at: rows with labels and predictions, and what the model learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.errors import DataError
from workbench.evaluation.bootstrap import Resampler
from workbench.evaluation.labels import Labels
from workbench.evaluation.metrics import Metric
from workbench.evaluation.outcomes import SliceResult, Task
from workbench.evaluation.predictors import Predictor

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]

__all__ = ["Evidence", "Options", "Side", "side_of"]

_TRAIN_ROWS = 50_000
"""Training rows that are predicted: what is asked of them needs no more."""


@dataclass(frozen=True)
class Side:
    """Rows that have a label and a finite prediction, with both as the metrics take them."""

    frame: pl.DataFrame
    labels: Array
    """Shape (rows,)."""
    predictions: Floats
    """Shape (rows,), or (rows, classes)."""
    raw: Floats
    """The predictions of all labelled rows, the missing ones too."""
    unlabelled: int = 0

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.frame.height

    @property
    def unpredicted(self) -> int:
        """How many labelled rows have no finite prediction."""
        return len(self.raw) - self.rows


def side_of(predictor: Predictor, frame: pl.DataFrame, labels: Labels) -> Side:
    """Predict the labelled rows of a frame.

    Raises
    ------
    DataError
        If the predictions haven't the shape that the task asks for.
    """
    known = frame.filter(labels.known(frame))
    raw = _answer(predictor, known, labels)
    usable = np.isfinite(raw) if raw.ndim == 1 else np.isfinite(raw).all(axis=1)
    kept = known if usable.all() else known.filter(pl.Series(usable))
    return Side(kept, labels.encode(kept), raw[usable], raw, frame.height - known.height)


def _answer(predictor: Predictor, frame: pl.DataFrame, labels: Labels) -> Floats:
    answer = np.asarray(predictor.score(frame), dtype=np.float64)
    if labels.task != "multiclass":
        if answer.shape == (frame.height, 2) and labels.task == "binary":
            answer = answer[:, 1]
        wanted: tuple[int, ...] = (frame.height,)
        answer = answer.reshape(-1) if answer.shape == (frame.height, 1) else answer
    else:
        wanted = (frame.height, len(labels.classes))
    if answer.shape != wanted:
        raise DataError(
            f"the model answered {frame.height} rows with shape {answer.shape}; a {labels.task} "
            f"task expects {wanted}"
        )
    return answer


@dataclass(frozen=True)
class Options:
    """How the evaluation was asked for."""

    metrics: tuple[Metric, ...]
    floors: Mapping[str, float] = field(default_factory=dict)
    time: str | None = None
    key: tuple[str, ...] = ()
    seed: int = 0
    resamples: int = 200
    level: float = 0.95

    @property
    def primary(self) -> Metric:
        """The metric that slices and checks go by: the first that says what is better."""
        judging = [metric for metric in self.metrics if metric.higher_is_better is not None]
        return (judging or list(self.metrics))[0]

    def resampler(self, rows: int, purpose: str, groups: Array | None = None) -> Resampler:
        """Return what draws the resamples for one purpose."""
        return Resampler(
            rows,
            groups=groups,
            seed=self.seed,
            resamples=self.resamples,
            level=self.level,
            purpose=purpose,
        )


@dataclass(frozen=True)
class Evidence:
    """Everything a check may look at. `frame` and `train_frame` are as they were given."""

    predictor: Predictor
    labels: Labels
    frame: pl.DataFrame
    test: Side
    options: Options
    train_frame: pl.DataFrame | None = None
    groups: Array | None = None
    """Each test row's group, where groups are drawn."""
    slices: tuple[SliceResult, ...] = ()
    slice_replicates: Mapping[str, Floats] = field(default_factory=dict)
    """The primary metric of each slice in each resample."""

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.labels.task

    @property
    def columns(self) -> list[str]:
        """The features that both the model looks at and the frame has."""
        return [column for column in self.predictor.columns if column in self.frame.columns]

    @cached_property
    def train(self) -> Side | None:
        """The training rows with their predictions, of at most 50,000 drawn by the seed."""
        if self.train_frame is None:
            return None
        sample = self.sample(self.train_frame, _TRAIN_ROWS)
        return side_of(self.predictor, sample, self.labels)

    @cached_property
    def constant(self) -> Floats:
        """What always predicting the training rows' rate, shares or mean would say of each row."""
        source = self.frame if self.train_frame is None else self.train_frame
        known = source.filter(self.labels.known(source))
        return self.labels.constant(self.labels.encode(known), self.test.rows)

    def sample(self, frame: pl.DataFrame, rows: int) -> pl.DataFrame:
        """Return at most so many rows, always the same."""
        return frame if frame.height <= rows else frame.sample(rows, seed=self.options.seed)

    def resampler(self, purpose: str) -> Resampler:
        """Return what draws resamples of the test rows."""
        return self.options.resampler(self.test.rows, purpose, self.groups)

    def numeric(self) -> Sequence[str]:
        """The features that are numbers."""
        return [column for column in self.columns if self.frame.schema[column].is_numeric()]
