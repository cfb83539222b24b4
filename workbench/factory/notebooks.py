"""Notebook jobs as steps: each run once for the same notebook, parameters and data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import JobError
from workbench.factory.factory import Factory
from workbench.factory.steps import Stage, digest_of
from workbench.jobs import Job, JobRequest, find_done, load_notebook, run_jobs

__all__ = ["run_steps"]


@dataclass(frozen=True)
class _Step:
    factory: Factory
    name: str
    inputs: dict[str, Any]
    request: JobRequest

    @classmethod
    def of(
        cls, factory: Factory, kind: str, label: str, request: JobRequest, inputs: dict[str, Any]
    ) -> _Step:
        assert request.code is not None, "a factory's jobs name their work tree"
        notebook = load_notebook(request.code / request.notebook)
        inputs = {
            # The source of its cells is what makes it the same notebook or another one.
            "notebook": [cell.source for cell in notebook.cells],
            "parameters": dict(request.parameters),
            **inputs,
        }
        name = f"{kind}:{label}"
        key = f"{factory.name}/{name}@{digest_of(inputs)}"
        return cls(factory, name, inputs, replace(request, label=f"{kind} {label}", key=key))

    def known(self) -> dict[str, Any] | None:
        """Return the step's result if it is done, also if nobody was left to write that down."""
        result = self.factory.steps.result(self.name, self.inputs)
        if result is None and self.request.key is not None:
            job = find_done(self.factory.project, self.request.key)
            return self.finish(job) if job is not None else None
        return result

    def finish(self, job: Job) -> dict[str, Any]:
        result = {"job": job.id, "run_id": job.run_id}
        return self.factory.steps.finish(self.name, self.inputs, result)


def run_steps(
    factory: Factory,
    kind: str,
    requests: dict[str, JobRequest],
    inputs: dict[str, Any],
    stage: Stage,
) -> dict[str, dict[str, Any]]:
    """Run those notebook jobs that aren't done for the same inputs.

    Returns
    -------
    dict
        For each label of `requests` its `job` and its `run_id`.

    Raises
    ------
    JobError
        If a job failed. The others were run to their end and needn't be run again.
    """
    results: dict[str, dict[str, Any]] = {}
    waiting: list[tuple[str, _Step]] = []
    for label, request in requests.items():
        step = _Step.of(factory, kind, label, request, inputs)
        known = step.known()
        if known is None:
            waiting.append((label, step))
        else:
            results[label] = known
            stage.done(label)

    def ended(position: int, job: Job) -> None:
        label, step = waiting[position]
        if job.state == "succeeded":
            results[label] = step.finish(job)
            stage.done(label)

    jobs = run_jobs(
        factory.project,
        [step.request for _, step in waiting],
        on_progress=stage.job,
        on_end=ended,
    )
    _check([job for job in jobs if job.state != "succeeded"], len(requests))
    return {label: results[label] for label in requests}


def _check(failed: list[Job], of: int) -> None:
    if failed:
        first = failed[0]
        raise JobError(
            f"{len(failed)} of {of} jobs failed; {first.label}: {first.error} "
            f"(cell {first.error_cell}); see `workbench jobs show {first.id}`"
        )
