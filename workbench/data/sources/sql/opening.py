"""Which database an address is of."""

from __future__ import annotations

import importlib

from workbench.data.sources.declared import Declared
from workbench.data.sources.protocol import Source
from workbench.data.sources.sql.source import DatabaseSource

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
    """Open a table or a query; nothing is connected to yet."""
    kind = _KINDS.get(declared.scheme, "alchemy")
    module = importlib.import_module(f"{__package__}.{kind}")
    return DatabaseSource(declared, module.open_database(declared))
