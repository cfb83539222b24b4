"""The moment of telling: an event is made and put away, and whatever goes wrong is a warning."""

from __future__ import annotations

import logging

from workbench.lineage.openlineage.events import run_event
from workbench.lineage.openlineage.outbox import put
from workbench.lineage.openlineage.sender import send_soon
from workbench.project import Project
from workbench.store import JobRow, database

__all__ = ["tell"]

_logger = logging.getLogger("workbench.lineage")


def tell(project: Project, job_id: str) -> None:
    """Tell how a job stands, if the project asks for it; never raises, never waits."""
    if not project.settings.lineage.openlineage_url:
        return
    try:
        with database(project).session() as session:
            row = session.get_one(JobRow, job_id)
        event = run_event(project, row)
        if event is not None:
            put(project, event)
            send_soon(project)
    except Exception as error:  # a job's own work went well or not, whoever is told of it
        _logger.warning("job %s: no OpenLineage event: %s", job_id, error)
