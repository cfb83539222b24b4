"""All runs as a file, for whoever wants them elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import StoreError, UsageError
from workbench.project import Project
from workbench.store import write_atomic
from workbench.tracking.runs import runs_frame

if TYPE_CHECKING:
    import polars as pl

__all__ = ["export_runs"]


def export_runs(
    project: Project,
    file: Path,
    filter: str | None = None,  # noqa: A002 - MLflow's word, and the option's
    order_by: str | None = None,
) -> int:
    """Write the wide frame of runs to `file`; return how many there are.

    Raises
    ------
    UsageError
        If the file's ending isn't one of `.parquet`, `.csv` and `.jsonl`, or it can't be written.
    """
    writers: dict[str, Callable[[pl.DataFrame, Any], object]] = {
        ".parquet": lambda frame, stream: frame.write_parquet(stream),
        ".csv": lambda frame, stream: frame.write_csv(stream),
        ".jsonl": lambda frame, stream: frame.write_ndjson(stream),
    }
    if file.suffix not in writers:
        raise UsageError(f"{file}: expected a name that ends in {', '.join(writers)}")
    frame = runs_frame(project, filter, order_by)
    try:
        # Opened here: polars' own errors are of the temporary name.
        with write_atomic(file) as beside, beside.open("wb") as stream:
            writers[file.suffix](frame, stream)
    except StoreError as error:
        raise UsageError(str(error)) from error
    return frame.height
