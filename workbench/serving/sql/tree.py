"""A query as DuckDB's parser sees it: read, walked, and written back as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.serving.sql.problems import place

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "Node",
    "arguments_of",
    "column",
    "nodes",
    "read_tree",
    "tables_in",
    "write_expression",
    "write_tree",
]

Node = dict[str, Any]


def read_tree(connection: duckdb.DuckDBPyConnection, query: str) -> Node:
    """Parse a query.

    Raises
    ------
    UsageError
        If it isn't one `SELECT`; the message says what is wrong, and where.
    """
    found = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
    tree: Node = json.loads(found[0][0])
    if tree.get("error"):
        position = int(tree["position"]) if "position" in tree else None
        raise UsageError(f"SQL: {_line(tree['error_message'])}{place(query, position)}")
    if len(tree["statements"]) != 1:
        count = len(tree["statements"])
        raise UsageError(f"SQL: expected one query, found {count or 'none'}")
    return tree


def _line(message: str) -> str:
    if message.startswith("Only SELECT statements"):
        return "only queries are run: expected SELECT … (or WITH, FROM, DESCRIBE, SUMMARIZE)"
    return message.partition("\n")[0]


def write_tree(connection: duckdb.DuckDBPyConnection, tree: Node) -> str:
    """Write the tree as a query again."""
    written = json.dumps(tree)
    found = connection.execute("SELECT json_deserialize_sql(?::JSON)", [written]).fetchall()
    return str(found[0][0])


def write_expression(connection: duckdb.DuckDBPyConnection, expression: Node) -> str:
    """Write a part of the tree as the text that DuckDB calls its column."""
    tree = read_tree(connection, "SELECT 1")
    tree["statements"][0]["node"]["select_list"] = [expression]
    return write_tree(connection, tree).removeprefix("SELECT ")


def nodes(part: Any) -> Iterator[Node]:
    """Walk all nodes of a part of the tree, each before what is in it."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from nodes(value)


def arguments_of(call: Node) -> list[tuple[str, Node]]:
    """Return a call's arguments, each with its name if it was given by one (`a := 1`)."""
    return [(argument["name"], argument["expression"]) for argument in call["arguments"]]


def column(name: str, relation: str, like: Node) -> Node:
    """Make a reference to a column, at the place of another node."""
    return {
        "class": "COLUMN_REF",
        "type": "COLUMN_REF",
        "alias": "",
        "query_location": like["query_location"],
        "query_location_length": like["query_location_length"],
        "column_names": [relation, name] if relation else [name],
    }


def tables_in(tree: Node) -> Iterator[Node]:
    """Find every plain name of a table; names with a schema are DuckDB's own."""
    for node in nodes(tree):
        if (
            node.get("type") == "BASE_TABLE"
            and not node["schema_name"]
            and not node["catalog_name"]
        ):
            yield node
