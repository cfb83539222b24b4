"""polars' and pandas' own readers, heard: what a notebook reads with them is a dataset too.

Only calls from the user's code count. A library that reads files for its own ends, and ours that
reads what it stored, would fill the record with what nobody read.
"""

from __future__ import annotations

import functools
import logging
import re
import sys
import sysconfig
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from workbench.data.datasets import record
from workbench.data.observers import notify
from workbench.data.recipes import Recipe, from_reader
from workbench.errors import WorkbenchError
from workbench.project import Project

__all__ = ["READERS", "ReaderTap"]

READERS = {
    "polars": (
        "read_csv",
        "read_parquet",
        "read_ipc",
        "read_json",
        "read_ndjson",
        "read_excel",
        "read_delta",
        "read_database",
        "read_database_uri",
    ),
    "pandas": (
        "read_csv",
        "read_parquet",
        "read_feather",
        "read_json",
        "read_excel",
        "read_sql",
        "read_sql_query",
        "read_sql_table",
    ),
}
"""The functions that give a whole frame. A lazy scan has no rows yet; `workbench.data.read` has."""

_SOURCES = (
    "source",
    "filepath_or_buffer",
    "path",
    "path_or_buf",
    "io",
    "sql",
    "query",
    "table_name",
)
"""What these functions call the first of their arguments."""

_logger = logging.getLogger("workbench.data")
_LIBRARIES = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
_OURS = str(Path(__file__).parents[1])


class ReaderTap:
    """Records what the user's code reads with the libraries that it is attached to."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._undo = ExitStack()
        self._attached: set[str] = set()

    def attach(self, library: ModuleType) -> None:
        """Hear the readers of polars or pandas; doing it again changes nothing."""
        if library.__name__ in self._attached:
            return
        self._attached.add(library.__name__)
        for name in READERS[library.__name__]:
            original = getattr(library, name, None)
            if original is not None:
                setattr(library, name, _hear(original, self._project))
                self._undo.callback(setattr, library, name, original)

    def detach(self) -> None:
        """Give every library its own readers back."""
        self._undo.close()
        self._attached.clear()


def _hear(original: Callable[..., Any], project: Project) -> Callable[..., Any]:
    @functools.wraps(original)
    def reader(*args: Any, **kwargs: Any) -> Any:
        content = original(*args, **kwargs)
        if _is_users(sys._getframe(1).f_code.co_filename):
            source = args[0] if args else _named(kwargs)
            library = original.__module__.partition(".")[0]
            options = {key: kwargs[key] for key in kwargs if args or key not in _SOURCES}
            recipe = from_reader(f"{library}.{original.__name__}", args, options)
            _record(project, original.__name__, source, content, recipe)
        return content

    return reader


def _named(arguments: Mapping[str, Any]) -> Any:
    """Pick what is read from keyword arguments; never the connection, which has a password."""
    return next((arguments[name] for name in _SOURCES if name in arguments), None)


def _is_users(filename: str) -> bool:
    return not filename.startswith((*_LIBRARIES, _OURS))


def _record(project: Project, reader: str, source: Any, content: Any, recipe: Recipe) -> None:
    """Record a frame that was read; what can't be recorded is said, and is still the user's."""
    try:
        frame = content if isinstance(content, pl.DataFrame) else pl.from_pandas(content)
        name, address = _name_and_address(project, reader, source)
        notify(record(project, name, address, frame, recipe))
    except Exception as error:  # whatever pandas holds must not fail the read that went well
        kind = error if isinstance(error, WorkbenchError) else type(error).__name__
        _logger.warning("what %s read is not in the run's record: %s", reader, kind)


def _name_and_address(project: Project, reader: str, source: Any) -> tuple[str, str]:
    if "sql" in reader or "database" in reader:
        return "query", " ".join(str(source).split())[:500]
    if isinstance(source, (str, Path)):
        text = str(source)
        if "://" in text:
            shown = re.sub(r"//[^/@]*@", "//", text).partition("?")[0]  # no user, password, token
            return Path(shown).stem, shown
        return Path(text).stem, project.relative(Path(text))
    return "memory", f"{reader} of a {type(source).__name__}"
