"""A clock that only goes forward, and the windows that it moves over the events."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.features.streaming.state import StreamState
from workbench.features.streaming.windows import Event, Key, Slot, State, Windows

__all__ = ["Engine"]

_AT_ONCE = 50_000
"""About how many events leave their windows in one transaction, so that memory stays bounded."""


class Engine:
    """Windows over the events in a state. Every call but `next_stop` belongs in a transaction.

    `touched` holds the entities whose windows changed, until the one who serves them empties it.
    """

    def __init__(self, state: StreamState, slots: Sequence[Slot]) -> None:
        self._state = state
        self._windows = Windows(slots, state.tally)
        self.touched: set[Key] = set(state.changed_since(state.fact("served", -1)))
        self._told: set[Key] = set()

    @property
    def clock(self) -> int:
        """The moment that the windows end at, in microseconds."""
        return int(self._state.fact("clock", 0))

    def next_stop(self, now: int) -> int | None:
        """Return how far the clock can go in one step; None if no window changes until `now`."""
        after = [(over, self.clock - over) for over in self._windows.lengths]
        stops = [now]
        due = self._state.next_waiting() <= now
        for over, start in after:
            if (first := self._state.nth_event_after(start, 1)) is None or first + over > now:
                continue
            due = True
            if (last := self._state.nth_event_after(start, _AT_ONCE)) is not None:
                stops.append(last + over)
        return min(stops) if due else None

    def move(self, now: int) -> None:
        """Let time pass: events leave the windows that don't reach them, others become known."""
        if now <= self.clock:  # the machine's clock was put back
            return
        for over in self._windows.lengths:
            for event in self._state.events_between(self.clock - over, now - over):
                self._windows.leave(self._touched(event.entity), event, over)
        self._state.drop_events(now - self._windows.lengths[-1])
        waiting = self._state.take_waiting(now)
        self._state.set_facts(clock=now)
        self._enter(waiting)

    def add(self, events: Sequence[Event]) -> None:
        """Take events in; those that aren't available yet wait for the clock."""
        known = [event for event in events if event.available <= self.clock]
        if len(known) < len(events):
            self._state.add_waiting([e for e in events if e.available > self.clock])
        self._enter(known)

    def values(self, entity: Key) -> list[object]:
        """Return an entity's aggregates at the clock's moment."""
        return self._windows.values(self._state.entity(entity) or self._windows.empty())

    def touch_all(self) -> None:
        """Have every entity served again."""
        self.touched.update(self._state.changed_since(-1))

    def told(self) -> None:
        """Note that all that changed was served, as it is now."""
        self._told |= self.touched
        self.touched = set()

    def confirm(self) -> None:
        """Keep what was noted, with the next transaction; what is empty is let go."""
        if self._told:
            self._state.forget_empty(self._told)
            self._state.set_facts(served=self.clock)
            self._told = set()

    def _enter(self, events: Sequence[Event]) -> None:
        clock, enter = self.clock, self._windows.enter
        longest = clock - self._windows.lengths[-1]
        kept = [event for event in events if event.event > longest]
        for event in kept:
            enter(self._touched(event.entity), event, clock)
        self._state.add_events(kept)

    def _touched(self, entity: Key) -> State:
        state = self._state.entity(entity)
        if state is None:
            state = self._windows.empty()
        self.touched.add(entity)
        self._state.touch(entity, state)
        return state
