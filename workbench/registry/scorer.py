"""A version that is loaded and ready to score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import DataError
from workbench.project import Project
from workbench.registry.versions import model_uri
from workbench.tracking import LoadedModel, load_model
from workbench.tracking.asking import answers
from workbench.tracking.typed import typed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

__all__ = ["Scorer"]


class Scorer:
    """One version of a model, with the columns its signature asks for."""

    def __init__(self, name: str, version: str, loaded: LoadedModel) -> None:
        self.name = name
        self.version = version
        self.columns = loaded.columns
        self.model = loaded.model
        self.size = loaded.size
        """Bytes of the model's files."""
        self.classes = loaded.classes
        """A classifier's labels, in the order of its probabilities."""
        self._types = loaded.types

    @classmethod
    def load(cls, project: Project, name: str, version: str) -> Scorer:
        """Load a version from the registry, without running anything that it brings along."""
        return cls(name, version, load_model(project, model_uri(name, version)))

    def score(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Return what the model says of each row.

        Shape (rows,): the probability of the positive class, or the number that is predicted; of
        more than two classes the probabilities, shape (rows, classes).

        Raises
        ------
        DataError
            If the frame lacks a column of the signature, or has something else in it.
        """
        import numpy as np

        missing = [column for column in self.columns if column not in frame.columns]
        if missing:
            raise DataError(f"{self.name} version {self.version} needs {', '.join(missing)}")
        if frame.is_empty():
            several = len(self.classes or ())
            return np.empty((0, several) if several > 2 else 0)
        rows = frame.select(self.columns) if self.columns else frame
        told = f"{self.name} version {self.version}"
        return answers(self.model, typed(self.model, rows, self._types, told))
