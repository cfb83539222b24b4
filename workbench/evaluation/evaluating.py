"""Evaluating a model on rows: metrics with intervals, slices, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.data import frame_digest
from workbench.errors import DataError, NotFoundError, UsageError
from workbench.evaluation.calibration import reliability
from workbench.evaluation.checks import Check, find_checks
from workbench.evaluation.evidence import Evidence, Options, Side, side_of
from workbench.evaluation.labels import labels_of
from workbench.evaluation.measuring import measured, sliced, with_references
from workbench.evaluation.metrics import Metric, find_metric, metric_names
from workbench.evaluation.outcomes import Task
from workbench.evaluation.predictors import Predictor, predictor_of
from workbench.evaluation.report import EvaluationReport
from workbench.evaluation.slicing import parts_of

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["evaluate"]


def evaluate(
    model: Any,
    frame: pl.DataFrame | pl.LazyFrame | pd.DataFrame,
    label: str,
    *,
    train: pl.DataFrame | pl.LazyFrame | pd.DataFrame | None = None,
    time: str | None = None,
    key: str | Sequence[str] | None = None,
    slices: Sequence[str] | Mapping[str, str] = (),
    metrics: Sequence[str] | None = None,
    floors: Mapping[str, float] | None = None,
    checks: Sequence[str | Check] | None = None,
    columns: Sequence[str] | None = None,
    task: Task | None = None,
    seed: int = 0,
    resamples: int = 200,
    level: float = 0.95,
) -> EvaluationReport:
    """Judge a model on rows that it hasn't seen.

    Parameters
    ----------
    model
        A `Predictor` (a `registry.Scorer`, say), a fitted estimator or booster, what
        `wb.tracking.load_model` returns, or a function from a frame to predictions.
    frame
        The rows to judge on: features, label, and what `time`, `key` and `slices` name. Rows
        without a label are left out, and counted.
    label
        The column of what came true.
    train
        The rows it was trained on, with the same columns. Without them the checks that compare the
        two don't apply, and baselines are taken from `frame`.
    time
        The column of the moment a row was asked about.
    key
        The column, or columns, that name a row, or what rows belong together by (a customer): if
        values occur more than once, the bootstrap draws whole groups.
    slices
        Columns, or conditions in SQL such as `"origin = 'EWR' and distance > 1000"`; a mapping
        gives each condition a name of its own.
    metrics
        Names such as `"roc_auc"` or `"recall@0.3"`; the first is what slices and checks go by.
    floors
        The worst that a metric may be in any slice, by its name: a least value, or a largest of
        one of which lower is better.
    checks
        Codes, or checks with thresholds of their own (`find_check("WB005", {"max_error": 0.1})`);
        all of them by default.
    columns
        The features, where the model doesn't say itself.
    task
        What is predicted; by default told by the label and the model.
    seed, resamples, level
        Of the bootstrap. The same seed gives the same report.

    Raises
    ------
    DataError
        If there are no rows, none with a label, or the model can't answer them.
    NotFoundError
        If a column, a metric or a check doesn't exist; the message has those that do.
    ConfigError
        If a slice is no condition that can be asked of the rows, or a check's options are wrong.
    """
    frame, train = _frame(frame, "frame"), None if train is None else _frame(train, "train")
    _check_frames(frame, train, label, time, key)
    names = _keys(key)
    others = [label, *names, *([time] if time else [])]
    predictor = predictor_of(model, frame, columns, others)
    trained = None if train is None else train[label]
    labels = labels_of(frame[label], trained, model, getattr(predictor, "classes", None), task)
    options = Options(
        metrics=_metrics(metrics, floors or {}, labels.task),
        floors=_floors(floors or {}, labels.task),
        time=time,
        key=names,
        seed=seed,
        resamples=resamples,
        level=level,
    )
    chosen = find_checks(checks)
    test = side_of(predictor, frame, labels)
    groups = _groups(test.frame, names)
    parts = parts_of(test.frame, slices)
    cut, replicates = sliced(parts, test, groups, options)
    evidence = Evidence(predictor, labels, frame, test, options, train, groups, cut, replicates)
    return _reported(evidence, chosen, model)


def _frame(given: Any, what: str) -> pl.DataFrame:
    if isinstance(given, pl.DataFrame):
        return given
    if isinstance(given, pl.LazyFrame):
        return given.collect()
    if not (hasattr(given, "iloc") and hasattr(given, "columns")):
        raise UsageError(f"{what}: a {type(given).__name__}; expected a polars or pandas frame")
    try:
        return pl.from_pandas(given.reset_index(drop=True))
    except Exception as error:  # Arrow's, of a column that holds more than one type
        first = str(error).partition(chr(10))[0]
        raise DataError(f"{what}: can't be read as polars: {first}") from error


def _check_frames(
    frame: pl.DataFrame,
    train: pl.DataFrame | None,
    label: str,
    time: str | None,
    key: str | Sequence[str] | None,
) -> None:
    if frame.is_empty():
        raise DataError("frame: there are no rows to evaluate")
    if train is not None and train.is_empty():
        raise DataError("train: the reference has no rows")
    for column in (label, *_keys(key), *([time] if time else [])):
        if column not in frame.columns:
            raise NotFoundError.named("column", column, frame.columns)
    if train is not None and label not in train.columns:
        raise NotFoundError.named("column", label, train.columns, " of train")


def _keys(key: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if key is None else (key,) if isinstance(key, str) else tuple(key)


def _metrics(
    names: Sequence[str] | None, floors: Mapping[str, float], task: Task
) -> tuple[Metric, ...]:
    asked = metric_names(task) if names is None else list(names)
    if not asked:
        raise UsageError(f"metrics: name at least one; there are: {', '.join(metric_names(task))}")
    return tuple(find_metric(name, task) for name in dict.fromkeys([*asked, *floors]))


def _floors(floors: Mapping[str, float], task: Task) -> dict[str, float]:
    for name in floors:
        if find_metric(name, task).higher_is_better is None:
            raise UsageError(f"floors: {name} is neither good nor bad")
    return {name: float(floor) for name, floor in floors.items()}


def _groups(frame: pl.DataFrame, key: Sequence[str]) -> npt.NDArray[Any] | None:
    """Number the groups; None where every row is one of its own, and rows may be drawn."""
    if not key or frame.is_empty():
        return None
    numbers = frame.select(pl.struct(key).rank("dense")).to_series().to_numpy().astype(np.int64) - 1
    return None if numbers.max() + 1 == frame.height else numbers


def _reported(evidence: Evidence, checks: Sequence[Check], model: Any) -> EvaluationReport:
    options, test = evidence.options, evidence.test
    all_rows = measured(options.metrics, test.labels, test.predictions, evidence.resampler("all"))
    train = evidence.train_frame
    learned, notes = _learned(evidence)
    resampler = evidence.resampler("all")
    return EvaluationReport(
        model=_described(evidence.predictor, model),
        task=evidence.task,
        label=evidence.labels.column,
        positive=evidence.labels.positive,
        classes=tuple(map(str, evidence.labels.classes)),
        rows=test.rows,
        unlabelled=test.unlabelled,
        unpredicted=test.unpredicted,
        train_rows=None if train is None else train.height,
        columns=tuple(evidence.columns),
        dataset=frame_digest(evidence.frame),
        time=options.time,
        key=options.key,
        groups=None if evidence.groups is None else resampler.units,
        level=options.level,
        resamples=options.resamples,
        seed=options.seed,
        primary=options.primary.name,
        metrics=with_references(evidence, all_rows.metrics, learned),
        notes=notes,
        slices=evidence.slices,
        checks=tuple(check.run(evidence) for check in checks),
        reliability=reliability(evidence),
    )


def _learned(evidence: Evidence) -> tuple[Side | None, tuple[str, ...]]:
    """Predict the training rows; where they can't be (a column is gone, say) tell why."""
    try:
        return evidence.train, ()
    except Exception as error:  # what the model itself says of rows that it can't take
        return None, (f"The training rows can't be predicted: {error}",)


def _described(predictor: Predictor, model: Any) -> str:
    name = getattr(predictor, "name", None) or type(model).__name__
    version = getattr(predictor, "version", None)
    return f"{name} version {version}" if version else str(name)
