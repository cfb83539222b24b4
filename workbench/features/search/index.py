"""The index on disk: a large part that stays, a small one with what has changed since.

A part is a file that is never changed. Which parts count, and for which groups, stands in a
manifest that is replaced as a whole: a reader, and whoever comes after a crash, sees the old index
or the new one. All of it is derived from records, and made again where it is missing or damaged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Literal, NamedTuple
from uuid import uuid4

from pydantic import BaseModel, ValidationError

from workbench.errors import StoreError
from workbench.features.search.arrays import read_arrays, write_arrays
from workbench.features.search.building import Document, build
from workbench.features.search.facets import NOTHING, Chosen, Counted, counted
from workbench.features.search.segment import Found, Segment, Spelling
from workbench.features.search.words import Query, parse
from workbench.store import file_lock, write_atomic

__all__ = ["NEAR", "Documents", "Index"]

Documents = Callable[[Collection[str]], Iterable[Document]]

NEAR = 10
"""From this tier on, hits are for words that are one letter off."""

_FORGIVING: tuple[tuple[int, Spelling], ...] = ((NEAR, "whole"), (2 * NEAR, "begun"))

_SPELLINGS: tuple[Spelling, ...] = ("exact", "begun")
"""How words are taken when hits are counted: the last of the forgiving ones finds what all do."""

_CHANGED = 0.2
"""The share of the groups that may have changed before all is written anew."""


class _Part(BaseModel):
    """A file of the index: its groups that still count, with the stamps of their content."""

    file: str
    size: int
    groups: dict[str, str]


class _Manifest(BaseModel):
    format: Literal[2] = 2
    parts: list[_Part]


class _Loaded(NamedTuple):
    identity: tuple[int, int, int]
    parts: list[_Part]
    stamps: dict[str, str]
    segments: dict[str, Segment]


class Index:
    """Documents in groups, found by their words. Safe to share between threads and processes.

    Parameters
    ----------
    folder
        Where its files are.
    name
        What they begin with: several indexes may share a folder.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._path = folder / f"{name}.json"
        self._lock = Lock()
        self._known: _Loaded | None = None

    @property
    def ready(self) -> bool:
        """Whether there is an index on disk, and whole."""
        return self._load() is not None

    def update(self, stamps: Mapping[str, str], documents: Documents) -> None:
        """Bring the index to what `stamps` says: the groups there are, each with a content's mark.

        `documents` is asked for those of the groups that have to be indexed.
        """
        if self._is_at(stamps):
            return
        with file_lock(self._folder / f"{self._name}.lock"):
            if not self._is_at(stamps):  # a rival may have done it meanwhile
                known = self._load()
                parts = self._parts(known.parts if known else [], stamps, documents)
                with write_atomic(self._path) as beside:
                    beside.write_text(_Manifest(parts=parts).model_dump_json(), encoding="utf-8")
                self._clean({part.file for part in parts})

    def find(self, text: str, limit: int, chosen: Chosen = NOTHING) -> list[Found]:
        """Return the best hits; where there is none, those for words that are one letter off.

        What is chosen of facets narrows what the text finds, and doesn't change how it is read.
        """
        query, whole = parse(text), self._segments()
        segments = [segment.having(chosen) for segment in whole] if any(chosen.values()) else whole
        hits = _merged(segments, query, limit, "exact")
        if hits or (segments is not whole and _merged(whole, query, 1, "exact")):
            return hits
        near: dict[tuple[str, str], Found] = {}
        for tiers, spelling in _FORGIVING:
            for hit in _merged(segments, query, limit, spelling):
                near.setdefault((hit.group, hit.name), hit._replace(tier=hit.tier + tiers))
            if len(near) >= limit:
                break
        return list(near.values())[:limit]

    def count(self, text: str, chosen: Chosen = NOTHING) -> Counted:
        """Count all that `find` would find, in all and by facet."""
        query, segments = parse(text), self._segments()
        for spelling in _SPELLINGS:
            hits = [segment.count(query, spelling) for segment in segments]
            if any(found.any() for found in hits):
                break
        pairs = zip((segment.facets for segment in segments), hits, strict=True)
        return counted(pairs, chosen)

    def _segments(self) -> list[Segment]:
        known = self._load()
        return list(known.segments.values()) if known else []

    def _is_at(self, stamps: Mapping[str, str]) -> bool:
        known = self._load()
        return known is not None and known.stamps == stamps

    def _parts(
        self, parts: list[_Part], stamps: Mapping[str, str], documents: Documents
    ) -> list[_Part]:
        if not parts:
            return [self._written(stamps, documents)]
        base = parts[0]
        kept = {group: s for group, s in base.groups.items() if stamps.get(group) == s}
        rest = {group: s for group, s in stamps.items() if group not in kept}
        if len(rest) > _CHANGED * len(stamps) or len(kept) < (1 - _CHANGED) * base.size:
            return [self._written(stamps, documents)]
        base = base.model_copy(update={"groups": kept})
        return [base, self._written(rest, documents)] if rest else [base]

    def _written(self, stamps: Mapping[str, str], documents: Documents) -> _Part:
        path = self._folder / f"{self._name}-{uuid4().hex[:12]}.part"
        arrays = build(documents(stamps.keys()))
        with write_atomic(path) as beside:
            write_arrays(beside, arrays)
        return _Part(file=path.name, size=len(stamps), groups=dict(stamps))

    def _clean(self, used: Collection[str]) -> None:
        """Remove what earlier indexes, and writers that were killed, have left."""
        for pattern in (f"{self._name}-*.part", f".{self._name}[-.]*.tmp"):
            for path in self._folder.glob(pattern):
                if path.name not in used:
                    path.unlink(missing_ok=True)

    def _load(self) -> _Loaded | None:
        """Return the index as it is now; None if there is none, or none that can be used."""
        with self._lock:
            while (identity := self._identity()) is not None:
                if self._known is not None and self._known.identity == identity:
                    return self._known
                try:
                    self._known = self._read(identity)
                except StoreError:
                    if self._identity() == identity:
                        return None  # damaged, and not merely replaced while it was read
        return None

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self, identity: tuple[int, int, int]) -> _Loaded:
        try:
            manifest = _Manifest.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError) as error:
            raise StoreError(f"{self._path}: can't be read") from error
        earlier = self._known.segments if self._known is not None else {}
        segments = {
            part.file: (
                earlier.get(part.file) or Segment(read_arrays(self._folder / part.file))
            ).only(part.groups.keys())
            for part in manifest.parts
        }
        stamps = {group: s for part in manifest.parts for group, s in part.groups.items()}
        return _Loaded(identity, manifest.parts, stamps, segments)


def _merged(
    segments: Iterable[Segment], query: Query, limit: int, spelling: Spelling
) -> list[Found]:
    found = (hit for segment in segments for hit in segment.find(query, limit, spelling))
    return sorted(found)[:limit]
