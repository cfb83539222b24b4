"""What people say of runs: pinned ones, notes, tags of their own; kept as MLflow's tags."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from workbench.errors import UsageError
from workbench.project import Project
from workbench.tracking.reader.filters import UnsureError, parse_filter
from workbench.tracking.runs import RunRecord, get_run, list_runs, tag_run

__all__ = ["MOST_PINNED", "NOTE", "PINNED", "list_pinned_first", "mark_run", "narrowed"]

PINNED = "workbench.pinned"
"""The tag of a run that somebody pinned."""

NOTE = "mlflow.note.content"
"""The tag that MLflow's own pages show as the run's description."""

MOST_PINNED = 200
"""Where more than so many are pinned, that says nothing any more, and none is put first."""

_OURS = ("mlflow.", "workbench.")


def mark_run(
    project: Project,
    run_id: str,
    *,
    pinned: bool | None = None,
    note: str | None = None,
    tags: Mapping[str, str | None] | None = None,
) -> RunRecord:
    """Pin a run, note something about it, tag it; return it as it is then.

    Parameters
    ----------
    pinned, note
        None leaves it as it is; an empty note is taken away.
    tags
        What is to be said under each key; None takes the tag away.

    Raises
    ------
    ForbiddenError
        If who asks may not.
    NotFoundError
        If there is no such run.
    UsageError
        If a tag is one that MLflow or Workbench keeps for itself.
    """
    wanted = dict(tags or {})
    for key in wanted:
        if key.startswith(_OURS) or not key.strip():
            raise UsageError(
                f"tag {key!r}: expected a name of your own; those that begin with "
                f"{' or '.join(_OURS)} say where a run is from"
            )
    if pinned is not None:
        wanted[PINNED] = "true" if pinned else None
    if note is not None:
        wanted[NOTE] = note.strip() or None
    run = get_run(project, run_id)
    for key, value in wanted.items():
        tag_run(project, run.run_id, key, value)
    return get_run(project, run.run_id)


def list_pinned_first(
    project: Project, filter_: str, order_by: str, limit: int, offset: int = 0
) -> list[RunRecord]:
    """List a page of runs as `list_runs` does, but of those that are found the pinned ones first.

    Raises
    ------
    UsageError
        If the filter or the order can't be understood.
    """
    pinned = list_runs(
        project, narrowed(filter_, f"tags.{PINNED} LIKE '%'"), order_by, MOST_PINNED + 1
    )
    if not pinned or len(pinned) > MOST_PINNED:
        return list_runs(project, filter_, order_by, limit, offset=offset)
    first = pinned[offset : offset + limit]
    left = limit - len(first)
    if not left:
        return first
    others = narrowed(filter_, f"tags.{PINNED} IS NULL")
    return first + list_runs(project, others, order_by, left, offset=max(0, offset - len(pinned)))


def narrowed(filter_: str, condition: str) -> str:
    """Put a condition before somebody's filter; what is wrong in it is said of theirs alone.

    >>> narrowed("metrics.roc_auc > 0.7", "status = 'FINISHED'")
    "status = 'FINISHED' and metrics.roc_auc > 0.7"

    Raises
    ------
    UsageError
        If the filter is surely wrong.
    """
    if not filter_.strip():
        return condition
    with suppress(UnsureError):  # for MLflow to say
        parse_filter(filter_)
    return f"{condition} and {filter_}"
