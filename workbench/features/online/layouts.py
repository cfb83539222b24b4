"""What a version's rows mean: types, age limit, and the answer for an entity without a row."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache

import polars as pl

from workbench.errors import StoreError
from workbench.features.online.keys import Keys
from workbench.features.online.packing import Packing

__all__ = ["Layout"]

_FORMAT = 1


@dataclass(frozen=True)
class Layout:
    """The types of a view's entity and features, as the version that holds them was filled.

    `missing` is the packed answer for an entity without a row, where that isn't null: no events
    are a count of 0.
    """

    view: str
    entity: pl.Schema
    features: pl.Schema
    ttl: timedelta | None = None
    missing: bytes | None = None

    @cached_property
    def keys(self) -> Keys:
        """What turns entities into keys."""
        return Keys(self.entity, self.view)

    @cached_property
    def packing(self) -> Packing:
        """What turns values into bytes."""
        return Packing(self.features, self.view)

    def to_bytes(self) -> bytes:
        """Write it: a line of JSON, then the types as an Arrow stream without rows."""
        head = {
            "format": _FORMAT,
            "view": self.view,
            "entity": len(self.entity),
            "ttl_us": None if self.ttl is None else self.ttl // timedelta(microseconds=1),
            "missing": None if self.missing is None else self.missing.hex(),
        }
        columns = [*self.entity.items(), *self.features.items()]
        # An entity and a feature may have the same name, columns of one stream may not.
        types = {str(at): dtype for at, (_, dtype) in enumerate(columns)}
        body = io.BytesIO()
        pl.DataFrame(schema=types).write_ipc_stream(body)
        return json.dumps([head, [name for name, _ in columns]]).encode() + b"\n" + body.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> Layout:
        """Read what `to_bytes` wrote.

        Raises
        ------
        StoreError
            If another Workbench wrote it in a way that this one doesn't know.
        """
        return _read(content)


@lru_cache(maxsize=256)
def _read(content: bytes) -> Layout:
    line, _, body = content.partition(b"\n")
    try:
        head, names = json.loads(line)
        known = head["format"] == _FORMAT
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise StoreError(
            "online store: written by another Workbench; "
            "fill it again: workbench features materialize"
        )
    dtypes = pl.read_ipc_stream(body).schema.dtypes()
    pairs = list(zip(names, dtypes, strict=True))
    return Layout(
        head["view"],
        pl.Schema(pairs[: head["entity"]]),
        pl.Schema(pairs[head["entity"] :]),
        None if head["ttl_us"] is None else timedelta(microseconds=head["ttl_us"]),
        None if head["missing"] is None else bytes.fromhex(head["missing"]),
    )
