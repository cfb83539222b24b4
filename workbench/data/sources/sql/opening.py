"""Which database an address is of."""

from __future__ import annotations

import importlib

from sqlalchemy.exc import ArgumentError

from workbench.data.sources.declared import Declared
from workbench.data.sources.protocol import Source
from workbench.data.sources.sql.source import DatabaseSource
from workbench.errors import ConfigError, WorkbenchError

__all__ = ["open_source"]

_KINDS = {
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "postgresql+psycopg": "postgresql",
    "snowflake": "warehouses",
    "bigquery": "warehouses",
}
"""The modules for these; any other is SQLAlchemy's, with the driver that the address names."""


def open_source(declared: Declared) -> Source:
    """Open a table or a query; nothing is connected to yet.

    Raises
    ------
    ConfigError
        If the address isn't one of a database.
    """
    kind = _KINDS.get(declared.scheme, "alchemy")
    module = importlib.import_module(f"{__package__}.{kind}")
    try:
        return DatabaseSource(declared, module.open_database(declared))
    except WorkbenchError:
        raise
    except (ValueError, ArgumentError):  # of a port that is no number, say; it may repeat the rest
        where = f"sources.{declared.name}.address"
        raise ConfigError(f"{where}: can't be parsed as a database's address") from None
