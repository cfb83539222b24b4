"""Answers that take time, asked for again only where they may have changed, and not too often."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Paced"]

_Answer = TypeVar("_Answer")

_REST = 20
"""How many times as long as an answer took nobody asks again: a twentieth of the time at most."""


class Paced(Generic[_Answer]):
    """An answer, with the mark under which it was given; a mark of None is always another one."""

    def __init__(self, first: _Answer) -> None:
        self.answer = first
        self._mark: object = self  # no mark of anybody's
        self._not_before = 0.0

    def is_due(self, mark: object) -> bool:
        """Whether to ask again, now that the mark is this one."""
        return (mark is None or mark != self._mark) and time.monotonic() >= self._not_before

    def ask(self, mark: object, question: Callable[[], _Answer]) -> _Answer:
        """Return the answer, asking again if that is due."""
        if self.is_due(mark):
            began = time.monotonic()
            self.answer, self._mark = question(), mark
            ended = time.monotonic()
            self._not_before = ended + _REST * (ended - began)
        return self.answer
