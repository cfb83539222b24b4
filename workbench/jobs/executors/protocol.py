"""What every executor does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from workbench.jobs.records import Job

__all__ = ["Executor"]


class Executor(Protocol):
    """Carries out attempts, several at a time. Safe to call from any thread."""

    def expect(self, jobs: int, notebooks: Sequence[Path]) -> None:
        """Get ready for so many jobs with these notebooks, which are submitted next."""

    def submit(self, job: Job, secrets: Mapping[str, str]) -> Future[Job]:
        """Try the job once, when it is its turn; of those that wait, higher priorities first."""

    def stop(self) -> None:
        """End what runs and cancel what waits; their futures still give the jobs."""

    def close(self) -> None:
        """Wait for everything that was submitted, then give back what the executor took."""
