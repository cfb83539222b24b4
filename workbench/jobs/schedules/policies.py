"""What to do about ticks that come late, and about one that comes while the former still runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from workbench.jobs.schedules.spec import ScheduleSpec
from workbench.jobs.schedules.ticks import Tick

__all__ = ["ON_TIME", "Due", "Verdict", "horizon", "is_late", "overlapping", "sort_out"]

ON_TIME = timedelta(minutes=1)
"""How long after its moment a tick isn't late yet: schedulers look every few seconds."""

Verdict = Literal["start", "wait", "skip", "cancel"]


class Due(NamedTuple):
    """Ticks that are due: those to start, oldest first, and those that are given up, and why."""

    start: list[datetime]
    give_up: list[datetime]
    reason: str


def horizon(spec: ScheduleSpec, now: datetime) -> datetime:
    """Return the moment before which nothing is caught up any more."""
    return now - max(timedelta(hours=spec.catch_up_hours), ON_TIME)


def is_late(tick: Tick) -> bool:
    """Say whether a tick was claimed to catch up with it."""
    return tick.claimed_at - tick.at > ON_TIME


def sort_out(spec: ScheduleSpec, due: Sequence[datetime], now: datetime) -> Due:
    """Choose by the missed policy among the ticks that are due, in their order."""
    late = sum(now - at > ON_TIME for at in due)
    if spec.missed == "skip":
        keep, reason = len(due) - late, "no scheduler ran then (missed = skip)"
    elif spec.missed == "once":
        keep, reason = min(1, len(due)), "no scheduler ran then (missed = once: a later one runs)"
        if not late:
            keep = len(due)  # on time, all of them
    else:
        keep = max(len(due) - late, min(len(due), spec.missed_limit))
        reason = f"no scheduler ran then (missed_limit = {spec.missed_limit})"
    cut = len(due) - keep
    return Due(list(due[cut:]), list(due[:cut]), reason)


def overlapping(spec: ScheduleSpec, tick: Tick, before: Sequence[Tick]) -> Verdict:
    """Say by the overlap policy what a claimed tick does, given the earlier ones still open."""
    if not before or spec.overlap == "allow":
        return "start"
    if is_late(tick):
        return "wait"  # to catch up with several is to run them one after the other
    if spec.overlap == "queue":
        waiting = sum(earlier.state == "claimed" for earlier in before)
        return "wait" if waiting < spec.missed_limit else "skip"
    return spec.overlap
