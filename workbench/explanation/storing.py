"""Explanations kept with the run of a version, for whoever asks later.

In the run's folder `explanation/`: `importance.json` says what was explained, how, and how well it
adds up; `values.parquet` and `rows.parquet` are the values and the rows; `summary.png` is the
picture and `summary.json` the same for BokehJS's `embed_item`. Where values depend on a background
it is kept too, and later explanations of the version are beside the same one.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.access import refusals, require
from workbench.errors import DataError, NotFoundError, StoreError
from workbench.explanation.naming import Named, find_version
from workbench.explanation.result import Explanation, spare
from workbench.explanation.ways import Background
from workbench.project import Project
from workbench.tracking import client

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = [
    "describe",
    "read_explanation",
    "store_explanation",
    "stored_background",
    "write_explanation",
]

_FOLDER = "explanation"
_RECORD = "importance.json"
_RUN_ID = re.compile(r"[0-9a-f]{32}")


def store_explanation(
    project: Project, name: str, version: str, explanation: Explanation
) -> list[str]:
    """Keep an explanation with a version; one that was kept before is replaced.

    Parameters
    ----------
    version
        The version's number, an alias as `@champion`, or the id of the run that made it.

    Returns
    -------
    list of str
        The artifacts of the run.

    Raises
    ------
    ForbiddenError
        If whoever asks may not write here.
    NotFoundError
        If there is no such version.
    """
    require(project, "developer", f"store an explanation of {name}")
    run_id = _run(project, name, version)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        written = write_explanation(explanation, folder)
        with _as_store_error(run_id), refusals(f"store an explanation of {name}"):
            client(project).log_artifacts(run_id, temporary, _FOLDER)
    return [f"{_FOLDER}/{path.name}" for path in written]


def read_explanation(project: Project, name: str, version: str) -> Explanation:
    """Read the explanation that was kept with a version, which may be named as for storing.

    Raises
    ------
    NotFoundError
        If there is no such version, or none was kept with it.
    """
    run_id = _run(project, name, version)
    with tempfile.TemporaryDirectory() as temporary:
        folder = _fetched(project, run_id, Path(temporary))
        if folder is None:
            raise NotFoundError(f"{name} {version}: no explanation was stored with run {run_id}")
        return _read(folder)


def stored_background(project: Project, named: Named) -> Background | None:
    """Give what a version's rows were compared with when its explanation was stored, if one was."""
    if named.run_id is None:
        return None
    with tempfile.TemporaryDirectory() as temporary:
        folder = _fetched(project, named.run_id, Path(temporary))
        return None if folder is None else _background(folder, _record(folder))


def write_explanation(explanation: Explanation, folder: Path) -> list[Path]:
    """Write an explanation as files into `folder`; return them."""
    from importlib.util import find_spec

    frames = {"values": _long(explanation, explanation.array), "rows": explanation.data}
    if explanation.errors is not None:
        frames["errors"] = _long(explanation, explanation.errors)
    if explanation.background is not None and explanation.background.rows is not None:
        frames["background"] = explanation.background.rows
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")
    record = json.dumps(describe(explanation), indent=2, ensure_ascii=False)
    (folder / _RECORD).write_text(record + "\n", encoding="utf-8")
    picture = explanation.summary()
    (folder / "summary.png").write_bytes(picture.png)
    if find_spec("bokeh") is not None:
        from bokeh.embed import json_item

        (folder / "summary.json").write_text(json.dumps(json_item(picture.figure)), "utf-8")
    return sorted(folder.iterdir())


def _run(project: Project, name: str, version: str) -> str:
    if _RUN_ID.fullmatch(version):
        return version
    text = f"{name}{version}" if version.startswith("@") else f"{name}/{version}"
    run_id = find_version(project, text).run_id
    if run_id is None:
        raise NotFoundError(f"{text}: was registered without a run, so there is no place for it")
    return run_id


def _fetched(project: Project, run_id: str, into: Path) -> Path | None:
    """Download what was kept with a run; None if nothing was."""
    with _as_store_error(run_id):
        here = client(project).list_artifacts(run_id, _FOLDER)
        if f"{_FOLDER}/{_RECORD}" not in {str(found.path) for found in here}:
            return None
        return Path(client(project).download_artifacts(run_id, _FOLDER, str(into)))


def describe(explanation: Explanation) -> dict[str, Any]:
    """Say what was explained, how, and how well it adds up, as JSON can hold it."""
    background = explanation.background
    return {
        "model": explanation.model,
        "method": explanation.method,
        "flavor": explanation.flavor,
        "units": explanation.units,
        "labels": explanation.labels,
        "positive": explanation.positive,
        "importance": explanation.importance,
        "base_values": explanation.base_values,
        "additivity_error": explanation.additivity_error,
        "tolerance": explanation.tolerance,
        "error": explanation.error,
        "rows": explanation.rows,
        "places": explanation.places,
        "background": None if background is None else background.told,
        "background_mean": None if background is None else background.mean,
        "background_rows": background is not None and background.rows is not None,
        "notes": explanation.notes,
    }


def _long(explanation: Explanation, array: Floats) -> pl.DataFrame:
    """Put outputs below each other, behind the row's number, the class and what the model says."""
    count = len(explanation.data)
    front = spare(("_row", "_class", "_output"), explanation.columns)
    places = explanation.places or range(count)
    return pl.concat(
        pl.DataFrame(
            {
                front[0]: list(places),
                front[1]: [label] * count,
                front[2]: explanation.said[output],
                **{name: array[output, :, at] for at, name in enumerate(explanation.columns)},
            }
        )
        for output, label in enumerate(explanation.labels)
    )


def _read(folder: Path) -> Explanation:
    import numpy as np

    record = _record(folder)
    labels = tuple(record["labels"])
    data = pl.read_parquet(folder / "rows.parquet", glob=False)
    values, said = _array(folder / "values.parquet", len(labels))
    errors = folder / "errors.parquet"
    places = record["places"]
    return Explanation(
        model=record["model"],
        method=record["method"],
        flavor=record["flavor"],
        units=record["units"],
        labels=labels,
        positive=record["positive"],
        data=data,
        array=values,
        base=np.array([record["base_values"][label] for label in labels]),
        said=said,
        additivity_error=record["additivity_error"],
        tolerance=record["tolerance"],
        rows=record["rows"],
        places=None if places is None else tuple(places),
        background=_background(folder, record),
        errors=None if record["error"] is None else _array(errors, len(labels))[0],
        notes=tuple(record["notes"]),
    )


def _array(path: Path, outputs: int) -> tuple[Floats, Floats]:
    """Read values back as (outputs, rows, columns), and what the model says as (outputs, rows)."""
    frame = pl.read_parquet(path, glob=False)
    said = frame.to_series(2).to_numpy().reshape(outputs, -1)
    return frame[:, 3:].to_numpy().reshape(outputs, said.shape[1], -1), said


def _record(folder: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        _ = record["labels"], record["base_values"], record["background"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"explanation/{_RECORD}: isn't what was stored: {error!r}") from error
    return record


def _background(folder: Path, record: dict[str, Any]) -> Background | None:
    if record["background"] is None:
        return None
    mean = record["background_mean"]
    path = folder / "background.parquet"  # an earlier explanation's may lie there still
    return Background(
        told=record["background"],
        mean=None if mean is None else tuple(mean),
        rows=pl.read_parquet(path, glob=False) if record["background_rows"] else None,
    )


@contextmanager
def _as_store_error(run_id: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        raise StoreError(f"run {run_id}: its artifacts can't be reached: {error}") from error
