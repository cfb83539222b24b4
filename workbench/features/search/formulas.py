"""How each feature is computed, read from the text of its view; nothing of it is run."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from functools import lru_cache

__all__ = ["columns_of_others", "formulas"]

_COLUMN = re.compile(r"([^\W_]\w*?)__(\w+)")


@lru_cache(maxsize=256)
def formulas(code: str, features: tuple[str, ...]) -> dict[str, str]:
    """Find the expression for each of the `features` that the function `code` writes out.

    >>> formulas("def f(x):\\n    return x.select(late=pl.col('delay') > 15)", ("late", "b"))
    {'late': "pl.col('delay') > 15"}
    """
    try:
        tree = ast.parse(textwrap.dedent(code))
    except (SyntaxError, ValueError, RecursionError):
        return {}  # written in a newer Python, or not by a file at all
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = []  # they describe, and don't compute
    found = (pair for node in ast.walk(tree) for pair in _named(node))
    return {name: ast.unparse(value) for name, value in found if name in features}


def columns_of_others(text: str) -> list[tuple[str, str]]:
    """List what a formula uses of other views, as (view, feature).

    >>> columns_of_others("pl.col('shops__rent') / pl.col('shops__staff')")
    [('shops', 'rent'), ('shops', 'staff')]
    """
    return list(dict.fromkeys(_COLUMN.findall(text)))


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Give what a node calls by a name: `a=…`, `{"a": …}` or `….alias("a")`."""
    if isinstance(node, ast.keyword) and node.arg is not None:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        first = node.args[0] if len(node.args) == 1 else None
        if node.func.attr == "alias" and isinstance(first, ast.Constant):
            yield str(first.value), node.func.value
