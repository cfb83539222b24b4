"""What annotations may say beyond types: `Annotated[int, Range(1, 12)]`, `Annotated[str, Secret]`.

They are read from the cell's source, and must also work when the cell really runs: so this module
imports next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Range", "Secret"]


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value, both allowed; None where there is no limit.

    >>> Range(1, 12)
    Range(minimum=1, maximum=12)
    """

    minimum: Any = None
    maximum: Any = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that is handed to the kernel and written down nowhere."""
