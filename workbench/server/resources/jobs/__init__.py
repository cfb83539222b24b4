"""Jobs: what ran and runs, asking for more of them, and the schedules that ask by themselves."""

from __future__ import annotations

from workbench.server.operation import Operation
from workbench.server.resources.jobs import acting, asking, listing, schedules

__all__ = ["OPERATIONS"]

OPERATIONS: tuple[Operation, ...] = (
    *listing.OPERATIONS,
    *asking.OPERATIONS,
    *acting.OPERATIONS,
    *schedules.OPERATIONS,
)
