"""What can be asked, by what it is about: each module has the operations of one panel.

The functions do nothing of their own: they call what a notebook or the command line would call.
Their imports are inside, for MLflow alone takes three seconds and the server should start at once.
"""

from workbench.server.operation import Operation
from workbench.server.resources import (
    branch,
    data,
    features,
    jobs,
    launching,
    models,
    monitors,
    project,
    runs,
    standing,
)

__all__ = ["OPERATIONS"]

OPERATIONS: tuple[Operation, ...] = (
    *project.OPERATIONS,
    *branch.OPERATIONS,
    *runs.OPERATIONS,
    *models.OPERATIONS,
    *features.OPERATIONS,
    *data.OPERATIONS,
    *jobs.OPERATIONS,
    *standing.OPERATIONS,
    *monitors.OPERATIONS,
    *launching.OPERATIONS,
)
