"""Who wants to know what is used: a run, so that the chain leads through it.

What makes a thing out of others writes those edges itself. But whoever joins features to a frame in
a notebook doesn't know the run, nor the cell; the notebook knows both, and listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

__all__ = [
    "fitted",
    "listening",
    "made",
    "observing_fits",
    "observing_made",
    "observing_use",
    "used",
]

Observer = Callable[[str], None]
FitObserver = Callable[[str, Sequence[str]], None]

_T = TypeVar("_T")

_users: list[Observer] = []
_makers: list[Observer] = []
_fitters: list[FitObserver] = []


@contextmanager
def observing_use(observer: Observer) -> Iterator[None]:
    """Call `observer` with each node that is used in this process."""
    with _among(_users, observer):
        yield


@contextmanager
def observing_made(observer: Observer) -> Iterator[None]:
    """Call `observer` with each node that is made in this process."""
    with _among(_makers, observer):
        yield


@contextmanager
def observing_fits(observer: FitObserver) -> Iterator[None]:
    """Call `observer` with the run and the input columns of each model that is stored."""
    with _among(_fitters, observer):
        yield


def listening() -> tuple[Observer, ...]:
    """Who is told of what is used just now."""
    return tuple(_users)


def used(*nodes: str) -> None:
    """Tell every observer of nodes that something is made from."""
    for observer in tuple(_users):
        for node in nodes:
            observer(node)


def made(*nodes: str) -> None:
    """Tell every observer of nodes that were made."""
    for observer in tuple(_makers):
        for node in nodes:
            observer(node)


def fitted(run_id: str, columns: Sequence[str]) -> None:
    """Tell every observer of a model that was stored with its run, and of its input columns."""
    for observer in tuple(_fitters):
        observer(run_id, columns)


@contextmanager
def _among(observers: list[_T], observer: _T) -> Iterator[None]:
    observers.append(observer)
    try:
        yield
    finally:
        observers.remove(observer)
