"""Where the work tree stands, and the branches: each one an experiment.

Names of branches have slashes, so they stand in the query or the body of a request.
"""

from __future__ import annotations

from workbench.server.operation import Operation
from workbench.server.resources.branch import branches, comparing, merging, work

__all__ = ["OPERATIONS"]

OPERATIONS: tuple[Operation, ...] = (
    *work.OPERATIONS,
    *branches.OPERATIONS,
    *comparing.OPERATIONS,
    *merging.OPERATIONS,
)
