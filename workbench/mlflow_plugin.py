"""What MLflow loads of us: tags for every run that it starts, plain `mlflow.start_run` included.

MLflow asks each `mlflow.run_context_provider` whether it is in its context; we are wherever there
is a project. It loads this whenever it is imported, in every program that has Workbench installed:
so importing it costs nothing, it is no subclass of anything of MLflow's, which is only half there
by then, and it never raises.
"""

from __future__ import annotations

import sys

from workbench.errors import WorkbenchError
from workbench.project import Project

__all__ = ["WorkbenchContext"]


class WorkbenchContext:
    """Commit, branch, notebook, job and snapshot, as tags."""

    def in_context(self) -> bool:
        """Whether a notebook has told its tags, or the working directory is in a project."""
        return bool(self._provided()) or self._project() is not None

    def tags(self) -> dict[str, str]:
        """Name the code that the run is of."""
        from workbench.tracking.capture.context import context_tags

        project = self._project()
        try:
            return {**(context_tags(project) if project else {}), **self._provided()}
        except (WorkbenchError, OSError):
            return self._provided()

    def _provided(self) -> dict[str, str]:
        context = sys.modules.get("workbench.tracking.capture.context")
        return context.provided() if context else {}

    def _project(self) -> Project | None:
        try:
            return Project.find()
        except (WorkbenchError, OSError):
            return None
