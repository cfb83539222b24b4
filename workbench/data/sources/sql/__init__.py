"""Databases: a table or a query, whose columns and simple filters are the database's work.

What a filter says in polars is said again in SQL only where both mean the same, or SQL keeps more;
the rest polars filters afterwards, and what SQL kept too much of with it. So an answer never
depends on how much went down. Identifiers are quoted and values bound; nothing is written.
"""

from workbench.data.sources.sql.opening import open_source

__all__ = ["open_source"]
