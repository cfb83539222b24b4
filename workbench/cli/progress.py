"""How long work shows itself: bars in a terminal, lines in a log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

if TYPE_CHECKING:
    from workbench.factory import Stage
    from workbench.jobs import Progress

__all__ = ["Terminal"]


class Terminal:
    """A reporter on a console: one bar a stage, and one below it for each job that runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
        )

    def __enter__(self) -> Self:
        """Begin to draw, where there is a terminal to draw on."""
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the bars as they are."""
        self._bars.stop()

    @contextmanager
    def stage(self, title: str, pieces: int) -> Iterator[Stage]:
        """Begin a stage of so many pieces."""
        if not self._console.is_terminal:
            yield _Lines(self._console, title, pieces)
            return
        alone = not self._bars.live.is_started
        if alone:
            self._bars.start()
        try:
            yield _Bar(self._bars, self._bars.add_task(escape(title), total=pieces, note=""))
        finally:
            if alone:
                self._bars.stop()


class _Bar:
    """A stage as a bar."""

    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars = bars
        self._task = task
        self._jobs: dict[str, TaskID] = {}
        self._lock = threading.Lock()  # several jobs speak at the same time

    def done(self, what: str) -> None:
        self._bars.update(self._task, advance=1, note=escape(what))

    def working(self, what: str) -> None:
        self._bars.update(self._task, note=escape(what))

    def job(self, progress: Progress) -> None:
        with self._lock:
            job = progress.job
            if job.id not in self._jobs:
                title = f"  [dim]{escape(job.label or job.notebook)}"
                self._jobs[job.id] = self._bars.add_task(title, total=None, note="")
            task = self._jobs[job.id]
            if job.state == "running":
                note = _where(progress)
                total = progress.cells or None
                self._bars.update(task, completed=progress.cell, total=total, note=note)
            else:
                self._bars.remove_task(task)


def _where(progress: Progress) -> str:
    if not progress.cells:
        return "starting a kernel"
    if progress.cell == progress.cells:
        return "keeping the record"
    return f"cell {progress.cell + 1}"


class _Lines:
    """A stage as lines of a log."""

    def __init__(self, console: Console, title: str, pieces: int) -> None:
        self._console = console
        self._title = title
        self._pieces = pieces
        self._done = 0

    def done(self, what: str) -> None:
        self._done += 1
        line = f"{self._title} {self._done}/{self._pieces}: {what}"
        self._console.print(Text(line), soft_wrap=True)

    def working(self, what: str) -> None:
        """Say nothing: a log wants what happened."""

    def job(self, progress: Progress) -> None:
        """Say nothing until the job is done."""
