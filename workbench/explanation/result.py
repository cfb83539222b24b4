"""What `explain` gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import NotFoundError, UsageError
from workbench.explanation.ways import Background, Flavor

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from workbench.explanation.pictures import Picture

    Floats = npt.NDArray[np.float64]

__all__ = ["OUTPUT", "Explanation", "spare"]

OUTPUT = "output"
"""The name of a model's only output."""


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """What each column added to what a model says of each row.

    For every row and output, the base value and the row's values add up to the output.

    Parameters
    ----------
    model
        What was explained: `flights-late version 3`, or the class of a model that was given.
    method
        How, in a phrase.
    flavor
        `path-dependent`: what isn't known of a row goes down a tree as the training rows did.
        `interventional`: it is taken from `background`. `approximation`: the same, by sampling.
    units
        In which values, base values and outputs are: `log-odds`, `target units`, …
    labels
        The outputs' names: a class each where there are more than two, else `output`.
    positive
        The class that the only output of a classifier speaks for, if it is known.
    data
        The rows that are explained, in the order of the columns as they were given.
    array
        The values; shape (outputs, rows, columns).
    base
        The value of knowing nothing; shape (outputs,).
    said
        What the model says; shape (outputs, rows).
    additivity_error
        The largest difference of base and values from the output, which was held against
        `tolerance`.
    rows
        How many rows there were to explain.
    places
        Which of them are explained, if not all.
    background
        What rows are compared with, if the values depend on that. Given to `explain` again it
        makes new values comparable with these.
    errors
        An approximation's standard errors, in the shape of `array`.
    """

    model: str
    method: str
    flavor: Flavor
    units: str
    labels: tuple[str, ...]
    positive: str | None
    data: pl.DataFrame
    array: Floats
    base: Floats
    said: Floats
    additivity_error: float
    tolerance: float
    rows: int
    places: tuple[int, ...] | None = None
    background: Background | None = None
    errors: Floats | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def columns(self) -> list[str]:
        """The columns, as they were given."""
        return self.data.columns

    @property
    def values(self) -> pl.DataFrame:
        """The values: a row each, and a column for each that the model takes.

        Of more than two classes they stand one below the other, with the columns `_row` and
        `_class` in front (with one more underscore if the model has such columns); `of` gives one
        of them alone.
        """
        if len(self.labels) == 1:
            return self._frame(0)
        row, of = spare(("_row", "_class"), self.columns)
        return pl.concat(
            self._frame(place).select(
                pl.Series(row, self._places()), pl.lit(label).alias(of), pl.all()
            )
            for place, label in enumerate(self.labels)
        )

    def of(self, label: Any) -> pl.DataFrame:
        """Give one class's values.

        Raises
        ------
        NotFoundError
            If there is no such class.
        """
        return self._frame(self._output(label))

    @property
    def base_values(self) -> dict[str, float]:
        """What is said of a row of which nothing is known, by output."""
        return dict(zip(self.labels, self.base.tolist(), strict=True))

    @property
    def outputs(self) -> pl.DataFrame:
        """What the model says of each row, a column each output."""
        return pl.DataFrame(dict(zip(self.labels, self.said, strict=True)))

    @cached_property
    def importance(self) -> dict[str, float]:
        """Each column's mean absolute value, largest first; of classes the sum over them."""
        import numpy as np

        mean = np.abs(self.array).mean(axis=1).sum(axis=0)
        order = np.argsort(-mean, kind="stable")
        return {self.columns[place]: float(mean[place]) for place in order}

    @property
    def sampled(self) -> str | None:
        """How many of how many rows are explained; None if all are."""
        return None if self.places is None else f"{len(self.places):,} of {self.rows:,} rows"

    @property
    def error(self) -> float | None:
        """An approximation's standard error, as the root of its mean square over all values."""
        import numpy as np

        return None if self.errors is None else float(np.sqrt(np.mean(self.errors**2)))

    @property
    def subject(self) -> str:
        """What the values are about: `log-odds of class 1`."""
        return self.units if self.positive is None else f"{self.units} of class {self.positive}"

    def summary(self, label: Any = None) -> Picture:
        """Draw what moves the model most, a mark for each row; of classes a bar for each.

        Parameters
        ----------
        label
            A class, to draw its rows' marks.
        """
        from workbench.explanation.pictures import classes_picture, summary_picture

        if len(self.labels) > 1 and label is None:
            return classes_picture(self)
        return summary_picture(self, self._output(label))

    def local(self, row: int, label: Any = None) -> Picture:
        """Draw how one row came to what the model says of it.

        Parameters
        ----------
        row
            The row's number in the frame that was given.
        label
            Which class; unless given, the one that the model holds for likeliest.

        Raises
        ------
        UsageError
            If there is no such row, or it is none of those that were sampled.
        """
        from workbench.explanation.pictures import local_picture

        place = self.place(row)
        if label is None and len(self.labels) > 1:
            label = self.labels[int(self.said[:, place].argmax())]
        return local_picture(self, place, row, self._output(label))

    def place(self, row: int) -> int:
        """Find a row of the frame that was given among those that are explained.

        Raises
        ------
        UsageError
            If there is no such row, or it is none of those that were sampled.
        """
        if not 0 <= row < self.rows:
            raise UsageError(f"row {row}: there are {self.rows:,}, and the first is row 0")
        known = self._places()
        if row not in known:
            near = ", ".join(map(str, sorted(known, key=lambda one: abs(one - row))[:3]))
            raise UsageError(f"row {row} wasn't sampled; near it are {near}. Or ask for all rows")
        return known.index(row)

    def _places(self) -> list[int]:
        return list(range(self.rows)) if self.places is None else list(self.places)

    def _output(self, label: Any) -> int:
        if label is None and len(self.labels) == 1:
            return 0
        if str(label) not in self.labels:
            raise NotFoundError.named("class", str(label), self.labels)
        return self.labels.index(str(label))

    def _frame(self, output: int) -> pl.DataFrame:
        return pl.DataFrame(
            {name: self.array[output, :, place] for place, name in enumerate(self.columns)}
        )

    def __repr__(self) -> str:
        top = ", ".join(f"{name} {value:.3g}" for name, value in list(self.importance.items())[:5])
        of = self.sampled or f"{self.rows:,} rows"
        return f"Explanation of {self.model}: {of}, {self.flavor}, {self.subject}; {top}"

    def _repr_html_(self) -> str:
        from workbench.explanation.page import fragment

        return fragment(self)


def spare(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Put underscores before names until none of them is taken.

    >>> spare(["_row", "_class"], ["width", "_class"])
    ['__row', '__class']
    """
    found = list(names)
    while set(found) & set(taken):
        found = [f"_{name}" for name in found]
    return found
