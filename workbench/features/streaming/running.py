"""The loop of `workbench features stream`: views in turn, patience with what is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from workbench.data.sources.redis_streams import RedisStream, StreamAwayError, entry_place
from workbench.errors import UsageError
from workbench.features.definitions import Definitions, FeatureView, load_definitions
from workbench.features.online import online_store
from workbench.features.streaming.consumer import Consumer, consuming
from workbench.features.streaming.reporting import StreamReport
from workbench.project import Project

__all__ = ["stream"]

_TICK_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0

_logger = logging.getLogger("workbench.features")


def stream(
    project: Project,
    views: Sequence[str],
    *,
    once: bool = False,
    until_idle: float | None = None,
    stop: threading.Event | None = None,
    say: Callable[[str], None] = _logger.warning,
) -> list[StreamReport]:
    """Consume the streams of streaming views until told to stop; give a report for each.

    Parameters
    ----------
    views
        Names of views with `availability="streaming"`.
    once
        End when what is in the streams now has been taken.
    until_idle
        End when nothing has come for so many seconds.
    stop
        Set from elsewhere, it ends the loop after the batch.
    say
        Is told in one line what the user should know while this goes on.

    Raises
    ------
    NotFoundError
        For an unknown view.
    UsageError
        For a view that isn't a streaming one, or is being streamed by another process.
    """
    stop = stop or threading.Event()
    definitions = load_definitions(project)
    chosen = [_streaming(definitions, name) for name in dict.fromkeys(views)]
    with ExitStack() as stack:
        runs = []
        for view in chosen:
            source = _source(project, view)
            consumer = stack.enter_context(
                consuming(project, view, source, online_store(project), say)
            )
            runs.append(_Run(consumer, say, once=once))
        _loop(runs, until_idle, stop)
        for run in runs:
            run.attempt(run.consumer.finish)
        return [run.consumer.report() for run in runs]


class _Run:
    """A consumer, and how long it has to wait until it tries again."""

    def __init__(self, consumer: Consumer, say: Callable[[str], None], *, once: bool) -> None:
        self.consumer, self._say = consumer, say
        self._once, self._end = once, ""
        self._pause = 0.0
        self._again = 0.0
        self._away_since: float | None = None

    @property
    def done(self) -> bool:
        """Whether it has taken all that it was to take."""
        return bool(self._end) and entry_place(self.consumer.offset) >= entry_place(self._end)

    @property
    def waits(self) -> float:
        """The seconds until it tries again; 0 for one that isn't waiting."""
        return max(0.0, self._again - time.monotonic())

    def step(self, wait: float) -> int:
        """Take a batch; 0 if there is none, or no answer."""
        return self.attempt(lambda: self._step(wait)) or 0

    def attempt(self, what: Callable[[], int | None]) -> int | None:
        """Do something that may find Redis away; then wait longer each time."""
        try:
            result = what()
        except StreamAwayError as error:
            if self._away_since is None:
                self._away_since = time.monotonic()
                self._say(f"{error}; trying again until it does")
            self._pause = min(_LONGEST_PAUSE, self._pause * 2 or _FIRST_PAUSE)
            self._again = time.monotonic() + self._pause
            return None
        if self._away_since is not None:
            away = time.monotonic() - self._away_since
            self._say(f"{self.consumer.view.name}: goes on after {away:.0f} s")
        self._away_since, self._pause, self._again = None, 0.0, 0.0
        return result

    def _step(self, wait: float) -> int:
        if self._once and not self._end:
            self._end = str(self.consumer.source.info().get("last-generated-id", "0-0"))
        return self.consumer.step(wait)


def _loop(runs: list[_Run], until_idle: float | None, stop: threading.Event) -> None:
    heard = time.monotonic()
    busy = True
    while not stop.is_set():
        going = [run for run in runs if not run.done]
        ready = [run for run in going if not run.waits]
        if not going or (until_idle is not None and time.monotonic() - heard >= until_idle):
            return
        if not ready:
            stop.wait(min(_TICK_SECONDS, *(run.waits for run in going)))
            continue
        # While some view has work nobody waits for another's events.
        wait = 0.0 if busy else _TICK_SECONDS / len(ready)
        if until_idle is not None:
            wait = min(wait, max(until_idle / 2, 0.01))
        taken = [run.step(wait) for run in ready if not stop.is_set()]
        busy = any(taken)
        if busy:
            heard = time.monotonic()


def _streaming(definitions: Definitions, name: str) -> FeatureView:
    view = definitions.view(name)
    if not isinstance(view, FeatureView) or view.availability != "streaming":
        raise UsageError(
            f'feature view {name} is {view.availability}; only views with availability="streaming" '
            "are fed by a stream"
        )
    return view


def _source(project: Project, view: FeatureView) -> RedisStream:
    from workbench.data.sources import open_source

    if len(view.sources) != 1:
        raise UsageError(
            f"feature view {view.name}: a streaming view reads one source; "
            f"it reads {', '.join(view.sources)}"
        )
    source = open_source(view.sources[0], project)
    if not isinstance(source, RedisStream):
        raise UsageError(
            f"feature view {view.name}: its source {view.sources[0]} is no stream; expected an "
            "address like redis+stream://HOST:PORT/DB/STREAM"
        )
    return source
