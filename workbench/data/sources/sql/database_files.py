"""What the databases have in common that are a file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from workbench.data.sources.declared import Declared

__all__ = ["DatabaseFile"]


class DatabaseFile:
    """The file of a database, and those beside it with what isn't in it yet.

    `kind:///path` is relative to where the project has its data, `kind:////path` is absolute.
    """

    def __init__(self, declared: Declared, beside: Iterable[str]) -> None:
        path = declared.address.partition(":///")[2].partition("?")[0]
        self.path = declared.local(path)
        self._beside = [self.path.with_name(self.path.name + suffix) for suffix in beside]

    def check(self) -> None:
        """Refuse one that isn't there, which a driver might make."""
        if not self.path.is_file():
            raise FileNotFoundError(self.path)

    def mark(self) -> str:
        """Return sizes and times of the files, which change with whatever is written."""
        self.check()
        stats = [file.stat() for file in (self.path, *self._beside) if file.exists()]
        # An empty log beside it comes with whoever reads.
        return " ".join(f"{stat.st_size} {stat.st_mtime_ns}" for stat in stats if stat.st_size)

    def written(self) -> datetime:
        """Return when the newest of the files was written."""
        self.check()
        files = [file for file in (self.path, *self._beside) if file.exists()]
        stats = [file.stat() for file in files]
        newest = max(stat.st_mtime for stat in stats if stat.st_size or len(stats) == 1)
        return datetime.fromtimestamp(newest, UTC)
