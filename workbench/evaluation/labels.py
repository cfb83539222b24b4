"""Labels: which task they make, which rows have one, and what they are as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.errors import DataError
from workbench.evaluation.outcomes import Task

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]

__all__ = ["Labels", "labels_of"]

_MOST_CLASSES = 1_000


@dataclass(frozen=True)
class Labels:
    """The column of what came true, and what its values mean."""

    column: str
    task: Task
    classes: tuple[Any, ...] = ()
    """In the order of the model's probabilities; of two, the second is the positive one."""

    @property
    def positive(self) -> str | None:
        """The class that counts as positive."""
        return str(self.classes[1]) if self.task == "binary" else None

    def known(self, frame: pl.DataFrame) -> pl.Series:
        """Tell which rows have a label."""
        column = frame[self.column]
        known = column.is_not_null()
        return known & column.is_finite() if column.dtype.is_float() else known

    def encode(self, frame: pl.DataFrame) -> Array:
        """Return the labels as numbers: 1.0 and 0.0, class numbers from 0, or the numbers.

        Raises
        ------
        DataError
            If a value is none of the classes.
        """
        column = frame[self.column]
        if self.task == "regression":
            return column.cast(pl.Float64).to_numpy()
        places = {_word(value): place for place, value in enumerate(self.classes)}
        different = column.unique().to_list()
        if strange := [value for value in different if _word(value) not in places]:
            raise DataError(
                f"label {self.column!r}: {strange[0]!r} is none of the classes "
                f"{', '.join(map(str, self.classes))}"
            )
        numbers = {value: places[_word(value)] for value in different}
        found = column.replace_strict(
            list(numbers), list(numbers.values()), return_dtype=pl.Int64
        ).to_numpy()
        return found.astype(np.float64) if self.task == "binary" else found

    def constant(self, labels: Array, rows: int) -> Floats:
        """Predict the share of each class, or the mean, of `labels` for so many rows."""
        if self.task != "multiclass":
            return np.full(rows, labels.mean())
        shares = np.bincount(labels, minlength=len(self.classes)) / labels.size
        return np.tile(shares, (rows, 1))


def labels_of(
    column: pl.Series,
    train: pl.Series | None,
    model: Any,
    classes: Sequence[Any] | None,
    task: Task | None,
) -> Labels:
    """Tell the task by what was said, else by the model's classes, else by all labels.

    Raises
    ------
    DataError
        If a side has no labels, or they can't be those of the task.
    """
    name = column.name
    if column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary):
        raise DataError(f"label {name!r}: {column.dtype} is neither a class nor a number")
    values = _values(column, "frame")
    trained = [] if train is None else _values(train, "train").unique().to_list()
    known = tuple(_plain(value) for value in classes) if classes is not None else None
    task = task or _task(values, trained, model, known)
    if task == "regression":
        if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
            raise DataError(f"label {name!r}: {values.dtype} is no number to predict")
        return Labels(name, task)
    if known is None:
        known = _in_order({*values.unique().to_list(), *trained}, name)
        if task == "binary" and set(known) <= {0, 1}:
            known = (False, True) if values.dtype == pl.Boolean else (0, 1)
    if len(known) > _MOST_CLASSES or (task == "binary" and len(known) != 2) or len(known) < 2:
        raise DataError(
            f"label {name!r}: a {task} task has {'two' if task == 'binary' else 'several'} "
            f"classes, found {len(known)}"
        )
    return Labels(name, task, known)


def _values(column: pl.Series, what: str) -> pl.Series:
    values = column.drop_nulls()
    values = values.filter(values.is_finite()) if values.dtype.is_float() else values
    if values.is_empty():
        raise DataError(f"{what}: none of {len(column):,} rows has a label in {column.name!r}")
    return values


def _task(
    values: pl.Series, trained: Sequence[Any], model: Any, classes: tuple[Any, ...] | None
) -> Task:
    if classes is not None:
        return "binary" if len(classes) == 2 else "multiclass"
    if values.dtype == pl.Boolean:
        return "binary"
    if not values.dtype.is_numeric():
        return "binary" if len({*values.unique().to_list(), *trained}) == 2 else "multiclass"
    if ((values == 0) | (values == 1)).all():
        return "binary"
    return "multiclass" if hasattr(model, "predict_proba") else "regression"


def _in_order(labels: set[Any], name: str) -> tuple[Any, ...]:
    try:
        return tuple(sorted(labels))
    except TypeError as error:
        raise DataError(
            f"label {name!r}: of another kind in frame than in train: {error}"
        ) from None


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _word(value: Any) -> str:
    """Write true, 1 and 1.0 alike: a model fitted on 0 and 1 is judged by Booleans too."""
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return str(int(value) if is_whole else value)
