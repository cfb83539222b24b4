"""The rows that were recorded with a version, and where its files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import NotFoundError
from workbench.project import Project
from workbench.registry import get_model, model_uri
from workbench.tracking import fetch_model
from workbench.tracking.recorded import read_recorded

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Answers = npt.NDArray[np.float64]
else:
    Answers = object

__all__ = ["Answers", "Recorded", "recorded_of"]


@dataclass(frozen=True)
class Recorded:
    """A version with the rows that were kept of it, and what it answered in memory.

    `answers` has the shape (rows,) or, of more than two classes, (rows, classes).
    """

    project: Project
    name: str
    version: str
    run_id: str
    flavor: str
    folder: Path
    rows: pl.DataFrame
    answers: Answers
    same_environment: bool


def recorded_of(
    project: Project, name: str, version: str, *, same_environment: bool = False
) -> Recorded:
    """Fetch what was recorded with a version.

    Raises
    ------
    NotFoundError
        If there is no such version, or nothing was recorded with it.
    """
    import mlflow

    versions = {known.version: known for known in get_model(project, name).versions}
    if version not in versions:
        raise NotFoundError.named("version", version, versions, f" of model {name}")
    folder = fetch_model(project, model_uri(name, version))
    rows, answers = read_recorded(folder)
    flavors = mlflow.models.Model.load(folder).flavors
    return Recorded(
        project=project,
        name=name,
        version=version,
        run_id=versions[version].run_id,
        flavor=next(flavor for flavor in flavors if flavor != "python_function"),
        folder=folder,
        rows=rows,
        answers=answers,
        same_environment=same_environment,
    )
