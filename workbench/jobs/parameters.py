"""The parameters cell is the contract: names, defaults, types from annotations, descriptions.

It is read without running it. A value goes into the notebook as a literal, never as source text.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from workbench.errors import NotebookError, ParameterError, what_exists

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["Parameter", "check_parameters", "load_notebook", "parse_parameters", "read_parameters"]

_TAG = "parameters"

_TYPES: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "list": list,
    "dict": dict,
    "list[int]": list[int],
    "list[float]": list[float],
    "list[str]": list[str],
}
"""The annotations that are checked; another one is shown, and any JSON value is let through."""


class Parameter(BaseModel):
    """One parameter of a notebook."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    default: Any
    description: str


def load_notebook(path: Path) -> NotebookNode:
    """Read a notebook.

    Raises
    ------
    NotebookError
        If it is missing, unreadable or isn't a valid notebook.
    """
    import nbformat  # builds a grammar when it is imported, which takes a second

    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except FileNotFoundError as error:
        raise NotebookError(f"{path}: no such notebook") from error
    except (OSError, UnicodeDecodeError) as error:
        raise NotebookError(f"{path}: can't be read: {error}") from error
    except Exception as error:  # nbformat stumbles in many ways over what isn't one
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise NotebookError(f"{path}: not a valid notebook: {reason}") from error
    return notebook


def read_parameters(notebook: NotebookNode, name: str) -> list[Parameter]:
    """Read the contract of the notebook called `name`; without a tagged cell it is empty.

    Raises
    ------
    NotebookError
        If the cell isn't plain assignments.
    """
    cells = [cell for cell in notebook.cells if _TAG in cell.metadata.get("tags", [])]
    if not cells:
        return []
    if len(cells) > 1:
        raise NotebookError(f"{name}: {len(cells)} cells are tagged {_TAG!r}; expected one")
    source = cells[0].source
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        where = f"line {error.lineno}: {error.msg}"
        raise NotebookError(f"{name}: the parameters cell, {where}") from error
    comments = _comments(source)
    parameters = [_parameter(statement, comments, name) for statement in tree.body]
    return [parameter for parameter in parameters if parameter is not None]


def check_parameters(
    contract: list[Parameter], given: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Check values against the contract; return them in the contract's types.

    Raises
    ------
    NotebookError
        If there are values and the notebook has no parameters cell.
    ParameterError
        For an unknown name, or a value that isn't of the declared type.
    """
    if given and not contract:
        raise NotebookError(
            f"{name}: takes no parameters (no cell is tagged {_TAG!r}), given: {', '.join(given)}"
        )
    known = {parameter.name: parameter for parameter in contract}
    for key in given:
        if key not in known:
            raise ParameterError(f"{name}: unknown parameter {key!r}; {what_exists(key, known)}")
    return {key: _checked(known[key], value, name) for key, value in given.items()}


def parse_parameters(contract: list[Parameter], given: Sequence[str], name: str) -> dict[str, Any]:
    """Read `NAME=VALUE` texts, each value in the type that the contract declares.

    Raises
    ------
    ParameterError
        As `check_parameters` does, and for a text without `=`.
    """
    declared = {parameter.name: parameter.type for parameter in contract}
    values: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"{name}: {text!r}: expected NAME=VALUE")
        values[key] = value if declared.get(key) == "str" else _literal(value)
    return check_parameters(contract, values, name)


def _literal(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, text)


def _parameter(statement: ast.stmt, comments: dict[int, str], name: str) -> Parameter | None:
    if isinstance(statement, ast.Expr | ast.Import | ast.ImportFrom):
        return None  # a docstring, or imports for the annotations
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        target, declared = statement.target.id, ast.unparse(statement.annotation)
    elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        target, declared = statement.targets[0].id, ""
    else:
        raise NotebookError(
            f"{name}: the parameters cell, line {statement.lineno}: expected `name: type = value`"
        )
    try:
        default = ast.literal_eval(statement.value) if statement.value else None
    except (ValueError, TypeError) as error:  # the latter for a list as the key of a dict
        raise NotebookError(f"{name}: the default of {target!r} is not a literal") from error
    return Parameter(
        name=target,
        type=declared or type(default).__name__,
        default=default,
        description=comments.get(statement.end_lineno or statement.lineno, ""),
    )


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _checked(parameter: Parameter, value: Any, name: str) -> Any:
    expected = _TYPES.get(parameter.type)
    if expected is None:
        return value
    try:
        # Strict: True is no number. But a whole number may be given where a float is expected.
        return TypeAdapter(expected).validate_python(value, strict=True)
    except ValidationError as error:
        raise ParameterError(
            f"{name}: {parameter.name}: expected {parameter.type}, found {value!r}"
        ) from error
