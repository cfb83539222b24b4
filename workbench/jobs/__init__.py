"""A notebook with parameters is a job; its record is the executed notebook.

A job is a row before it is a process. Its process runs papermill with our engine and holds a lock
that the operating system frees when it dies; a row that says "running" while nobody holds its lock
is the trace of something that was killed, and is closed as what it is.
"""

from workbench.jobs.parameters import (
    Parameter,
    check_parameters,
    load_notebook,
    parse_parameters,
    read_parameters,
)
from workbench.jobs.records import Job, JobState, find_done, get_job, list_jobs
from workbench.jobs.runner import JobRequest, Progress, run_jobs
from workbench.jobs.settle import settle

__all__ = [
    "Job",
    "JobRequest",
    "JobState",
    "Parameter",
    "Progress",
    "check_parameters",
    "find_done",
    "get_job",
    "list_jobs",
    "load_notebook",
    "parse_parameters",
    "read_parameters",
    "run_jobs",
    "settle",
]
