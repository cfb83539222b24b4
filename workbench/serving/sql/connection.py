"""A DuckDB of the query's own, with the doors closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from workbench.errors import MissingExtraError
from workbench.project import Project

if TYPE_CHECKING:
    import duckdb

__all__ = ["closed_duckdb"]


@contextmanager
def closed_duckdb(project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory whose queries reach no file, no network and no Python variable.

    What doesn't fit into the project's `memory_mb` goes into a folder beside its records, which is
    gone with the query.

    Raises
    ------
    MissingExtraError
        If DuckDB isn't installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError.of("duckdb", "duckdb") from error
    with (
        TemporaryDirectory(prefix="sql-", dir=project.state) as folder,
        closing(duckdb.connect(":memory:")) as connection,
    ):
        for setting, value in {
            "temp_directory": folder,
            "memory_limit": f"{project.settings.memory_mb}MB",
            "TimeZone": "UTC",
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "enable_external_access": "false",
            "lock_configuration": "true",  # the last: nothing can be set after it
        }.items():
            connection.execute(f"SET {setting} = '{value.replace(chr(39), chr(39) * 2)}'")
        yield connection
