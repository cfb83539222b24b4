"""Arrays in one file: written once, then read by every process that needs them."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from workbench.errors import StoreError

__all__ = ["Arrays", "read_arrays", "write_arrays"]

Arrays = dict[str, np.ndarray]

_MAGIC = b"WBARRAY1"
_BEGIN = struct.Struct("<8sQQ")
_ALIGNED = 64

_LARGE = 64 * 2**20
"""A larger file is mapped, and processes share it. A smaller one is read: who cut a mapped file
short would end every process that has it."""


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the arrays to a new file at `path`."""
    layout, start, check = {}, 0, 0
    for name, array in arrays.items():
        body = _padded(array.tobytes())
        layout[name] = [array.dtype.str, list(array.shape), start]
        start += len(body)
        check = zlib.crc32(body, check)
    text = json.dumps({"arrays": layout, "size": start, "check": check}).encode()
    header = text + b" " * (-(len(text) + _BEGIN.size) % _ALIGNED)
    with path.open("wb") as file:
        file.write(_BEGIN.pack(_MAGIC, len(header), zlib.crc32(header)) + header)
        for array in arrays.values():
            file.write(_padded(array.tobytes()))


def read_arrays(path: Path) -> Arrays:
    """Read the arrays of a file.

    Raises
    ------
    StoreError
        If the file is missing or isn't, byte by byte, what was written.
    """
    try:
        is_large = path.stat().st_size > _LARGE
        whole = np.memmap(path, np.uint8, "r") if is_large else np.fromfile(path, np.uint8)
        magic, length, check = _BEGIN.unpack(whole[: _BEGIN.size].tobytes())
        text = whole[_BEGIN.size : _BEGIN.size + length].tobytes()
        if magic != _MAGIC or zlib.crc32(text) != check:
            raise StoreError(f"{path}: damaged")
        header = json.loads(text)
        body = whole[_BEGIN.size + length :]
        if [len(body), zlib.crc32(body.data)] != [header["size"], header["check"]]:
            raise StoreError(f"{path}: damaged")
    except StoreError:
        raise
    except (OSError, ValueError, struct.error) as error:
        raise StoreError(f"{path}: can't be read: {error}") from error
    return {name: _array(body, *place) for name, place in header["arrays"].items()}


def _array(body: np.ndarray, dtype: str, shape: list[int], start: int) -> np.ndarray:
    kind = np.dtype(dtype)
    end = start + kind.itemsize * int(np.prod(shape))
    # A plain view of the mapping: every operation on a memmap would make a memmap again.
    return np.asarray(body[start:end]).view(np.ndarray).view(kind).reshape(shape)


def _padded(body: bytes) -> bytes:
    return body + bytes(-len(body) % _ALIGNED)
