"""Runs side by side: what went in, what came out, and the cells that made the difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, computed_field

from workbench.errors import NotebookError, NotFoundError, UsageError
from workbench.git.notebooks import NotebookDiff, diff, parse
from workbench.lineage import upstream
from workbench.project import Project
from workbench.tracking.inputs import digests_by_name, run_datasets
from workbench.tracking.lifecycle import read_json, read_text
from workbench.tracking.runs import RunRecord, get_run

__all__ = ["Comparison", "Row", "compare_runs", "executed_cells"]

_EXECUTED = ("notebook/executed.ipynb", "notebook/partial.ipynb", "notebook/cells.ipynb")
"""Where a job and an interactive notebook leave what they executed."""


class Row(BaseModel):
    """One name with its value in each run; None where a run doesn't have it."""

    model_config = ConfigDict(frozen=True)

    name: str
    values: list[float | str | None]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def differs(self) -> bool:
        """Whether the runs disagree; NaN agrees with NaN."""
        return len({_comparable(value) for value in self.values}) > 1


class Comparison(BaseModel):
    """Runs beside each other, every row in their order.

    The runs named in `without_packages` have no environment recorded: None in their columns of
    `packages` says nothing about them.
    """

    model_config = ConfigDict(frozen=True)

    runs: list[RunRecord]
    params: list[Row]
    metrics: list[Row]
    datasets: list[Row]
    features: list[Row]
    packages: list[Row]
    without_packages: list[str]
    cells: list[NotebookDiff | None]
    """How each further run's cells differ from the first one's; None if either has none."""


def compare_runs(project: Project, run_ids: Sequence[str]) -> Comparison:
    """Compare two runs or more.

    Raises
    ------
    UsageError
        For fewer than two runs.
    NotFoundError
        If a run doesn't exist.
    """
    if len(set(run_ids)) < 2:
        raise UsageError("a comparison needs two different runs or more")
    runs = [get_run(project, run_id) for run_id in run_ids]
    ids = [run.run_id for run in runs]
    inputs = run_datasets(project, ids)
    packages = {run_id: _packages(project, run_id) for run_id in ids}
    first, *others = [executed_cells(project, run_id) for run_id in ids]
    return Comparison(
        runs=runs,
        params=_rows([run.params for run in runs]),
        metrics=_rows([run.metrics for run in runs]),
        datasets=_rows([digests_by_name(inputs.get(run_id, ())) for run_id in ids]),
        features=_rows([_features(project, run_id) for run_id in ids]),
        packages=_rows(list(packages.values())),
        without_packages=[run_id for run_id, found in packages.items() if not found],
        cells=[_cells_diff(first, other) for other in others],
    )


def executed_cells(project: Project, run_id: str) -> bytes | None:
    """Return the notebook as the run executed it; None if it left none."""
    for path in _EXECUTED:
        content = _if_there(lambda path=path: read_text(project, run_id, path))  # type: ignore[misc]
        if content is not None:
            return str(content).encode()
    return None


def _cells_diff(first: bytes | None, other: bytes | None) -> NotebookDiff | None:
    if first is None or other is None:
        return None
    try:
        return diff(parse(first), parse(other))
    except NotebookError:
        return None  # of another format; then there are no cells to tell apart


def _features(project: Project, run_id: str) -> dict[str, str]:
    """Name the feature views that the run's data were made from, with their digests."""
    nodes = [edge.source for edge in upstream(project, f"run:{run_id}")]
    views = [node for node in nodes if node.startswith(("view:", "spine:"))]
    return {view.partition("@")[0]: view.partition("@")[2] for view in views}


def _packages(project: Project, run_id: str) -> dict[str, str]:
    environment = _if_there(lambda: read_json(project, run_id, "environment.json")) or {}
    return {"python": environment["python"], **environment["packages"]} if environment else {}


def _if_there(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except NotFoundError:
        return None


def _rows(columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    names = dict.fromkeys(name for column in columns for name in column)
    return [Row(name=name, values=[column.get(name) for column in columns]) for name in names]


def _comparable(value: float | str | None) -> float | str | None:
    return "NaN" if isinstance(value, float) and math.isnan(value) else value
