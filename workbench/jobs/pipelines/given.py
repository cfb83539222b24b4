"""What a notebook gives out, as its cells say without being run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["Given", "given_outputs"]


@dataclass(frozen=True)
class Given:
    """Names of outputs; with `more` there are others, whose names only running it tells."""

    names: frozenset[str]
    more: bool


def given_outputs(notebook: NotebookNode) -> Given:
    """Find the calls of `workbench.output`, or of an `output` imported from it."""
    calls = [
        call
        for cell in notebook.cells
        if cell.cell_type == "code"
        for call in ast.walk(_tree(cell.source))
        if isinstance(call, ast.Call) and _is_output(call.func)
    ]
    names = [_name(call) for call in calls]
    return Given(frozenset(name for name in names if name), more=None in names)


def _tree(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except SyntaxError:
        return _without_magic(source)


def _without_magic(source: str) -> ast.AST:
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        plain: str = TransformerManager().transform_cell(source)
        return ast.parse(plain)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])  # running it will say so


def _is_output(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute):
        return called.attr == "output" and isinstance(called.value, ast.Name)
    return isinstance(called, ast.Name) and called.id == "output"


def _name(call: ast.Call) -> str | None:
    """Return the name that a call gives, or None where only running it tells."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "name"]
    for argument in (*call.args[:1], *named):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
    return None
