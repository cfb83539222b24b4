"""The spool: what was logged and isn't in the store yet, in files that outlive their process.

Each process writes a file of its own for each run, one JSON line an entry, each handed to the
operating system before the call that logged it returns: a killed process loses nothing. A file is
locked for as long as its writer lives; one that nobody holds was left behind, and whoever takes its
lock may send it.

    00000000000000000123                                    how far it has been sent, in bytes
    {"run_id": "5f0c…", "create": null}                     whose entries they are
    ["metric", "loss", 0.25, 1767225600000, 7]              the entries
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from workbench.tracking.entries import Entry

__all__ = ["Chunk", "Spool", "encode", "left_behind"]

_OFFSET_WIDTH = 20
_BLOCK = 1 << 18
_EMPTIED_AT = 1 << 22  # bytes: a file this long begins anew once all of it is sent


@dataclass(frozen=True)
class Chunk:
    """Entries that stand one after another, and the offset where they end."""

    entries: list[Entry]
    unreadable: list[str]
    end: int


def encode(entries: Iterable[Entry]) -> bytes:
    """Write entries as lines."""
    return "".join(f"{json.dumps(entry)}\n" for entry in entries).encode()


class Spool:
    """One file of the spool, held by us."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        first = _lines(os.pread(descriptor, _BLOCK, 0), 2)
        self.head: dict[str, Any] = json.loads(first[1])
        self._start = sum(len(line) + 1 for line in first)
        self.sent = max(int(first[0]), self._start)

    @classmethod
    def create(cls, folder: Path, head: Mapping[str, Any]) -> Spool:
        """Make a new file in `folder` and hold it.

        It takes its name once it is locked and complete, so nobody mistakes it for one left behind.
        """
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{head['run_id']}-{os.getpid()}-{uuid4().hex[:8]}"
        beside = folder / f".{name}.tmp"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        descriptor = os.open(beside, flags, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            line = f"{json.dumps(dict(head))}\n"
            start = _OFFSET_WIDTH + 1 + len(line)
            _write(descriptor, f"{start:0{_OFFSET_WIDTH}d}\n{line}".encode())
            beside.rename(folder / f"{name}.jsonl")
            return cls(folder / f"{name}.jsonl", descriptor)
        except BaseException:
            os.close(descriptor)
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise

    @property
    def size(self) -> int:
        """The bytes written so far."""
        return os.fstat(self._descriptor).st_size

    @property
    def written(self) -> float:
        """When it was last written to, in seconds since 1970."""
        return os.fstat(self._descriptor).st_mtime

    def append(self, lines: bytes) -> None:
        """Hand whole lines to the operating system: all of them, or none.

        Raises
        ------
        OSError
            If they can't be written.
        """
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            _write(self._descriptor, lines)
        except OSError:
            os.ftruncate(self._descriptor, end)
            raise

    def read(self, limit: int) -> Chunk:
        """Read up to `limit` entries that haven't been sent; a last line without an end waits."""
        block = os.pread(self._descriptor, _BLOCK, self.sent)
        while b"\n" not in block and len(block) % _BLOCK == 0 and block:
            more = os.pread(self._descriptor, _BLOCK, self.sent + len(block))
            if not more:
                break
            block += more
        lines = _lines(block, limit)
        end = self.sent + sum(len(line) + 1 for line in lines)
        try:
            return Chunk(json.loads(b"[" + b",".join(lines) + b"]"), [], end)
        except ValueError:
            return _one_by_one(lines, end)

    def advance(self, end: int) -> None:
        """Remember that everything before `end` is in the store, or kept as refused."""
        os.pwrite(self._descriptor, f"{end:0{_OFFSET_WIDTH}d}".encode(), 0)
        self.sent = end

    def shrink(self, above: int = _EMPTIED_AT) -> None:
        """Begin anew if all was sent and the file has grown; nobody may append meanwhile."""
        if self.sent == self.size > max(above, self._start):
            os.ftruncate(self._descriptor, self._start)
            self.advance(self._start)

    def waiting(self) -> int:
        """Count the lines that haven't been sent."""
        count, at = 0, self.sent
        while block := os.pread(self._descriptor, _BLOCK, at):
            count += block.count(b"\n")
            at += len(block)
        return count

    def torn(self) -> str:
        """Return what follows the last whole line: the end of a write that was cut off."""
        return (
            os.pread(self._descriptor, _BLOCK, self.sent)
            .rpartition(b"\n")[2]
            .decode(errors="replace")
        )

    def remove(self) -> None:
        """Delete the file, and let go of it."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Let go of the file, which stays."""
        os.close(self._descriptor)


def left_behind(folder: Path, run_id: str | None = None) -> Iterator[Spool]:
    """Take the files (of one run, or all) that no living process holds, one after the other."""
    for path in sorted(folder.glob(f"{run_id}-*.jsonl" if run_id else "*.jsonl")):
        held = _take(path)
        if held is None:
            continue
        try:
            spool = Spool(path, held)
        except (ValueError, IndexError):  # the machine stopped before its head was on the disk
            os.close(held)
            continue
        yield spool


def _take(path: Path) -> int | None:
    """Lock the file at `path`; None if it is held, or was sent and deleted while we looked."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return None
    return descriptor


def _write(descriptor: int, content: bytes) -> None:
    while content:  # a write may be short: on a full disk it stores what fits
        content = content[os.write(descriptor, content) :]


def _lines(block: bytes, limit: int) -> list[bytes]:
    """Split off up to `limit` whole lines; what follows them is left."""
    return block.split(b"\n", limit)[:-1]


def _one_by_one(lines: list[bytes], end: int) -> Chunk:
    entries, unreadable = [], []
    for line in lines:
        try:
            entry = json.loads(line)
            entries.append(entry) if isinstance(entry, list) else unreadable.append(str(entry))
        except ValueError:
            unreadable.append(line.decode(errors="replace"))
    return Chunk(entries, unreadable, end)
