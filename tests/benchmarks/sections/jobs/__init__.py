"""Notebook jobs beside papermill, in one run; each part says what it measures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.sections.jobs import many, one, peer, throughput
from tests.benchmarks.sections.jobs.notebooks import make_project

__all__ = ["figures"]

__doc__ = "\n\n".join((part.__doc__ or "").strip() for part in (peer, throughput, one, many))


def figures() -> Iterator[Figure]:
    """Run many, then one after the other, then a thousand."""
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        with peer.Papermill(Path(folder)) as papermill:
            yield from throughput.figures(project, papermill)
            yield from one.figures(project, papermill)
        yield from many.figures(Path(folder))
