"""What a gate is asked of, with what its requirements have in common worked out once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.data import frame_digest
from workbench.errors import DataError
from workbench.evaluation import (
    EvaluationReport,
    Labels,
    evaluate,
    find_check,
    labels_of,
    measure_all,
    metric_names,
)
from workbench.gates.spec import GateSpec
from workbench.project import Project
from workbench.registry import Scorer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Question"]


@dataclass(frozen=True)
class Question:
    """Is this version good enough, on these rows, beside that champion?

    Parameters
    ----------
    rows
        Labelled rows that it hasn't seen: the columns of the model's signature, `label`, and what
        slices name.
    train
        The rows it was trained on, for the baseline (which always predicts their mean, or the
        share of each class) and the checks that compare the two; None takes the baseline from
        `rows` and leaves those checks out.
    champion
        The version that holds the alias now, judged on the same rows; None if there is none.
    window
        What the rows are, in words.
    """

    project: Project
    spec: GateSpec
    factory: str
    model: str
    version: str
    rows: pl.DataFrame
    label: str
    window: str
    champion: str | None
    train: pl.DataFrame | None = None
    time: str | None = None
    key: str | None = None
    features: dict[str, str] = field(default_factory=dict)
    """Each input column that is a feature: `weather__wind` → `weather:wind`."""

    @property
    def name(self) -> str:
        """The version, in words."""
        return f"{self.model} version {self.version}"

    @cached_property
    def digest(self) -> str:
        """The digest of the rows."""
        return frame_digest(self.rows)

    @cached_property
    def scorer(self) -> Scorer:
        """The stored model."""
        return Scorer.load(self.project, self.model, self.version)

    @cached_property
    def scores(self) -> npt.NDArray[np.float64]:
        """What the stored model says of the rows."""
        return self.scorer.score(self.rows)

    @cached_property
    def champion_scores(self) -> npt.NDArray[np.float64] | None:
        """What the champion says of the same rows."""
        if self.champion is None:
            return None
        return Scorer.load(self.project, self.model, self.champion).score(self.rows)

    @cached_property
    def labels(self) -> Labels:
        """What the labels mean."""
        trained = None if self.train is None else self.train[self.label]
        classes = self.scorer.classes
        return labels_of(self.rows[self.label], trained, self.scorer, classes, self.spec.task)

    @cached_property
    def truth(self) -> npt.NDArray[Any]:
        """What came true, as numbers."""
        return self.labels.encode(self.rows)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The version's metrics, those that are defined on the rows.

        Raises
        ------
        DataError
            If what versions are compared by isn't among them.
        """
        found = self._measured(self.scores)
        if self.spec.metric not in found:
            raise DataError(
                f"{self.name}: {self.spec.metric} is not defined on the {self.rows.height:,} rows "
                f"of {self.window}; expected every class among their labels"
            )
        return found

    @cached_property
    def baseline(self) -> dict[str, float]:
        """The metrics of always predicting what the training data have on average."""
        learnt = self.labels.encode(self.rows if self.train is None else self.train)
        return self._measured(self.labels.constant(learnt, self.rows.height))

    @cached_property
    def champion_metrics(self) -> dict[str, float] | None:
        """The champion's metrics."""
        scores = self.champion_scores
        return None if scores is None else self._measured(scores)

    def _measured(self, predictions: npt.NDArray[np.float64]) -> dict[str, float]:
        spec = self.spec
        asked = (*metric_names(spec.task), spec.metric, *spec.thresholds, *spec.beat_baseline)
        return measure_all(self.truth, predictions, dict.fromkeys(asked), task=spec.task)

    @cached_property
    def evaluation(self) -> EvaluationReport:
        """The evaluation that thresholds with intervals, slices and checks by code are read from.

        It is asked for what the policy names and nothing else.
        """
        spec = self.spec
        asked = spec.checks if isinstance(spec.checks, dict) else {code: {} for code in spec.checks}
        codes = {**asked, **({"WB004": {}} if spec.slice_floors else {})}
        wanted = [spec.metric, *spec.thresholds, *spec.slice_floors]
        return evaluate(
            self.scorer,
            self.rows,
            self.label,
            train=self.train,
            time=self.time,
            key=self.key,
            slices=spec.slices,
            metrics=list(dict.fromkeys(wanted)),
            floors=spec.slice_floors,
            checks=[find_check(code, options) for code, options in codes.items()],
            task=spec.task,
        )

    @property
    def needs_evaluation(self) -> bool:
        """Whether the policy asks for anything that an evaluation tells."""
        spec = self.spec
        intervals = any(bound.interval for bound in spec.thresholds.values())
        return bool(spec.checks or spec.slices or spec.slice_floors or intervals)
