"""A digest of what a frame says, not of how it is stored.

The digest is SHA-256 over one line of JSON: a version, the number of rows, and for each column in
order its name, its type (in our own words, for polars changes its) and the digest of its cells.
The cells of a column are cut into blocks of 65,536 rows, wherever chunks or files end, and a
column's digest is SHA-256 over its blocks' digests. So blocks may be hashed at the same time, and
a source that is larger than memory gives the same digest batch by batch.

A block is hashed as buffers, each with its length in front: which cells are null, as bits, then
the other cells alone, so that it doesn't matter what lies in memory under a null.

- Numbers, dates and times: their bytes, little-endian. Every NaN is the same NaN; -0.0 is not 0.0.
- Booleans: one byte each.
- Text and binary: the lengths, then the bytes end to end.
- Categories: the block's words by first appearance, then their numbers. Enum: the numbers, for
  its words are in its type.
- Decimals: their unscaled value in 16 bytes. Integers of 128 bits: as text.
- Lists: the lengths, then the inner cells as a column; arrays: the inner cells; structs: each
  field as a column.
- Extension types: the cells of what they are stored as; what they mean is in their type.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from workbench.errors import DataError

__all__ = ["FrameDigest", "digest_parts", "frame_digest", "type_words"]

_VERSION = "workbench-frame-1"
_BLOCK = 65_536
"""Rows of a block; part of the definition, so it never changes."""

_Buffer = bytes | memoryview | np.ndarray[Any, Any]
_Update = Callable[[_Buffer], None]


@dataclass(frozen=True)
class FrameDigest:
    """What a frame's digest is made of: enough to say which columns of two frames differ."""

    rows: int
    types: dict[str, Any]
    columns: dict[str, str]

    @property
    def cells(self) -> dict[str, str]:
        """The columns' digests, shortened: enough to tell in a record which of them changed."""
        return {name: digest[:16] for name, digest in self.columns.items()}

    @cached_property
    def value(self) -> str:
        """The digest of the whole: 64 hexadecimal digits."""
        columns = [[name, self.types[name], digest] for name, digest in self.columns.items()]
        text = json.dumps([_VERSION, self.rows, columns], ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def frame_digest(frame: pl.DataFrame | pl.LazyFrame) -> str:
    """Return the digest of a frame's columns, types and cells, in order: 64 hexadecimal digits.

    The same for equal frames, however they are chunked and whatever lies in memory under a null;
    another one for another cell, name, type or order. A lazy frame is read in batches.

    Raises
    ------
    DataError
        If a column holds Python objects, which have no bytes of their own.
    """
    return digest_parts(frame).value


def digest_parts(frame: pl.DataFrame | pl.LazyFrame) -> FrameDigest:
    """Return a frame's digest with that of each of its columns."""
    schema = frame.collect_schema()
    types = {name: type_words(dtype, name) for name, dtype in schema.items()}
    hashes = {name: hashlib.sha256() for name in schema}
    threads = min(os.cpu_count() or 1, 8)
    at_once = max(1, 4 * threads // max(1, len(schema)))
    rows = 0
    large = isinstance(frame, pl.LazyFrame) or frame.height > _BLOCK
    with ThreadPoolExecutor(threads) if large else nullcontext() as pool:
        for blocks in _grouped(_blocks(frame), at_once):
            rows += sum(block.height for block in blocks)
            cells = [column for block in blocks for column in block.get_columns()]
            digests = (pool.map if pool else map)(_block_digest, cells)
            for series, digest in zip(cells, digests, strict=True):
                hashes[series.name].update(digest)
    return FrameDigest(rows, types, {name: hashes[name].hexdigest() for name in schema})


def type_words(dtype: pl.DataType, column: str) -> Any:
    """Spell a type as JSON, in words that don't depend on polars' version.

    >>> type_words(pl.List(pl.Datetime("us", "UTC")), "moments")
    ['List', ['Datetime', 'us', 'UTC']]
    """
    name = type(dtype).__name__
    match dtype:
        case pl.Datetime():
            return [name, dtype.time_unit, dtype.time_zone]
        case pl.Duration():
            return [name, dtype.time_unit]
        case pl.Decimal():
            return [name, dtype.precision, dtype.scale]
        case pl.Enum():
            return [name, dtype.categories.to_list()]
        case pl.Categorical():
            return [name, dtype.categories.name()]  # == would miss categories with a name
        case pl.List():
            return [name, type_words(_made(dtype.inner), column)]
        case pl.Array():
            return [name, type_words(_made(dtype.inner), column), dtype.size]
        case pl.Struct():
            return [name, [[f.name, type_words(_made(f.dtype), column)] for f in dtype.fields]]
        case pl.BaseExtension():
            about = [dtype.ext_name(), dtype.ext_metadata()]
            return ["Extension", *about, type_words(_made(dtype.ext_storage()), column)]
        case pl.Object() | pl.Unknown():
            raise DataError(f"column {column!r} of type {dtype} can't be digested")
        case _:
            return name


def _made(dtype: Any) -> pl.DataType:
    """Turn what polars may give as a class into the type itself."""
    made: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return made


def _blocks(frame: pl.DataFrame | pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Cut a frame, or a stream of batches of any sizes, into blocks; only the last is shorter."""
    if isinstance(frame, pl.DataFrame):
        yield from frame.iter_slices(_BLOCK)
        return
    rest: pl.DataFrame | None = None
    for batch in frame.collect_batches(chunk_size=_BLOCK, maintain_order=True):
        rest = batch if rest is None else rest.vstack(batch)
        whole = rest.height - rest.height % _BLOCK
        yield from rest.head(whole).iter_slices(_BLOCK)
        rest = rest.slice(whole)
    if rest is not None and rest.height:
        yield rest


def _grouped(blocks: Iterable[pl.DataFrame], size: int) -> Iterator[list[pl.DataFrame]]:
    group: list[pl.DataFrame] = []
    for block in blocks:
        group.append(block)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _block_digest(series: pl.Series) -> bytes:
    digest = hashlib.sha256()

    def update(buffer: _Buffer) -> None:
        content = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # not until Python 3.12
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)

    _hash(series, update)
    return digest.digest()


def _hash(series: pl.Series, update: _Update) -> None:
    """Hash a column's nulls, then its other cells."""
    series = series.alias("")  # polars takes a name like ^x.*$ for a pattern
    nulls = series.null_count()
    update(np.packbits(series.is_null().to_numpy()) if nulls else b"")
    _hash_cells(series.drop_nulls() if nulls else series, update)


def _hash_cells(cells: pl.Series, update: _Update) -> None:
    match cells.dtype:
        case pl.Null():
            pass
        case pl.List():
            update(_bytes(cells.list.len().cast(pl.UInt64)))
            _hash(cells.explode(empty_as_null=False, keep_nulls=False), update)
        case pl.Array():
            _hash(cells.explode(empty_as_null=False, keep_nulls=False), update)
        case pl.Struct():
            for field in cells.struct.unnest().get_columns():
                _hash(field, update)
        case pl.BaseExtension():
            _hash_cells(cells.ext.storage(), update)
        case pl.Int128() | pl.UInt128():
            _hash_texts(cells.cast(pl.String), update)
        case pl.String() | pl.Binary():
            _hash_texts(cells, update)
        case pl.Decimal():
            update(_arrow_buffer(cells, 16))
        case pl.Enum():
            update(_bytes(cells.to_physical().cast(pl.UInt32)))
        case pl.Categorical():
            _hash_categories(cells, update)
        case pl.Boolean():
            update(_bytes(cells.cast(pl.UInt8)))
        case _:
            update(_bytes(_one_nan(cells.to_physical())))


def _one_nan(numbers: pl.Series) -> pl.Series:
    """Give every NaN the same bits: 0/0 computed and NaN read are other bits but the same cell."""
    if numbers.dtype.is_float() and numbers.is_nan().any():
        return numbers.fill_nan(math.nan)
    return numbers


def _bytes(numbers: pl.Series) -> np.ndarray[Any, Any]:
    array = numbers.to_numpy()
    little: np.ndarray[Any, Any] = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).view(np.uint8)


def _hash_texts(cells: pl.Series, update: _Update) -> None:
    sizes = cells.str.len_bytes() if cells.dtype == pl.String else cells.bin.size("b")
    update(_bytes(sizes.cast(pl.UInt32)))
    # The bytes end to end, as the older layout of Arrow has them: hashed at memory speed.
    array = cells.alias("").to_arrow(compat_level=pl.CompatLevel.oldest())
    _, ends, content = array.buffers()
    if content is not None and len(array):
        places = np.frombuffer(ends, np.int64)
        first, last = places[array.offset], places[array.offset + len(array)]
        update(memoryview(content)[first:last])


def _hash_categories(cells: pl.Series, update: _Update) -> None:
    numbers = cells.to_physical()
    firsts = numbers.arg_unique().sort()
    _hash_texts(cells.gather(firsts).cast(pl.String), update)
    # The numbers that this process gave them become their places in the list.
    known = numbers.gather(firsts).to_numpy()
    place = np.empty(int(known.max()) + 1 if len(known) else 0, np.uint32)
    place[known] = np.arange(len(known), dtype=np.uint32)
    update(_bytes(pl.Series(place[numbers.to_numpy()], dtype=pl.UInt32)))


def _arrow_buffer(cells: pl.Series, width: int) -> memoryview:
    array = cells.alias("").to_arrow()  # whose names end at a zero byte
    content = array.buffers()[1]
    if content is None:
        return memoryview(b"")
    return memoryview(content)[array.offset * width : (array.offset + len(array)) * width]
