"""A model version as SQL knows it: which columns it wants, and what it answers to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from workbench.errors import DataError, UsageError
from workbench.explanation.naming import find_version
from workbench.project import Project
from workbench.tracking import load_model
from workbench.tracking.asking import probabilities, values
from workbench.tracking.typed import typed

if TYPE_CHECKING:
    from workbench.tracking.asking import Answers

__all__ = ["ModelVersion", "find_model"]

Meaning = Literal["probability", "label", "number"]


@dataclass(frozen=True)
class ModelVersion:
    """A version that was loaded.

    Attributes
    ----------
    columns
        What its signature asks for, in order; empty of a matrix whose columns have no names.
    types
        The signature's type of each column.
    classes
        A classifier's labels, in the order of its probabilities.
    meaning
        What `predict` says: the positive class's probability of a classifier of two classes, the
        likeliest label of one of more, and the number of anything else.
    """

    name: str
    version: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    classes: tuple[Any, ...]
    model: Any

    @property
    def label(self) -> str:
        """Its name with the version."""
        return f"{self.name}/{self.version}"

    @property
    def told(self) -> str:
        """How errors name it."""
        return f"model {self.label}"

    @property
    def node(self) -> str:
        """Its name in the lineage."""
        return f"model:{self.label}"

    @property
    def meaning(self) -> Meaning:
        """What `predict` says."""
        if not self.classes:
            return "number"
        return "probability" if len(self.classes) == 2 else "label"

    @property
    def dtype(self) -> pl.DataType:
        """The type of what `predict` says."""
        if self.meaning != "label":
            return pl.Float64()
        for kind, dtype in ((bool, pl.Boolean()), (int, pl.Int64()), (float, pl.Float64())):
            if all(type(label) is kind for label in self.classes):
                return dtype
        return pl.String()

    def predict(self, rows: pl.DataFrame) -> pl.Series:
        """Answer; shape (rows,)."""
        if rows.is_empty():
            return pl.Series(dtype=self.dtype)
        if self.meaning == "number":
            return pl.Series(self._answers(values, rows))
        shares = self._answers(probabilities, rows)
        if self.meaning == "probability":
            return pl.Series(shares[:, 1])
        labels = [str(c) for c in self.classes] if self.dtype == pl.String else list(self.classes)
        chosen = shares.argmax(axis=1)  # of two that are as likely the first, as the libraries do
        return pl.Series([labels[n] for n in chosen], dtype=self.dtype)

    def predict_proba(self, rows: pl.DataFrame) -> pl.Series:
        """Answer with each class's probability, as a struct with a field for each label."""
        names = [str(label) for label in self.classes]
        if rows.is_empty():
            return pl.Series(dtype=pl.Struct(dict.fromkeys(names, pl.Float64)))
        shares = self._answers(probabilities, rows)
        columns = {name: shares[:, place] for place, name in enumerate(names)}
        return pl.DataFrame(columns).to_struct()

    def _answers(self, ask: Callable[[Any, pl.DataFrame], Answers], rows: pl.DataFrame) -> Answers:
        asked = typed(self.model, rows, self.types, self.told)
        try:
            return ask(self.model, asked)
        except DataError as error:
            raise DataError(f"{self.told}: {error}") from error


def find_model(project: Project, reference: str) -> ModelVersion:
    """Load the version that `name@alias` or `name/3` means.

    Raises
    ------
    NotFoundError
        If there is no such model, alias or version.
    UsageError
        If it names neither an alias nor a version.
    """
    found = find_version(project, reference, exact=True)
    if found.name is None or found.version is None:
        raise UsageError(f"model {reference!r}: it isn't registered; expected NAME@alias or NAME/3")
    loaded = load_model(project, found.uri)
    return ModelVersion(
        name=found.name,
        version=found.version,
        columns=tuple(loaded.columns),
        types=tuple(loaded.types),
        classes=tuple(loaded.classes or _labels(loaded.model)),
        model=loaded.model,
    )


def _labels(model: Any) -> Sequence[Any]:
    """Ask the model itself, if it was stored without its labels."""
    labels = getattr(model, "classes_", None)
    return [] if labels is None or getattr(labels, "ndim", 1) != 1 else list(labels.tolist())
