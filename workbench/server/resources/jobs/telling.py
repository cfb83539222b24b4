"""What is told of a job to who watches it."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from workbench.jobs import JobLog
from workbench.jobs.records import ENDED
from workbench.project import Project
from workbench.server.resources.jobs.listing import listed

__all__ = ["Teller", "joined"]


class Teller:
    """Looks at one job for one listener. Blocks while it looks."""

    def __init__(self, project: Project, job_id: str) -> None:
        self._project = project
        self._log = JobLog(project, job_id)

    def close(self) -> None:
        """Let go of the job's files."""
        self._log.close()

    def look(self) -> tuple[list[dict[str, Any]], str, bool]:
        """Return what is new in its journal, how the job stands as JSON, and whether it ended."""
        entries = joined(self._log.look())
        standing = to_json(listed(self._project, self._log.job), inf_nan_mode="strings").decode()
        return entries, standing, self._log.job.state in ENDED


def joined(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put together what a cell wrote to one stream in pieces."""
    joined: list[dict[str, Any]] = []
    for entry in entries:
        output = entry.get("output", {})
        before = joined[-1].get("output", {}) if joined else {}
        if (
            output.get("output_type") == before.get("output_type") == "stream"
            and output["name"] == before["name"]
            and entry.get("cell") == joined[-1].get("cell")
        ):
            joined[-1] = {
                **joined[-1],
                "output": {**before, "text": before["text"] + output["text"]},
            }
        else:
            joined.append(entry)
    return joined
