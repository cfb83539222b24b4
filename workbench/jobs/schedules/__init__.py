"""A schedule is a file that says when a notebook or a pipeline runs by itself.

One idea: a moment at which something is due is a row, a tick, and whoever inserts the row has
claimed it. Every scheduler works out the same ticks from the same file, so any number of them may
run, on one machine or on several, and each tick is still started once. What a scheduler was doing
when it was killed stands in the rows too, and another one goes on with it.
"""

from workbench.jobs.schedules.scheduler import Scheduler
from workbench.jobs.schedules.spec import (
    Schedule,
    ScheduleSpec,
    check_target,
    list_schedules,
    load_schedule,
)
from workbench.jobs.schedules.starting import Outcome, Started, Starter
from workbench.jobs.schedules.ticks import Tick, TickState, last_tick, list_ticks
from workbench.jobs.schedules.writing import add_schedule, set_enabled

__all__ = [
    "Outcome",
    "Schedule",
    "ScheduleSpec",
    "Scheduler",
    "Started",
    "Starter",
    "Tick",
    "TickState",
    "add_schedule",
    "check_target",
    "last_tick",
    "list_schedules",
    "list_ticks",
    "load_schedule",
    "set_enabled",
]
