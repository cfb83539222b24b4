"""What papermill loads by our entry point.

papermill loads all engines while it is imported itself, which importing our engine sets off: an
entry point that led straight to that module would find it half made.
"""

from __future__ import annotations

from typing import Any

from papermill.engines import Engine

__all__ = ["WorkbenchEngine"]


class WorkbenchEngine(Engine):  # type: ignore[misc]  # papermill has no types
    """Stands in for the engine until a notebook is run with it."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **kwargs: Any) -> Any:
        """Execute `nb` with the engine."""
        from workbench.jobs.engine.execution import WorkbenchEngine as Real

        return Real.execute_notebook(nb, kernel_name, **kwargs)
