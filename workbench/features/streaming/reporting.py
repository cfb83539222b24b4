"""What a consumer says: a report at the end, and lines while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

__all__ = ["Notices", "Say", "StreamReport"]

Say = Callable[[str], None]

_SECONDS = 1.0


class StreamReport(BaseModel):
    """What a consumer did since it was started, and how far it is.

    `served` is the moment that the windows online end at, and `entities` how many have an event in
    any of them.
    """

    model_config = ConfigDict(frozen=True)

    view: str
    events: int
    late: int
    refused: int
    lost: int
    offset: str
    watermark: datetime | None
    served: datetime | None
    entities: int


class Notices:
    """Counts what happens, and says what was not as it should be: at most once a second."""

    def __init__(self, view: str, say: Say, words: dict[str, str]) -> None:
        self._view, self._say, self._words = view, say, words
        self.counts = dict.fromkeys(("events", *words), 0)
        self._unsaid = dict.fromkeys(words, 0)
        self._spoken = -_SECONDS

    def add(self, **more: int) -> None:
        """Count more of something."""
        for name, number in more.items():
            self.counts[name] += number
            if name in self._unsaid:
                self._unsaid[name] += number

    def speak(self, *, now: bool = False) -> None:
        """Say what hasn't been said yet."""
        if not any(self._unsaid.values()) or not (
            now or time.monotonic() - self._spoken >= _SECONDS
        ):
            return
        for name, number in self._unsaid.items():
            if number:
                self._say(f"{self._view}: {self._words[name]}: {number:,}")
        self._unsaid = dict.fromkeys(self._words, 0)
        self._spoken = time.monotonic()
