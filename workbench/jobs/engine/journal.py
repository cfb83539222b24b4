"""The journal: one line for each thing that happened, written as it happens.

It is how a job that is killed leaves what it had done, how its progress is seen from outside, and
what its live log reads. A last line that a kill cut short counts for nothing.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from workbench.errors import NotebookError
from workbench.jobs.engine.files import INPUT, JOURNAL, RESULT

__all__ = ["Event", "Journal", "Tail", "follow", "progress", "read", "replay", "states"]

Event = dict[str, Any]

_BLOCK = 64 * 1024
_POLL_SECONDS = 0.1
_MARKER = "papermill-error-cell-tag"
# The keys that these look for are written first, so that a line need not be parsed as a whole.
_OF_CELL = re.compile(rb'\{"event": "(\w+)", "cell": (\d+)')
_STATE = (b'{"event": "start"', b'{"event": "end"')


class Journal:
    """Appends events to a file that it makes.

    Raises
    ------
    OSError
        If it can't be written. A second execution in the same folder finds the first one's.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o644)

    def write(self, event: Mapping[str, Any]) -> None:
        """Append one event; once this returns, it outlives this process."""
        first = {key: event[key] for key in ("event", "cell") if key in event}
        line = memoryview(f"{json.dumps({**first, **event})}\n".encode())
        while line:
            line = line[os.write(self._file, line) :]

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def read(folder: Path) -> Iterator[Event]:
    """Yield the events of the job in `folder`; none if it hasn't begun."""
    try:
        file = (folder / JOURNAL).open("rb")
    except FileNotFoundError:
        return
    with file:
        yield from map(json.loads, _whole_lines(file))


def replay(folder: Path) -> Any:
    """Rebuild the executed notebook of the job in `folder` from its input and its journal.

    Raises
    ------
    NotebookError
        If the input isn't a notebook.
    """
    from workbench.jobs.engine.transcript import Transcript

    transcript = Transcript(_input(folder))
    for event in read(folder):
        transcript.apply(event)
    transcript.settle()
    return transcript.notebook


def progress(folder: Path) -> tuple[int, int]:
    """Return how many cells of the job in `folder` are completed, and how many it has.

    (0, 0) if it hasn't begun. Only the two ends of the journal are read.
    """
    try:
        file = (folder / JOURNAL).open("rb")
    except FileNotFoundError:
        return 0, 0
    with file:
        cells = _cells(file.readline())
        for line in _backwards(file):
            if found := _OF_CELL.match(line):
                completed = found[1] == b"end" and json.loads(line)["status"] == "completed"
                return int(found[2]) + completed, cells
    return 0, cells


def states(folder: Path) -> list[str]:
    """Return the state of each cell of the job in `folder`: as `replay` would, but quickly."""
    try:
        file = (folder / JOURNAL).open("rb")
    except FileNotFoundError:
        return ["pending"] * len(_input(folder).cells)
    with file:
        found = ["pending"] * _cells(file.readline())
        for line in _whole_lines(file):
            if line.startswith(_STATE):
                event = json.loads(line)
                found[event["cell"]] = event.get("status", "running")
    return found or ["pending"] * len(_input(folder).cells)


def follow(folder: Path, *, ended: Callable[[], bool] | None = None) -> Iterator[Event]:
    """Yield the events of the job in `folder` as they come, until it has ended.

    It has when `ended` says so: unless told otherwise, when there is a result.
    """
    ended = ended or (folder / RESULT).exists
    with Tail(folder) as tail:
        while True:
            last_look = ended()
            yield from tail.new()
            if last_look:
                return
            time.sleep(_POLL_SECONDS)


class Tail:
    """Reads the journal of the job in `folder` as it grows."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def new(self) -> Iterator[Event]:
        """Yield the events since the last call; none if the job hasn't begun."""
        if self._file is None and self._path.exists():
            self._file = self._path.open("rb")
        if self._file is not None:
            yield from map(json.loads, _whole_lines(self._file))


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines that are whole, and leave the file at the beginning of the one that isn't."""
    start = file.tell()
    for line in file:
        if not line.endswith(b"\n"):
            break
        start += len(line)
        yield line
    file.seek(start)


def _backwards(file: BinaryIO) -> Iterator[bytes]:
    """Yield the whole lines from the last one to the first."""
    end = file.seek(0, os.SEEK_END)
    blocks: list[bytes] = []  # of the line whose beginning isn't found yet
    torn = True  # what follows the last line break
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        block = file.read(end - start)
        end = start
        pieces = block.split(b"\n")
        blocks.append(pieces.pop())
        while pieces:
            if not torn:
                yield b"".join(reversed(blocks))
            blocks, torn = [pieces.pop()], False
    if not torn:
        yield b"".join(reversed(blocks))


def _cells(begin: bytes) -> int:
    return int(json.loads(begin).get("cells", 0)) if begin.endswith(b"\n") else 0


def _input(folder: Path) -> Any:
    """Read the notebook as papermill does before it hands it to an engine."""
    import nbformat

    from workbench.jobs.engine.transcript import blank

    try:
        notebook = nbformat.read(folder / INPUT, as_version=4)
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise NotebookError(f"{folder / INPUT}: not a valid notebook: {error}") from error
    notebook = nbformat.v4.upgrade(notebook) or notebook
    tagged = [cell for cell in notebook.cells if _MARKER in cell.metadata.get("tags", ())]
    notebook.cells = [cell for cell in notebook.cells if cell not in tagged]
    notebook.metadata.setdefault("papermill", nbformat.from_dict({}))
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
    blank(notebook)
    return notebook
