"""The tags that every run of this process gets, whoever starts it."""

from __future__ import annotations

import os

from workbench.project import Project
from workbench.tracking.capture.origin import JOB_TAG, code_status, origin_tags, session_notebook

__all__ = ["context_tags", "provide", "provided"]

_provided: dict[str, str] = {}


def provide(tags: dict[str, str]) -> None:
    """Let runs that are started from now on have these tags; an empty mapping ends it."""
    _provided.clear()
    _provided.update(tags)


def provided() -> dict[str, str]:
    """Return the tags that were given to be handed on."""
    return dict(_provided)


def context_tags(project: Project) -> dict[str, str]:
    """Name commit, branch, notebook, job and snapshot of what is done here and now."""
    notebook = session_notebook()
    shown = project.relative(notebook) if notebook else None
    job = os.environ.get("WORKBENCH_JOB_ID")
    kind = "JOB" if job else "NOTEBOOK" if notebook else "LOCAL"
    tags = origin_tags(code_status(project.root), shown, kind)
    return {**tags, **({JOB_TAG: job} if job else {})}
