"""A digest of what a frame says, not of how it is stored."""

from __future__ import annotations

import hashlib
import math

import polars as pl

from workbench.errors import DataError

__all__ = ["frame_digest"]

_AS_TEXT = (pl.Categorical, pl.Enum, pl.Decimal, pl.Int128, pl.UInt128)
"""Types whose cells in memory depend on more than their value, or that NumPy doesn't have."""


def frame_digest(frame: pl.DataFrame) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of a frame's columns, types and cells, in order.

    The same for equal frames, however they are chunked and whatever lies in memory under a null.
    Nested columns are not supported yet.
    """
    digest = hashlib.sha256(f"rows={frame.height}".encode())
    for series in frame:
        digest.update(f"\0{series.name}\0{series.dtype}\0".encode())
        _update(digest, series)
    return digest.hexdigest()


def _update(digest: hashlib._Hash, series: pl.Series) -> None:
    if series.null_count():
        digest.update(b"nulls")
        digest.update(series.is_null().to_numpy().tobytes())
    if isinstance(series.dtype, _AS_TEXT):  # == would miss categories with a name
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        filled = series.fill_null("")
        digest.update(filled.str.len_bytes().to_numpy().tobytes())
        # One join hashes at memory speed; the lengths above say where each cell ends.
        digest.update(filled.str.join("").item().encode())
    elif series.dtype == pl.Boolean:
        digest.update(series.fill_null(value=False).to_numpy().tobytes())
    elif series.dtype.is_temporal() or series.dtype.is_numeric():
        physical = series.to_physical().fill_null(0)
        if series.dtype.is_float():
            # 0/0 computed and NaN read are other bits but the same cell. NaN stays apart from null,
            # and -0.0 from 0.0: both are different cells.
            physical = physical.fill_nan(math.nan)
        digest.update(physical.to_numpy().tobytes())
    elif series.dtype != pl.Null:
        raise DataError(f"column {series.name!r} of type {series.dtype} can't be digested")
