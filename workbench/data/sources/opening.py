"""Which module opens which address; it is imported only when such an address is opened."""

from __future__ import annotations

import importlib
from typing import cast

from workbench.data.sources.declared import Declared
from workbench.data.sources.protocol import Source
from workbench.errors import ConfigError, NotFoundError
from workbench.project import Project

__all__ = ["open_declared", "open_source"]

_SCHEMES = {
    "files": ("", "file"),
    "objects": ("s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "hf"),
    "http": ("http", "https"),
    "sql": (
        *("sqlite", "duckdb", "postgresql", "postgres", "snowflake", "bigquery"),
        *("mysql", "mariadb", "mssql", "oracle"),
    ),
    "redis_streams": ("redis+stream", "rediss+stream"),
}
"""The modules beside this one, each with `open_source(declared) -> Source`, and what they open.

A scheme `kind+driver` that isn't listed is a database's; one that fsspec knows is copied first.
"""


def open_source(name: str, project: Project) -> Source:
    """Open the source called `name`; nothing is read yet.

    Raises
    ------
    NotFoundError
        If `workbench.toml` declares no such source, or nothing opens such an address.
    ConfigError
        If its declaration can't be used: a credential in it, or a variable that isn't set.
    MissingExtraError
        If the driver that it needs isn't installed.
    """
    return open_declared(Declared.of(name, project))


def open_declared(declared: Declared) -> Source:
    """Open what is declared."""
    _check_table(declared)
    module = importlib.import_module(f"{__package__}.{_module(declared.scheme)}")
    return cast("Source", module.open_source(declared))


def _module(scheme: str) -> str:
    for module, schemes in _SCHEMES.items():
        if scheme in schemes:
            return module
    if scheme.partition("+")[0] in _SCHEMES["sql"]:
        return "sql"
    if scheme in _copied():
        return "copies"
    known = [scheme for schemes in _SCHEMES.values() for scheme in schemes if scheme]
    raise NotFoundError.named("kind of source", f"{scheme}://", [f"{s}://" for s in known])


def _copied() -> list[str]:
    try:
        import fsspec
    except ImportError:
        return []
    return cast("list[str]", fsspec.available_protocols())


def _check_table(declared: Declared) -> None:
    settings = declared.settings
    given = [key for key in ("table", "query") if getattr(settings, key)]
    is_database = _module(declared.scheme) == "sql"
    if is_database and len(given) != 1:
        found = " and ".join(given) or "neither"
        raise ConfigError(f"sources.{declared.name}: expected a table or a query, found {found}")
    if given and not is_database:
        raise ConfigError(f"sources.{declared.name}.{given[0]}: only of a database's address")
