"""A notebook with parameters is a job; its record is the executed notebook.

A job is a row before it is a process, and somebody living holds it until it has ended: who finds a
row that says "running" while its holder is dead closes it as what it is. Its process runs papermill
with our engine, in a kernel forked from a parent that has imported the heavy libraries where that
is safe. Parameters are checked before anything starts; a batch that was broken off is resumed.

Names load on first use: a job's own process and its kernel need few of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.jobs.closing import settle
    from workbench.jobs.execution import Progress
    from workbench.jobs.failures import FAILURE_KINDS, FailureKind
    from workbench.jobs.grouping import FailureGroup, group_failures
    from workbench.jobs.outputs import Output, job_outputs
    from workbench.jobs.parameters import (
        Parameter,
        Range,
        Secret,
        check_parameters,
        load_notebook,
        parse_parameters,
        read_parameters,
    )
    from workbench.jobs.pool import JobPool, resume_jobs, run_jobs
    from workbench.jobs.records import (
        JOB_STATES,
        Job,
        JobState,
        count_jobs,
        find_done,
        get_job,
        list_jobs,
        new_id,
    )
    from workbench.jobs.reports import JobLog, cell_sources, cell_states, events, write_html
    from workbench.jobs.requests import JobRequest, Limits, Retries
    from workbench.jobs.submitting import map, submit  # noqa: A004
    from workbench.jobs.waiting import cancel

_HOME = {
    "execution": ("Progress",),
    "failures": ("FAILURE_KINDS", "FailureKind"),
    "parameters": (
        "Parameter",
        "Range",
        "Secret",
        "check_parameters",
        "load_notebook",
        "parse_parameters",
        "read_parameters",
    ),
    "grouping": ("FailureGroup", "group_failures"),
    "outputs": ("Output", "job_outputs"),
    "pool": ("JobPool", "resume_jobs", "run_jobs"),
    "waiting": ("cancel",),
    "records": (
        "JOB_STATES",
        "Job",
        "JobState",
        "count_jobs",
        "find_done",
        "get_job",
        "list_jobs",
        "new_id",
    ),
    "reports": ("JobLog", "cell_sources", "cell_states", "events", "write_html"),
    "requests": ("JobRequest", "Limits", "Retries"),
    "closing": ("settle",),
    "submitting": ("map", "submit"),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "FAILURE_KINDS",
    "JOB_STATES",
    "FailureGroup",
    "FailureKind",
    "Job",
    "JobLog",
    "JobPool",
    "JobRequest",
    "JobState",
    "Limits",
    "Output",
    "Parameter",
    "Progress",
    "Range",
    "Retries",
    "Secret",
    "cancel",
    "cell_sources",
    "cell_states",
    "check_parameters",
    "count_jobs",
    "events",
    "find_done",
    "get_job",
    "group_failures",
    "job_outputs",
    "list_jobs",
    "load_notebook",
    "map",
    "new_id",
    "parse_parameters",
    "read_parameters",
    "resume_jobs",
    "run_jobs",
    "settle",
    "submit",
    "write_html",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE:
        return getattr(importlib.import_module(f"workbench.jobs.{_MODULE[name]}"), name)
    raise AttributeError(f"module 'workbench.jobs' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
