"""Parity: whoever serves a model says what the model said in the notebook that trained it.

When a model is logged, up to 1,000 rows are kept beside it with what it answered in memory. Each
way of serving is asked about the same rows; a further way is one more function, and its entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from workbench.errors import NotFoundError, WorkbenchError
from workbench.gates.parity.batch import by_batch
from workbench.gates.parity.comparing import ParityReport, compared, failed, tolerance_of
from workbench.gates.parity.fresh import by_fresh_process
from workbench.gates.parity.recorded import Answers, Recorded, recorded_of
from workbench.gates.parity.sql import by_sql
from workbench.project import Project

__all__ = ["ParityReport", "Recorded", "Way", "compare_ways", "ways"]

Way = Callable[[Recorded], Answers]

_WAYS: Mapping[str, Way] = {"batch": by_batch, "sql": by_sql, "fresh": by_fresh_process}


def ways() -> list[str]:
    """List the ways of serving that are known."""
    return list(_WAYS)


def compare_ways(
    project: Project,
    name: str,
    version: str,
    *,
    ways: Sequence[str] = tuple(_WAYS),
    same_environment: bool = False,
    tolerance: float | None = None,
) -> list[ParityReport]:
    """Ask each way about the rows that were recorded when the model was logged.

    Parameters
    ----------
    same_environment
        Whether the fresh process has the packages that are here, not the stored requirements.
    tolerance
        The largest difference, absolute below 1 and relative above; by default the library's own.

    Raises
    ------
    NotFoundError
        If there is no such version or way, or no rows were recorded with the model.
    """
    for way in ways:
        if way not in _WAYS:
            raise NotFoundError.named("way of serving", way, _WAYS)
    recorded = recorded_of(project, name, version, same_environment=same_environment)
    allowed = tolerance_of(recorded.flavor) if tolerance is None else tolerance
    return [_asked(recorded, way, allowed) for way in ways]


def _asked(recorded: Recorded, way: str, tolerance: float) -> ParityReport:
    try:
        answers = _WAYS[way](recorded)
    except WorkbenchError as error:  # a way that can't answer doesn't agree
        return failed(recorded, way, tolerance, str(error))
    return compared(recorded, way, tolerance, answers)
