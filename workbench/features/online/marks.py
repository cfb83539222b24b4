"""What a version was filled from, kept with it: so that nobody goes back over newer rows.

Each clone of a project knows how far it has brought a view; a store that a team shares has what
any of them has brought there.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from workbench.errors import UsageError
from workbench.features.online.protocol import Version

__all__ = ["Mark", "refuse_to_go_back"]


class Mark(BaseModel):
    """What became known until a moment, of which the newest event is `newest`, from `content`."""

    model_config = ConfigDict(frozen=True)

    until: datetime
    newest: datetime | None
    content: list[str]

    def to_bytes(self) -> bytes:
        """Write it, as JSON."""
        return self.model_dump_json().encode()

    def is_behind(self, other: Mark) -> bool:
        """Whether the other has what this one lacks, as far as can be told."""
        if self.until < other.until or set(self.content) < set(other.content):
            return True
        return other.newest is not None and (self.newest is None or self.newest < other.newest)


def refuse_to_go_back(served: Version, mine: Mark, store: str) -> None:
    """Check that a version that somebody else has filled may be replaced.

    Raises
    ------
    UsageError
        If what is served is newer.
    """
    if not served.mark:
        return
    theirs = Mark.model_validate_json(served.mark)
    if mine.is_behind(theirs):
        raise UsageError(
            f"feature view {served.view}: {store} has it {_said(theirs)}, written from elsewhere; "
            f"here it is {_said(mine)}: bring the sources up to date, or take theirs away first: "
            f"workbench features withdraw {served.view}"
        )


def _said(mark: Mark) -> str:
    newest = mark.newest.isoformat() if mark.newest else "none"
    return f"until {mark.until.isoformat()} (newest event {newest}, {len(mark.content)} parts)"
