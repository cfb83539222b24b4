"""Starting what a tick stands for, and telling how it ended: the seam between ticks and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from workbench.jobs.schedules.spec import Schedule
from workbench.jobs.schedules.ticks import Tick

__all__ = ["Outcome", "Started", "Starter"]


@dataclass(frozen=True)
class Started:
    """What was started for a tick."""

    jobs: tuple[str, ...] = ()
    pipeline_run: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How it ended, and why if not well."""

    state: Literal["succeeded", "failed", "cancelled"]
    reason: str = ""


class Starter(Protocol):
    """Does a tick's work. Called from the scheduler's thread alone."""

    def start(self, schedule: Schedule, tick: Tick) -> Started:
        """Begin the work of a tick and return without waiting for its end.

        Called again for the same tick, by this process or after its death by another, it begins
        nothing a second time: it returns what was begun.

        Raises
        ------
        WorkbenchError
            If it can't be begun; then nothing was.
        """

    def outcome(self, tick: Tick) -> Outcome | None:
        """Return how a started tick's work ended; None while it goes on."""

    def cancel(self, tick: Tick) -> None:
        """Ask for the end of a started tick's work, whoever does it; harmless where it ended."""

    def close(self) -> None:
        """End what this process started, and wait for that."""
