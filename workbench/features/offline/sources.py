"""The project's sources, as far as they have to be read."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import polars as pl

from workbench.data import Dataset, list_datasets, observing, read, stamp
from workbench.data.contracts import guard_source
from workbench.data.observers import notify
from workbench.data.sources import open_source
from workbench.errors import DataError
from workbench.project import Project
from workbench.store import write_atomic

__all__ = ["Sources"]


class Sources:
    """Sources and their digests; one whose stamp is known isn't read to tell its digest.

    Each is read once, and kept: but for Parquet that would take much of the memory, which is read
    as it is needed.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._frames: dict[str, pl.LazyFrame] = {}
        self._digests: dict[str, str] = {}
        self._large: dict[str, bool] = {}

    def frame(self, name: str) -> pl.LazyFrame:
        """Return the source's rows."""
        if name not in self._frames:
            mark = self._mark(name)  # before: what changes meanwhile has another one
            seen: list[Dataset] = []
            with observing(seen.append):
                if self.is_large(name):
                    frame = read(name, self._project, lazy=True)
                else:
                    frame = read(name, self._project).lazy()
            self._frames[name], self._digests[name] = frame, seen[-1].digest
            self._remember(name, mark)
        return self._frames[name]

    def empty(self, name: str) -> pl.LazyFrame:
        """Return the source's columns without any rows."""
        return open_source(name, self._project).schema().to_frame().lazy()

    def schema(self, name: str) -> pl.Schema:
        """Return the source's columns and their types; of one that was read they are at hand."""
        if name in self._frames:
            return self._frames[name].collect_schema()
        return open_source(name, self._project).schema()

    def is_large(self, name: str) -> bool:
        """Whether its rows would take more than a sixteenth of the memory that a join may take."""
        if name not in self._large:
            self._large[name] = self._bytes(name) > self._project.settings.memory_mb * 2**16
        return self._large[name]

    def _bytes(self, name: str) -> int:
        """Guess how many bytes its rows take; of other files than Parquet it costs a whole read."""
        declared = self._project.settings.sources.get(name)
        if declared is None or not declared.address.endswith(".parquet"):
            return 0
        rows = open_source(name, self._project).scan()
        height: int = rows.select(pl.len()).collect().item()
        return height * len(rows.collect_schema()) * 8

    def node(self, name: str) -> str:
        """Return the source's name in the lineage, with its content's digest.

        Raises
        ------
        DataError
            If the content breaks the source's contract: nothing is made from such rows.
        """
        digest = self._digest(name)
        guard_source(name, digest, lambda: self.frame(name), self._project)
        return f"dataset:{name}@{digest[:12]}"

    def _digest(self, name: str) -> str:
        if name not in self._digests:
            mark, digest = self._known().get(name, ("", ""))
            if mark and mark == self._mark(name) and self._told(name, digest):
                self._digests[name] = digest
            else:
                self.frame(name)
        return self._digests[name]

    def _mark(self, name: str) -> str:
        with suppress(DataError):  # who reads it then says what is wrong
            return stamp(name, self._project)
        return ""

    def _told(self, name: str, digest: str) -> bool:
        """Tell the observers of a source that is used and needn't be read; False if unknown."""
        for dataset in list_datasets(self._project):
            if (dataset.name, dataset.digest) == (name, digest):
                notify(dataset)
                return True
        return False

    @property
    def _path(self) -> Path:
        return self._project.state / "offline" / "stamps.json"

    def _known(self) -> dict[str, tuple[str, str]]:
        with suppress(OSError, ValueError):  # only a memory: without it the source is read
            return {name: (mark, digest) for name, (mark, digest) in _parsed(self._path).items()}
        return {}

    def _remember(self, name: str, mark: str) -> None:
        known = {**self._known(), name: (mark, self._digests[name])}
        with write_atomic(self._path) as beside:
            beside.write_text(json.dumps(known, indent=1), encoding="utf-8")


def _parsed(path: Path) -> dict[str, tuple[str, str]]:
    content: dict[str, tuple[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return content
