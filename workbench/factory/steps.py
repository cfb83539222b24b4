"""Steps: work that is done once for the same inputs, whatever is killed in between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from workbench.jobs import Progress
from workbench.project import Project
from workbench.store import StepRow, database, now

__all__ = ["Reporter", "Silent", "Stage", "Steps", "digest_of"]


class Stage(Protocol):
    """A part of the work that is under way, as its watcher sees it."""

    def done(self, what: str) -> None:
        """One of the stage's pieces is done, now or in an earlier run."""

    def working(self, what: str) -> None:
        """Say what is being done."""

    def job(self, progress: Progress) -> None:
        """A notebook job has come further."""


class Reporter(Protocol):
    """Somebody who watches a factory run."""

    def stage(self, title: str, pieces: int) -> AbstractContextManager[Stage]:
        """Begin a stage of so many pieces."""


class Silent:
    """Watches and says nothing: a reporter and each of its stages."""

    @contextmanager
    def stage(self, title: str, pieces: int) -> Iterator[Stage]:
        """Begin a stage."""
        yield self

    def done(self, what: str) -> None:
        """Say nothing."""

    def working(self, what: str) -> None:
        """Say nothing."""

    def job(self, progress: Progress) -> None:
        """Say nothing."""


class Steps:
    """The steps of one factory that are done, with what came out of them.

    A step counts as done while the digest of its inputs is the same. Its result is written after
    its work, so the work of a step that was killed is done again: it has to bear that.
    """

    def __init__(self, project: Project, factory: str) -> None:
        self._project = project
        self._factory = factory

    def run(
        self, key: str, inputs: Mapping[str, Any], work: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """Return the result of the step `key`, doing its `work` only if it has to be done."""
        known = self.result(key, inputs)
        return known if known is not None else self.finish(key, inputs, work())

    def result(self, key: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what came out of the step for these inputs, or None if it isn't done."""
        with database(self._project).session() as session:
            row = session.get(StepRow, (self._factory, key))
        return row.result if row is not None and row.digest == digest_of(inputs) else None

    def latest(self, key: str) -> dict[str, Any] | None:
        """Return what last came out of the step, for whatever inputs."""
        with database(self._project).session() as session:
            row = session.get(StepRow, (self._factory, key))
        return row.result if row is not None else None

    def finish(self, key: str, inputs: Mapping[str, Any], result: dict[str, Any]) -> dict[str, Any]:
        """Write down that the step is done."""
        row = StepRow(
            factory=self._factory,
            key=key,
            digest=digest_of(inputs),
            result=result,
            finished_at=now(),
        )
        with database(self._project).session() as session:
            session.merge(row)
        return result


def digest_of(inputs: Mapping[str, Any]) -> str:
    """Return a digest of a step's inputs."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()
