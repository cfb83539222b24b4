"""Running aggregates of one entity: an event enters a window, and leaves it when it is too old.

The offline join takes differences of totals over all of history; here each window has its own
total, which what leaves is taken from again. Both say the same of the same events, which is what
the parity test checks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Event", "Key", "Slot", "Tally", "Windows"]

Key = int | str
"""An entity as the online store calls it: all of its columns in one value."""

Tally = Callable[[int, Key, Any, int], int]
"""Change how often (slot, entity) holds a value, by +1 or -1; gives how often it does now."""

State = list[Any]
"""What one entity's windows hold: the number of its events that are in any, then each slot's."""

_TOTALS = ("sum", "mean", "rate")


@dataclass(frozen=True)
class Event:
    """One event of an entity; times in microseconds, `place` its place in the stream."""

    entity: Key
    event: int
    available: int
    place: int
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Slot:
    """One aggregate: of which of an event's values, over how many microseconds.

    `created` is which of the values says when the event was created, if it says so.
    """

    kind: str
    value: int | None
    over: int
    created: int | None = None


class Windows:
    """The arithmetic of a view's aggregates. An event is in a window for (t - over, t]."""

    def __init__(self, slots: Sequence[Slot], tally: Tally) -> None:
        self._slots = tuple(enumerate(slots, start=1))
        self._tally = tally
        self.lengths = tuple(sorted({slot.over for slot in slots}))

    def empty(self) -> State:
        """Return the state of an entity that no event was seen of."""
        return [0, *(_EMPTY[slot.kind]() for _, slot in self._slots)]

    def enter(self, state: State, event: Event, now: int) -> None:
        """Add an event to every window that still reaches it; the longest one has to."""
        state[0] += 1
        for index, slot in self._slots:
            if event.event > now - slot.over:
                self._add(state, index, slot, event)

    def leave(self, state: State, event: Event, over: int) -> None:
        """Take an event from the windows of one length, which don't reach it any more."""
        if over == self.lengths[-1]:
            state[0] -= 1
        for index, slot in self._slots:
            if slot.over == over:
                self._remove(state, index, slot, event)

    def values(self, state: State) -> list[Any]:
        """Return the aggregates, in the order of the slots."""
        return [_VALUE[slot.kind](state[index]) for index, slot in self._slots]

    def _add(self, state: State, index: int, slot: Slot, event: Event) -> None:
        value: Any = None if slot.value is None else event.values[slot.value]
        if slot.kind == "count":
            state[index] += 1
        elif slot.kind == "last":
            # In the order of the offline join, which an event that is created before it happens
            # needs its created time for: it is available when it happens.
            created = () if slot.created is None else (event.values[slot.created],)
            newest = [event.event, event.available, *created, event.place, value]
            if state[index] is None or newest[:-1] > state[index][:-1]:
                state[index] = newest
        elif _no_value(value):
            return
        elif slot.kind in _TOTALS:
            _move(state[index], value, 1)
        elif self._tally(index, event.entity, value, 1) == 1:
            state[index] += 1

    def _remove(self, state: State, index: int, slot: Slot, event: Event) -> None:
        value: Any = None if slot.value is None else event.values[slot.value]
        if slot.kind == "count":
            state[index] -= 1
        elif slot.kind == "last":
            # When the newest event leaves, all the others have left.
            if state[index] is not None and state[index][-2] == event.place:
                state[index] = None
        elif _no_value(value):
            return
        elif slot.kind in _TOTALS:
            _move(state[index], -value, -1)
        elif self._tally(index, event.entity, value, -1) == 0:
            state[index] -= 1


def _no_value(value: Any) -> bool:
    """Whether a value counts for nothing, as in the offline join: null, NaN or infinite."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _move(total: list[Any], value: Any, by: int) -> None:
    """Add to a total in two parts (Kahan and Neumaier's), so that years of changes leave nothing.

    Plain sums keep a rounding error of everything that ever passed through the window. Integers
    are exact anyway.
    """
    total[0] += by
    if total[0] == 0:
        total[1] = total[2] = 0
        return
    high = total[1]
    moved = high + value
    part = moved - high
    total[1] = moved
    total[2] += (high - (moved - part)) + (value - part)


def _sum(total: list[Any]) -> float:
    return total[1] + total[2]  # type: ignore[no-any-return]


def _mean(total: list[Any]) -> float | None:
    return _sum(total) / total[0] if total[0] else None


_EMPTY: dict[str, Callable[[], Any]] = {
    "count": int,
    "distinct": int,
    "last": lambda: None,
    **{kind: lambda: [0, 0, 0] for kind in _TOTALS},
}
_VALUE: dict[str, Callable[[Any], Any]] = {
    "count": int,
    "distinct": int,
    "last": lambda newest: newest and newest[-1],
    "sum": _sum,
    "mean": _mean,
    "rate": _mean,
}
