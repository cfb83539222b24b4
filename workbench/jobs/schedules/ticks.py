"""Ticks as records: a closed set of states, claimed by one and moved by who holds it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select, update

from workbench.project import Project
from workbench.store import TickRow, database, insert_missing, now

__all__ = [
    "Tick",
    "TickState",
    "begin",
    "begun",
    "claim",
    "last_known",
    "last_tick",
    "list_ticks",
    "move",
    "note",
    "open_ticks",
    "record",
    "take_over",
]

TickState = Literal[
    "claimed",  # a scheduler has it, and its work has not begun
    "started",
    "skipped",  # by the overlap policy, or it was due before the schedule began
    "missed",  # by the missed policy
    "succeeded",
    "failed",
    "cancelled",
]

_BEFORE: dict[TickState, tuple[TickState, ...]] = {
    "started": ("claimed",),
    "skipped": ("claimed",),
    "missed": ("claimed",),
    "succeeded": ("started",),
    "failed": ("claimed", "started"),
    "cancelled": ("claimed", "started"),
}

_OPEN: tuple[TickState, ...] = ("claimed", "started")

_BEGINS = "begins: "
"""How the reason of a row starts that is no tick, but says from when on which rule counts."""


class Tick(BaseModel):
    """One moment of a schedule, and what came of it."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    schedule: str
    at: datetime
    state: TickState
    holder: str | None = None
    jobs: list[str] = []
    pipeline_run: str | None = None
    reason: str = ""
    claimed_at: datetime
    finished_at: datetime | None = None

    @property
    def batch(self) -> str:
        """The batch of its jobs, by which they are found whoever started them."""
        return f"schedule/{self.schedule}/{self.at:%Y-%m-%dT%H:%M:%S.%fZ}"

    @property
    def is_open(self) -> bool:
        """Whether there is still something to come."""
        return self.state in _OPEN


def list_ticks(project: Project, schedule: str, limit: int | None = None) -> list[Tick]:
    """List the ticks of a schedule that somebody dealt with, newest first."""
    query = _of(schedule).where(~_is_beginning()).order_by(TickRow.at.desc()).limit(limit)
    with database(project).session() as session:
        return [Tick.model_validate(row) for row in session.scalars(query)]


def last_tick(project: Project, schedule: str) -> Tick | None:
    """Return the newest of them."""
    return next(iter(list_ticks(project, schedule, 1)), None)


def open_ticks(project: Project, schedule: str | None = None) -> list[Tick]:
    """List the ticks that aren't at their end, of one schedule or of all, oldest first."""
    query = select(TickRow).where(TickRow.state.in_(_OPEN)).order_by(TickRow.at)
    if schedule is not None:
        query = query.where(TickRow.schedule == schedule)
    with database(project).session() as session:
        return [Tick.model_validate(row) for row in session.scalars(query)]


def begin(project: Project, schedule: str, rule: str, at: datetime) -> None:
    """Write down that from now on the schedule's rule is `rule`; ticks before `at` aren't due."""
    record(project, schedule, [at], "skipped", f"{_BEGINS}{rule}", None)


def begun(project: Project, schedule: str, moment: datetime) -> str | None:
    """Return the rule that counts at `moment`, by the records; None if there is none yet."""
    query = _of(schedule).where(_is_beginning(), TickRow.at <= moment)
    with database(project).session() as session:
        row = session.scalars(query.order_by(TickRow.at.desc()).limit(1)).first()
    return row.reason.removeprefix(_BEGINS) if row is not None else None


def last_known(project: Project, schedule: str, moment: datetime) -> datetime | None:
    """Return the newest moment up to `moment` that has a row.

    Rows of the future are of a clock that was wrong: they are left out, and keep what they name
    from being started a second time.
    """
    query = select(TickRow.at).where(TickRow.schedule == schedule, TickRow.at <= moment)
    with database(project).session() as session:
        return session.scalars(query.order_by(TickRow.at.desc()).limit(1)).first()


def claim(
    project: Project, schedule: str, at: datetime, holder: str, claimed_at: datetime
) -> Tick | None:
    """Claim a tick: insert its row. None if somebody, oneself included, did so before."""
    with database(project).session() as session:
        insert_missing(session, TickRow, [_row(schedule, at, "claimed", "", holder, claimed_at)])
        tick = Tick.model_validate(session.get_one(TickRow, (schedule, at)))
    return tick if (tick.holder, tick.claimed_at) == (holder, claimed_at) else None


def record(
    project: Project,
    schedule: str,
    moments: Iterable[datetime],
    state: Literal["skipped", "missed"],
    reason: str,
    holder: str | None,
) -> None:
    """Write down ticks that nothing will be done about; those that have a row keep it."""
    when = now()
    known = {"finished_at": when}
    rows = [{**_row(schedule, at, state, reason, holder, when), **known} for at in moments]
    with database(project).session() as session:
        insert_missing(session, TickRow, rows)


def move(project: Project, tick: Tick, state: TickState, **changes: Any) -> Tick | None:
    """Move a tick on while its holder is still who `tick` says; None if it is another's by now."""
    if state not in _OPEN:
        changes.setdefault("finished_at", now())
    return _change(project, tick, _BEFORE[state], state=state, **changes)


def take_over(project: Project, tick: Tick, holder: str) -> Tick | None:
    """Take an open tick from the holder that it says, who is dead; None if another was quicker."""
    return _change(project, tick, _OPEN, holder=holder)


def note(project: Project, tick: Tick, **changes: Any) -> Tick | None:
    """Write down what belongs to an open tick."""
    return _change(project, tick, _OPEN, **changes)


def _change(
    project: Project, tick: Tick, before: tuple[TickState, ...], **changes: Any
) -> Tick | None:
    step = (
        update(TickRow)
        .where(TickRow.schedule == tick.schedule, TickRow.at == tick.at)
        .where(TickRow.state.in_(before), TickRow.holder == tick.holder)
        .values(**changes)
    )
    with database(project).session() as session:
        if not session.connection().execute(step).rowcount:
            return None
        return Tick.model_validate(session.get_one(TickRow, (tick.schedule, tick.at)))


def _of(schedule: str) -> Any:
    return select(TickRow).where(TickRow.schedule == schedule)


def _is_beginning() -> Any:
    return TickRow.reason.startswith(_BEGINS)


def _row(
    schedule: str, at: datetime, state: TickState, reason: str, holder: str | None, when: datetime
) -> dict[str, Any]:
    return {
        "schedule": schedule,
        "at": at,
        "state": state,
        "holder": holder,
        "jobs": [],
        "reason": reason,
        "claimed_at": when,
    }
