"""A version that is loaded and ready to score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import DataError
from workbench.project import Project
from workbench.registry.versions import model_uri
from workbench.tracking import load_model
from workbench.tracking.answers import answers, named_matrix

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Scorer"]

_AS_NUMBERS = (pl.Boolean, pl.Null)


class Scorer:
    """One version of a model, with the columns its signature asks for."""

    def __init__(
        self, name: str, version: str, columns: list[str], model: Any, size: int = 0
    ) -> None:
        self.name = name
        self.version = version
        self.columns = columns
        self.model = model
        self.size = size
        """Bytes of the model's files."""

    @classmethod
    def load(cls, project: Project, name: str, version: str) -> Scorer:
        """Load a version from the registry, without running anything that it brings along."""
        loaded = load_model(project, model_uri(name, version))
        return cls(name, version, loaded.columns, loaded.model, loaded.size)

    def score(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Return what the model says of each row.

        Shape (rows,): the probability of the positive class, or the number that is predicted; of
        more than two classes the probabilities, shape (rows, classes).

        Raises
        ------
        DataError
            If the frame lacks a column of the signature.
        """
        import numpy as np

        missing = [column for column in self.columns if column not in frame.columns]
        if missing:
            raise DataError(f"{self.name} version {self.version} needs {', '.join(missing)}")
        if frame.is_empty():
            return np.empty(0)
        rows = frame.select(self.columns) if self.columns else frame
        if all(dtype.is_numeric() or dtype in _AS_NUMBERS for dtype in rows.dtypes):
            rows = rows.select(pl.all().cast(pl.Float64))
            return answers(self.model, named_matrix(self.model, rows.to_numpy()))
        return answers(self.model, rows)
