"""Feature views beside their peers, in one run; each part says what it measures."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure

__all__ = ["figures"]

_PARTS = [
    importlib.import_module(f"{__name__}.{name}")
    for name in ("pit", "online", "search")
    if Path(__file__).with_name(f"{name}.py").exists()
]

__doc__ = "\n\n".join((part.__doc__ or "").strip() for part in _PARTS)


def figures() -> Iterator[Figure]:
    """Join, serve, search."""
    for part in _PARTS:
        yield from part.figures()
