"""`workbench schedule` and `workbench scheduler`."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from workbench.cli.context import (
    JsonOption,
    LimitOption,
    err,
    group,
    out,
    print_json,
    print_table,
    project,
    state_text,
    stoppable,
    when,
)
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.jobs.schedules import Schedule, Tick
    from workbench.project import Project

__all__ = ["app", "scheduler"]

app = group("Schedules: notebooks and pipelines that run by themselves.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As in schedules/NAME.toml.")]


@app.command("list")
def list_(json_: JsonOption = False) -> None:
    """List the schedules: when each runs next, and how it went last."""
    from workbench.jobs.schedules import list_schedules

    here = project()
    found = [_described(here, name) for name in list_schedules(here)]
    if json_:
        print_json(found)
        return
    print_table(
        "Schedules",
        ("name", "runs", "when", "next", "last", "ended"),
        (_row(described) for described in found),
        empty="no schedules: put one in schedules/NAME.toml",
    )
    for described in found:
        if described["problem"]:
            err.print(Text(f"error: {described['problem']}", style="red"), soft_wrap=True)


@app.command()
def show(name: Name, limit: LimitOption = 20, json_: JsonOption = False) -> None:
    """Show what a schedule says and its last ticks."""
    from workbench.jobs.schedules import list_ticks, load_schedule

    here = project()
    schedule = load_schedule(here, name)
    ticks = list_ticks(here, name, limit)
    if json_:
        print_json({"name": name, **schedule.spec.model_dump(mode="json"), "ticks": ticks})
        return
    for key, value in schedule.spec.model_dump(mode="json", exclude_none=True).items():
        out.print(Text.assemble((f"{key:16}", "dim"), str(value)), soft_wrap=True)
    print_table(
        "Ticks",
        ("due", "state", "jobs", "ended", "why"),
        (
            (
                _local(schedule, tick.at),
                state_text(tick.state),
                " ".join(tick.jobs) or tick.pipeline_run or "–",
                when(tick.finished_at),
                tick.reason,
            )
            for tick in ticks
        ),
        empty="no ticks yet: workbench scheduler",
        whole=("jobs",),
    )


@app.command("next")
def next_(
    name: Name,
    count: Annotated[int, typer.Option("--count", min=1, max=1000, help="How many.")] = 5,
    json_: JsonOption = False,
) -> None:
    """List the next times of a schedule, in its zone."""
    from workbench.jobs.schedules import load_schedule
    from workbench.store import now

    schedule = load_schedule(project(), name, check=False)
    times = list(islice(schedule.after(now()), count))
    if json_:
        print_json([at.astimezone(schedule.zone).isoformat() for at in times])
        return
    for at in times:
        out.print(Text(_local(schedule, at)))
    if not schedule.spec.enabled:
        err.print(Text(f"{name} is paused: workbench schedule resume {name}"))


@app.command()
def run(name: Name, json_: JsonOption = False) -> None:
    """Run a schedule's notebook or pipeline now, whatever else of it runs."""
    from workbench.jobs.schedules import Tick, load_schedule
    from workbench.jobs.schedules.work import JobStarter
    from workbench.store import now

    here = project()
    schedule = load_schedule(here, name)
    moment = now()
    tick = Tick(schedule=name, at=moment, state="started", claimed_at=moment)
    starter = JobStarter(here)
    with stoppable("what ran is cancelled"):
        try:
            begun = starter.start(schedule, tick)
            while (outcome := starter.outcome(tick)) is None:
                time.sleep(0.1)
        finally:
            starter.close()
    what = begun.pipeline_run or " ".join(begun.jobs)
    if json_:
        print_json({"ran": what, "state": outcome.state, "reason": outcome.reason})
    else:
        out.print(Text.assemble(f"{what} ", state_text(outcome.state), f" {outcome.reason}"))
    if outcome.state != "succeeded":
        raise typer.Exit(1)


@app.command()
def pause(name: Name) -> None:
    """Let a schedule rest: `enabled = false` in its file."""
    _set(name, enabled=False)


@app.command()
def resume(name: Name) -> None:
    """Let a paused schedule go on, from now; `enabled = true` in its file."""
    _set(name, enabled=True)


def scheduler() -> None:
    """Run the project's schedules until stopped; any number of these may run.

    Ctrl-C or SIGTERM ends the jobs that run and writes that down; SIGKILL does no harm either.
    """
    from workbench.jobs.schedules import Scheduler

    here = project()
    with _stopped_politely() as stop, Scheduler(here, on_change=_tell, on_problem=_warn) as runner:
        err.print(Text(f"runs the schedules of {here.root}; Ctrl-C ends it"), soft_wrap=True)
        runner.run(stop)
        err.print("ends what runs")


@contextmanager
def _stopped_politely() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C or polite kill sets; the second interrupts."""
    stop = threading.Event()

    def ask(number: int, _: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(tick: Tick) -> None:
    if tick.state == "started" and not (tick.jobs or tick.pipeline_run):
        return  # about to be
    what = tick.pipeline_run or " ".join(tick.jobs)
    said = " ".join(part for part in (what, tick.reason) if part)
    line = (f"{tick.schedule} {when(tick.at)} ", state_text(tick.state), f" {said}")
    out.print(Text.assemble(*line), soft_wrap=True)


def _warn(_name: str, error: WorkbenchError) -> None:
    err.print(Text(f"error: {error}", style="red"), soft_wrap=True)


def _set(name: str, *, enabled: bool) -> None:
    from workbench.jobs.schedules import set_enabled

    set_enabled(project(), name, enabled=enabled)
    out.print(Text(f"{name} {'goes on' if enabled else 'is paused'}"))


def _described(here: Project, name: str) -> dict[str, Any]:
    """Say of a schedule what there is to say, also where its file can't be used."""
    from workbench.jobs.schedules import last_tick, load_schedule
    from workbench.store import now

    last = last_tick(here, name)
    try:
        schedule = load_schedule(here, name, check=False)
    except WorkbenchError as error:
        return {"name": name, "problem": str(error), "last": last}
    upcoming = next(schedule.after(now()), None) if schedule.spec.enabled else None
    return {
        "name": name,
        "runs": schedule.target,
        "cron": schedule.spec.cron,
        "zone": schedule.spec.zone,
        "enabled": schedule.spec.enabled,
        "next": upcoming.astimezone(schedule.zone) if upcoming else None,
        "last": last,
        "problem": None,
    }


def _row(described: dict[str, Any]) -> tuple[str | Text, ...]:
    last: Tick | None = described["last"]
    how = (when(last.at), state_text(last.state)) if last else ("–", Text("–"))
    if described["problem"]:
        return (described["name"], "–", "–", Text("unusable", style="red"), *how)
    upcoming = f"{described['next']:%Y-%m-%d %H:%M %Z}" if described["next"] else "paused"
    rule = f"{described['cron']} {described['zone']}"
    return (described["name"], described["runs"], rule, upcoming, *how)


def _local(schedule: Schedule, at: datetime) -> str:
    return f"{at.astimezone(schedule.zone):%a %Y-%m-%d %H:%M:%S %Z}"
