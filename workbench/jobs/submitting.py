"""Jobs from a notebook or a script, in a line each."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from workbench.jobs.pool import JobPool, as_they_end
from workbench.jobs.records import Job
from workbench.jobs.requests import JobRequest
from workbench.project import Project

__all__ = ["map", "submit"]


def submit(
    notebook: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    project: Project | None = None,
    cluster: str | None = None,
    **options: Any,
) -> Future[Job]:
    """Start a notebook as a job and go on; the future gives the job, however it ended.

    A script waits for it before it ends; a kernel doesn't, so in a notebook ask for `result()`.

    Parameters
    ----------
    options
        Fields of `JobRequest`: `label`, `limits`, `retries`, `priority`, `cache`, ….

    Raises
    ------
    NotebookError, ParameterError
        If the notebook or a parameter isn't right; then nothing was started.
    """
    pool = JobPool(project or Project.find(), workers=1, cluster=cluster)
    pool.__enter__()
    try:
        [future] = pool.submit([JobRequest(notebook, parameters or {}, **options)])
    except BaseException as error:
        pool.__exit__(type(error), error, None)
        raise
    # Not a daemon: Python waits for the job before it leaves, as for any thread that works.
    threading.Thread(target=pool.__exit__, args=(None, None, None), name="job").start()
    return future


def map(  # noqa: A001 - `jobs.map` is what it is called where people look for it
    notebook: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    project: Project | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    **options: Any,
) -> list[Job]:
    """Run a notebook once for each row of parameters, and return the jobs in the rows' order.

    >>> jobs = map("train.ipynb", [{"month": month} for month in range(1, 13)])  # doctest: +SKIP
    """
    requests = [JobRequest(notebook, row, **options) for row in rows]
    with JobPool(project or Project.find(), workers=workers, cluster=cluster) as pool:
        return _shown(pool.submit(requests))


def _shown(futures: Sequence[Future[Job]]) -> list[Job]:
    from tqdm.auto import tqdm

    with tqdm(total=len(futures), unit="job") as bar:
        for future in as_they_end(futures):
            failed = future.result().state != "succeeded"
            bar.update()
            if failed:
                bar.set_postfix_str(f"{future.result().id} {future.result().state}")
    return [future.result() for future in futures]
