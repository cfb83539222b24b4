"""Making the report of a frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.data.report.associations import (
    Association,
    Correlation,
    associations,
    correlations,
    is_classes,
)
from workbench.data.report.page import fragment, page
from workbench.data.report.summaries import ColumnSummary, kind_of, summarise
from workbench.errors import NotFoundError, UsageError
from workbench.store import write_atomic

__all__ = ["ColumnReport", "report"]

_Model = TypeVar("_Model", bound=BaseModel)

_SAMPLE = 100_000
_SEED = 20_130_101
"""A fixed one, so that the same frame gives the same report."""


class ColumnReport(BaseModel):
    """What a frame holds: column by column, and how columns go together."""

    model_config = ConfigDict(frozen=True)

    rows: int
    megabytes: float
    sample: int
    """How many rows quantiles, correlations and associations are of; all of them, if as many."""
    columns: list[ColumnSummary]
    correlations: list[Correlation]
    """The 1,000 strongest pairs of numeric columns by Spearman's rank correlation, in order."""
    target: str | None = None
    target_is_classes: bool = False
    associations: list[Association] = []

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, ready for JSON but for NaN."""
        return self.model_dump(mode="json")

    def fragment(self) -> str:
        """Return the report as markup for a page, with its style: what a notebook shows."""
        return fragment(self)

    def to_html(self, path: Path | str) -> Path:
        """Write the report as one page that needs nothing else, and return where it is."""
        with write_atomic(Path(path)) as beside:
            beside.write_text(page(self), encoding="utf-8")
        return Path(path)

    def __repr__(self) -> str:
        return f"<ColumnReport of {self.rows:,} rows and {len(self.columns)} columns>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return fragment(self)


def report(frame: pl.DataFrame | pl.LazyFrame, target: str | None = None) -> ColumnReport:
    """Describe every column of a frame, and how each goes with the `target`.

    Raises
    ------
    NotFoundError
        If there is no column called `target`.
    UsageError
        If nothing can go with such a column: one of lists, say.
    """
    content = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
    if target is not None and target not in content.columns:
        raise NotFoundError.named("column", target, content.columns)
    if target is not None and kind_of(content.schema[target]) == "nested":
        dtype = content.schema[target]
        raise UsageError(f"{target}: expected a target of numbers, times or words, found {dtype}")
    # Columns by number: to polars a name like "*" would be a pattern, and mean all of them.
    names = {str(place): name for place, name in enumerate(content.columns)}
    plain = content.clone()
    plain.columns = list(names)
    aim = None if target is None else str(content.columns.index(target))
    sample = plain.sample(_SAMPLE, seed=_SEED) if plain.height > _SAMPLE else plain
    return ColumnReport(
        rows=content.height,
        megabytes=round(content.estimated_size("mb"), 3),
        sample=sample.height,
        columns=_named(summarise(plain, sample), names, "name") if content.width else [],
        correlations=_named(correlations(sample), names, "one", "other"),
        target=target,
        target_is_classes=aim is not None and is_classes(sample[aim]),
        associations=_named(associations(sample, aim), names, "column") if aim is not None else [],
    )


def _named(found: list[_Model], names: dict[str, str], *fields: str) -> list[_Model]:
    """Give columns their names back."""
    return [
        item.model_copy(update={field: names[getattr(item, field)] for field in fields})
        for item in found
    ]
