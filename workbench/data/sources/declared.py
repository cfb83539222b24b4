"""A source as `workbench.toml` declares it, with what its credentials stand for looked up late."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from workbench.data.sources.credentials import check_address, look_up, refuse_literal, secrets_of
from workbench.errors import DataError, NotFoundError, WorkbenchError
from workbench.project import Project
from workbench.settings import SourceSettings

__all__ = ["Declared"]

_UNREADABLE = (
    pl.exceptions.PolarsError,
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    RuntimeError,  # of an archive with a password, or packed in a way we don't know
)

_NOTHING_FOUND = "expanded paths were empty"
"""What polars says of a pattern or a folder of object storage that nothing is in."""


@dataclass(frozen=True)
class Declared:
    """A declared source: what an opener is given.

    `settings.address` is what may be shown, stored and said; `address` and `options` are what to
    connect with, and hold credentials.
    """

    name: str
    settings: SourceSettings
    project: Project

    @classmethod
    def of(cls, name: str, project: Project) -> Declared:
        """Find the declaration.

        Raises
        ------
        NotFoundError
            If `workbench.toml` declares no such source.
        ConfigError
            If a credential stands in it in full.
        """
        sources = project.settings.sources
        if name not in sources:
            raise NotFoundError.named("source", name, sources, " in workbench.toml")
        settings = sources[name]
        refuse_literal(settings.address, settings.options, f"sources.{name}")
        return cls(name, settings, project)

    @property
    def shown(self) -> str:
        """The address as records and errors have it."""
        table = self.settings.table
        return f"{self.settings.address}#{table}" if table else self.settings.address

    @property
    def address(self) -> str:
        """The address to connect to; it may hold credentials."""
        return self._looked_up[0]

    @cached_property
    def options(self) -> dict[str, str | int | float | bool]:
        """The options to connect with; they may hold credentials."""
        return {
            key: look_up(value, f"sources.{self.name}.options.{key}")[0]
            if isinstance(value, str)
            else value
            for key, value in self.settings.options.items()
        }

    @property
    def scheme(self) -> str:
        """What stands before `://` in the address, in lower case; empty for a path."""
        before, found, _ = self.address.partition("://")
        return before.lower() if found else ""

    @property
    def path(self) -> str:
        """The part of the address that may end in the name of a file."""
        path = self.address.partition("://")[2] if self.scheme else self.address
        return path.partition("?")[0] if self.scheme in ("http", "https") else path

    def local(self, path: str) -> Path:
        """Resolve a path in an address, which is relative to where the project has its data."""
        return self.project.data / path

    @contextmanager
    def reading(self, *errors: type[Exception]) -> Iterator[None]:
        """Turn what can go wrong in the block, and `errors`, into one line about this source."""
        expected: tuple[type[Exception], ...] = (*_UNREADABLE, *errors)
        try:
            yield
        except WorkbenchError:
            raise
        except expected as error:
            if self._secrets:  # which the driver's own error may repeat
                raise self.failed(error) from None
            raise self.failed(error) from error

    def failed(self, error: Exception) -> DataError:
        """Build the error that says what went wrong, without a credential in it."""
        if isinstance(error, FileNotFoundError) or _NOTHING_FOUND in str(error):
            return self.error("no such file")
        if isinstance(error, PermissionError) and self.scheme:
            return self.error("access refused: are its credentials right, and may they read it?")
        # Cleaned before it is cut: a credential may have several lines.
        said = self._without_secrets(str(error)) or type(error).__name__
        return self.error(f"can't be read: {_first_line(said)}")

    def error(self, message: str) -> DataError:
        """Build an error about this source."""
        return DataError(f"{self.shown}: {self._without_secrets(message)}")

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    @cached_property
    def _looked_up(self) -> tuple[str, list[str]]:
        where = f"sources.{self.name}"
        address, values = look_up(self.settings.address, f"{where}.address", quoted=True)
        check_address(address, where)
        return address, values

    @cached_property
    def _secrets(self) -> list[str]:
        address, values = self._looked_up
        named = [
            str(value)
            for key, value in self.options.items()
            if value != self.settings.options[key]  # looked up, then
        ]
        return secrets_of(address, values + named)


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
