"""Whether the stream is still the one that was read, and has everything that wasn't."""

from __future__ import annotations

from typing import Any

from workbench.data.sources.redis_streams import RedisStream, entry_place
from workbench.errors import DataError
from workbench.features.streaming.state import StreamState

__all__ = ["check_place"]


def check_place(source: RedisStream, state: StreamState) -> int:
    """Return how many entries were deleted before they were read, since this was last asked.

    Raises
    ------
    DataError
        If the stream's last entry is before the one that was read: it was made anew.
    """
    info, offset = source.info(), str(state.fact("offset", "0-0"))
    if not info:
        return 0
    last = info["last-generated-id"]
    if entry_place(last) < entry_place(offset):
        raise DataError(
            f"{source.declared.shown}: its last entry is {last}, and {offset} was read before: "
            "it was made anew with ids that don't go on; give it another name"
        )
    if "entries-added" not in info:  # before Redis 7 it doesn't count them
        return 0
    return _gap(info, offset, state)


def _gap(info: dict[str, Any], offset: str, state: StreamState) -> int:
    """Compare how many entries there ever were with those that were read and those that wait."""
    gone = int(info["entries-added"] - info["length"])
    counted = state.fact("counted")
    if counted is None:  # what was deleted before we came was never ours
        with state.transaction():
            state.set_facts(counted=gone)
        return 0
    first = info.get("recorded-first-entry-id", "0-0")
    if info["length"] and entry_place(first) <= entry_place(offset):
        return 0  # what was deleted had been read
    lost = max(0, gone - int(counted))
    if lost:
        with state.transaction():
            state.set_facts(counted=gone)
    return lost
