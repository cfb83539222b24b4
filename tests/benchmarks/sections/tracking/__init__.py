"""Tracking beside MLflow's own calls, in one run; each part says what it measures."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.figures import Figure
from tests.benchmarks.sections.tracking import models, reading, writing

__all__ = ["figures"]

__doc__ = "\n\n".join(part.__doc__ or "" for part in (writing, models, reading))


def figures() -> Iterator[Figure]:
    """Write, store models, read."""
    yield from writing.figures()
    yield from models.figures()
    yield from reading.figures()
