"""What can be evaluated: anything that answers a frame with one prediction a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import polars as pl

from workbench.errors import DataError, NotFoundError, UsageError
from workbench.tracking.asking import answers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Predictor", "predictor_of"]


@runtime_checkable
class Predictor(Protocol):
    """A model that takes a polars frame; `registry.Scorer` is one.

    It may also have `classes`, the labels in the order of its probabilities, and a `name` and a
    `version`, which the report then shows.
    """

    @property
    def columns(self) -> Sequence[str]:
        """The columns that it looks at; others in the frame are left alone."""

    def score(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Predict each row: shape (rows,) of the positive class's probabilities or of numbers, or
        (rows, classes) of probabilities.
        """


class _Estimator:
    """A fitted model of one of the libraries, or any with `predict_proba` or `predict`."""

    def __init__(self, model: Any, columns: Sequence[str], classes: Sequence[Any] | None) -> None:
        self.model = model
        self.columns = list(columns)
        self.classes = list(classes) if classes is not None else None
        self.name = type(model).__name__

    def score(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Predict each row."""
        missing = [column for column in self.columns if column not in frame.columns]
        if missing:
            raise DataError(f"{self.name}: the rows lack {', '.join(missing)}")
        return answers(self.model, frame.select(self.columns))


def predictor_of(
    model: Any, frame: pl.DataFrame, columns: Sequence[str] | None, others: Sequence[str]
) -> Predictor:
    """Find out how `model` is asked.

    Parameters
    ----------
    model
        A `Predictor`; a fitted estimator or booster; what `wb.tracking.load_model` returns; or a
        function from a frame to predictions.
    columns
        The columns that it looks at; None takes them from the model, or all but `others`.
    others
        Columns that aren't features: label, time, key.

    Raises
    ------
    UsageError
        If it is nothing that predicts.
    NotFoundError
        If the frame lacks one of `columns`.
    """
    if columns is not None:
        for column in columns:
            if column not in frame.columns:
                raise NotFoundError.named("column", column, frame.columns)
    if columns is None and isinstance(model, Predictor):
        return model
    if hasattr(model, "model") and hasattr(model, "columns"):  # tracking.LoadedModel
        known = columns or list(model.columns) or None
        return _estimator(model.model, frame, known, others, getattr(model, "classes", None))
    return _estimator(model, frame, columns, others, None)


def _estimator(
    model: Any,
    frame: pl.DataFrame,
    columns: Sequence[str] | None,
    others: Sequence[str],
    classes: Sequence[Any] | None,
) -> _Estimator:
    if not (hasattr(model, "predict_proba") or hasattr(model, "predict") or callable(model)):
        raise UsageError(
            f"a {type(model).__name__} can't be evaluated: expected score(frame) with columns, "
            "predict_proba, predict, or a function of the frame"
        )
    if classes is None:
        known = getattr(model, "classes_", None)
        classes = None if known is None or not len(known) else list(known)
    return _Estimator(model, columns or _columns(model, frame, others), classes)


def _columns(model: Any, frame: pl.DataFrame, others: Sequence[str]) -> list[str]:
    """Take the names that the model was fitted with, or every column that isn't set apart."""
    names = [str(name) for name in _names(model)]
    if any(name in frame.columns for name in names):  # or else the library made them up
        return names
    rest = [column for column in frame.columns if column not in others]
    wanted = getattr(model, "n_features_in_", None)
    if isinstance(wanted, int) and wanted != len(rest):
        raise UsageError(
            f"{type(model).__name__} was fitted on {wanted} columns, the rows have {len(rest)} "
            "that may be features; name them in their order: columns=[…]"
        )
    return rest


def _names(model: Any) -> Sequence[str]:
    found = getattr(model, "feature_names_in_", None)
    return [] if found is None else list(found)
