"""What is asked for: a notebook, its parameters, and how far it may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from workbench.jobs.failures import FailureKind

__all__ = ["JobRequest", "Limits", "Options", "Retries"]


class Limits(BaseModel):
    """What a job may take; None is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wall_seconds: float | None = Field(default=None, gt=0, description="the whole job")
    cell_seconds: float | None = Field(default=None, gt=0, description="each of its cells")
    memory_mb: float | None = Field(default=None, gt=0, description="its kernel's memory")
    threads: int | None = Field(default=None, ge=1, description="threads of numeric libraries")


class Retries(BaseModel):
    """When a job that ended badly is tried again.

    A notebook's own error would come again, so it isn't tried again unless asked for; what only
    happened to the job (its worker lost, its process killed) is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: int = Field(default=3, ge=1, description="how often it is tried at most, in all")
    kinds: frozenset[FailureKind] = Field(
        default=frozenset({"lost", "process"}), description="failures after which it is"
    )
    backoff_seconds: float = Field(default=1.0, ge=0, description="pause before the second attempt")
    backoff_factor: float = Field(default=2.0, ge=1, description="how the pause grows")
    backoff_limit_seconds: float = Field(default=300.0, ge=0, description="the longest pause")

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait after the attempt of that number.

        >>> [Retries(backoff_limit_seconds=3).pause(attempt) for attempt in (1, 2, 3)]
        [1.0, 2.0, 3.0]
        """
        # The exponent is bounded: a float has no room for the thousandth pause.
        pause = self.backoff_seconds * self.backoff_factor ** min(attempt - 1, 64)
        return min(pause, self.backoff_limit_seconds)

    def wants(self, attempt: int, failure: FailureKind | None) -> bool:
        """Say whether another attempt follows that one, which ended so."""
        return failure in self.kinds and attempt < self.attempts


@dataclass(frozen=True)
class JobRequest:
    """What to run: a notebook (from the root of `code`) and its parameters."""

    notebook: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    key: str | None = None
    """What went in, as a digest: `find_done` finds a job that did the same."""
    track: bool = True
    """Whether the job gets an MLflow run to log to."""
    code: Path | None = None
    """The work tree to run in; the project's own root if None."""
    limits: Limits = field(default_factory=Limits)
    retries: Retries = field(default_factory=Retries)
    priority: int = 0
    """Of jobs that wait, those with a higher one are started first."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the job alone; they are written down, so no secrets."""
    cache: bool = False
    """Whether an earlier job that did the same will do; then `key` is computed."""
    data: tuple[str, ...] = ()
    """Named sources that the notebook reads: their content counts for the cache."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Parameters whose value is a file: the digest that stands for it in the cache."""


class Options(BaseModel):
    """What a job's row keeps of its request, so that anybody can run it, also again."""

    model_config = ConfigDict(frozen=True)

    source: str = ""
    """The digest of the notebook as it was asked for; `jobs/notebooks/` has its content."""
    cwd: str = ""
    track: bool = True
    limits: Limits = Limits()
    retries: Retries = Retries()
    environment: dict[str, str] = {}
    cache: bool = False
    secrets: list[str] = []
    """Parameters whose value is in nobody's records."""
