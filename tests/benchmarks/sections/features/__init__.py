"""Feature views beside their peers, in one run; each part says what it measures."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.figures import Figure
from tests.benchmarks.sections.features import online, pit, search

__all__ = ["figures"]

_PARTS = (pit, online, search)

__doc__ = "\n\n".join((part.__doc__ or "").strip() for part in _PARTS)


def figures() -> Iterator[Figure]:
    """Join, serve, search."""
    for part in _PARTS:
        yield from part.figures()
