"""What an online store does, whichever it is: keep the newest row of each entity, and find it.

A store knows nothing of types: a row is a key, two times and packed bytes. What the bytes mean
is said by the version's `layout`, which is stored once. `packing` writes and reads both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.errors import StoreError

__all__ = ["Found", "Key", "OnlineStore", "Row", "Version", "VersionGoneError"]

Key = int | str
"""An entity, all of its columns in one value; the same kind for all rows of a version."""

Row = tuple[Key, int, int, bytes]
"""Key, event time and created time (microseconds since 1970, UTC), packed values."""

Found = tuple[int, int, bytes]
"""The row of a key, without it."""


@dataclass(frozen=True)
class Version:
    """One filling of a view: numbers rise, and are never given twice.

    `mark` says what it was filled from, in words of whoever has filled it.
    """

    view: str
    digest: str
    number: int
    layout: bytes
    served: bool = False
    mark: bytes = b""


class VersionGoneError(StoreError):
    """A version that another one has taken the place of; `served` knows which."""

    @classmethod
    def of(cls, version: Version) -> VersionGoneError:
        """Build the error for `version`."""
        return cls(f"feature view {version.view}: version {version.number} is not stored any more")


class OnlineStore(Protocol):
    """The newest row of each entity of each view.

    Safe to use from several threads and processes at once. A row is replaced only by one whose
    (event, created) is the same or later, whatever the order of the writers. A version is filled
    beside the one that readers see, and takes its place at once and whole. What a method has
    written is durable when it returns, as far as the store can be.
    """

    @property
    def address(self) -> str:
        """Where it is, without passwords: what records call it."""
        ...

    def versions(self, view: str | None = None) -> list[Version]:
        """List what is stored, of one view or of all, by number."""
        ...

    def served(self, view: str) -> Version | None:
        """Return the version of a view that readers see; None before the first is complete."""
        ...

    def begin(self, view: str, digest: str, layout: bytes) -> Version:
        """Make room for a new, empty version beside what is there."""
        ...

    def write(self, version: Version, rows: Sequence[Row]) -> None:
        """Write rows that are newer than the stored ones; all of them or, on an error, any.

        Raises
        ------
        VersionGoneError
            If the version was removed.
        """
        ...

    def mark(self, version: Version, mark: bytes) -> None:
        """Keep with a version what it was filled from.

        Raises
        ------
        VersionGoneError
            If the version was removed.
        """
        ...

    def serve(self, version: Version) -> None:
        """Let readers see this version, and remove those that were begun before it.

        Raises
        ------
        VersionGoneError
            If the version was removed.
        """
        ...

    def remove(self, views: Iterable[str]) -> None:
        """Remove every version of these views."""
        ...

    def read(self, version: Version, keys: Sequence[Key]) -> Mapping[Key, Found]:
        """Find the rows of these keys; a key without one isn't in the answer.

        Raises
        ------
        VersionGoneError
            If the version was removed.
        """
        ...
