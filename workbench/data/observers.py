"""Who wants to know what is read: a run, so that its data stand in its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workbench.data.datasets import Dataset

__all__ = ["notify", "observing"]

Observer = Callable[[Dataset], None]

_observers: list[Observer] = []


@contextmanager
def observing(observer: Observer) -> Iterator[None]:
    """Call `observer` with each dataset that is read in this process."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


def notify(dataset: Dataset) -> None:
    """Tell every observer of a dataset that was read."""
    for observer in tuple(_observers):
        observer(dataset)
