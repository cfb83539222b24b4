"""A version that is loaded and ready to score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import DataError
from workbench.project import Project
from workbench.registry.versions import model_uri
from workbench.tracking import load_model, positive_probability

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Scorer"]


class Scorer:
    """One version of a model, with the columns its signature asks for."""

    def __init__(self, name: str, version: str, columns: list[str], model: Any) -> None:
        self.name = name
        self.version = version
        self.columns = columns
        self._model = model

    @classmethod
    def load(cls, project: Project, name: str, version: str) -> Scorer:
        """Load a version from the registry, without running anything that it brings along."""
        loaded = load_model(project, model_uri(name, version))
        return cls(name, version, loaded.columns, loaded.model)

    def score(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probability of the positive class for each row; shape (rows,).

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
        matrix = frame.select(pl.col(self.columns).cast(pl.Float64)).to_numpy()
        return positive_probability(self._model, matrix)
