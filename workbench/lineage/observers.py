"""Who wants to know what is used: a run, so that the chain leads through it.

What makes a thing out of others writes those edges itself. But whoever joins features to a frame in
a notebook doesn't know the run; the notebook does, and listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["observing_use", "used"]

Observer = Callable[[str], None]

_observers: list[Observer] = []


@contextmanager
def observing_use(observer: Observer) -> Iterator[None]:
    """Call `observer` with each node that is used in this process."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


def used(*nodes: str) -> None:
    """Tell every observer of nodes that something is made from."""
    for observer in tuple(_observers):
        for node in nodes:
            observer(node)
