"""Two models on the same rows: those that were recorded when the stored one was logged.

Bits come first. Where they differ the largest difference counts, against what the library itself
leaves open, which is the gate's tolerance of parity.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, NotFoundError, WorkbenchError
from workbench.project import Project
from workbench.reproduction.records import Predictions
from workbench.reproduction.wire import Asked
from workbench.tracking.asking import answers
from workbench.tracking.models import read_model
from workbench.tracking.recorded import read_recorded, spread_rows

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

__all__ = ["compare_models", "compare_numbers", "own_library"]

_FRAMES = "offline/frames/*.parquet"


def own_library(folder: Path) -> str:
    """Name the library of the model in a folder, by the file that MLflow keeps about it."""
    flavors = [name for name in _about(folder).flavors if name != "python_function"]
    return str(flavors[0]) if flavors else "python_function"


def compare_models(project: Project, asked: Asked, folder: Path) -> dict[str, Any]:
    """Ask the stored model and the one in `folder` about the same rows.

    Returns
    -------
    dict
        `predictions`, or `why_no_predictions` where there are no rows or a model can't answer.
    """
    trust = {"trust_pickle": asked.trust_pickle, "trusted_types": asked.trusted_types}
    trusting = Project(project.root, project.settings.model_copy(update=trust))
    try:
        rows, source = _rows(project, asked)
        one, other = (answers(_load(each, trusting), rows) for each in (asked.folder, folder))
    except WorkbenchError as error:
        return {"why_no_predictions": str(error)}
    return {"predictions": compare_numbers(one, other, own_library(asked.folder), source)}


def compare_numbers(
    one: npt.NDArray[Any], other: npt.NDArray[Any], library: str, source: str
) -> Predictions:
    """Say how far two answers to the same rows are apart.

    Parameters
    ----------
    one, other
        Shape (rows,) or (rows, classes).
    """
    from workbench.gates.parity.comparing import tolerance_of

    tolerance = tolerance_of(library)
    same = one.shape == other.shape and one.tobytes() == other.tobytes()
    within, largest = False, math.inf
    if one.shape == other.shape:
        within, largest = _apart(one, other, tolerance)
    return Predictions(
        rows=len(one),
        of=source,
        library=library,
        same_bits=same,
        within=within,
        largest=largest,
        tolerance=tolerance,
    )


def _apart(before: npt.NDArray[Any], now: npt.NDArray[Any], tolerance: float) -> tuple[bool, float]:
    """Say whether all numbers are near enough, and how far the farthest two are apart."""
    import numpy as np

    alike = (before == now) | (np.isnan(before) & np.isnan(now))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(alike, 0.0, np.abs(before - now))
    apart = np.where(np.isnan(apart), math.inf, apart)  # a number, and none
    scale = np.where(np.isfinite(before), np.maximum(1.0, np.abs(before)), 1.0)
    return bool((apart <= tolerance * scale).all()), float(apart.max(initial=0.0))


def _about(folder: Path) -> Any:
    from mlflow.models import Model

    return Model.load(folder)


def _load(folder: Path, project: Project) -> Any:
    """Load a model from its folder, as `load_model` does by its address."""
    return read_model(_about(folder).flavors, folder, project, str(folder))


def _rows(project: Project, asked: Asked) -> tuple[pl.DataFrame, str]:
    """Take the rows that were recorded with the model, else some from all over its data.

    Raises
    ------
    DataError
        If no data have all the columns that the model asks for.
    """
    try:
        return read_recorded(asked.folder)[0], "those recorded with the model"
    except NotFoundError:
        pass  # it was logged without an example
    signature = _about(asked.folder).signature
    if signature is None or signature.inputs is None or signature.inputs.is_tensor_spec():
        raise DataError("the model's signature names no columns, so no rows can be chosen for it")
    columns = [str(name) for name in signature.inputs.input_names()]
    for source, frame in _frames(project, asked):
        if set(columns) <= set(frame.collect_schema().names()):
            rows = frame.select(columns).collect()
            if rows.height:
                return spread_rows(rows), source
    raise DataError("no dataset of the run has all the columns that the model asks for")


def _frames(project: Project, asked: Asked) -> Iterator[tuple[str, pl.LazyFrame]]:
    import polars as pl

    from workbench.data.rebuild import read_again

    for path in sorted(project.state.glob(_FRAMES)):
        yield f"the factory's frame {path.stem}", pl.scan_parquet(path, glob=False)
    for dataset in asked.datasets:
        if not dataset.stamped:
            try:
                yield f"dataset {dataset.label}", read_again(project, dataset).lazy()
            except WorkbenchError:
                continue
