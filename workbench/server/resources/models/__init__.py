"""Registered models: what is in production, versions and their evidence, and what is decided."""

from workbench.server.operation import Operation
from workbench.server.resources.models import deciding, listing, looking, making

__all__ = ["OPERATIONS"]

OPERATIONS: tuple[Operation, ...] = (
    *listing.OPERATIONS,
    *deciding.OPERATIONS,
    *looking.OPERATIONS,
    *making.OPERATIONS,
)
