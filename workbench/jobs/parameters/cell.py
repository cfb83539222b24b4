"""The source of a parameters cell, taken apart: assignments, comments, enums and names."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import NotebookError
from workbench.jobs.parameters.choices import EnumOf
from workbench.jobs.parameters.literals import Reader
from workbench.jobs.parameters.names import Names

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["INJECTED_TAG", "TAG", "Assignment", "Cell", "parameters_cell"]

TAG, INJECTED_TAG = "parameters", "injected-parameters"

_TYPE_COMMENT = re.compile(r"type:\s*(?!ignore\b)(\S+)\s*(.*)")
_ENUMS = {"enum.Enum", "enum.IntEnum", "enum.StrEnum"}


@dataclass(frozen=True)
class Assignment:
    """One parameter as the cell has it."""

    name: str
    annotation: ast.expr | None
    value: ast.expr | None
    comment: str


@dataclass(frozen=True)
class Cell:
    """A parameters cell."""

    assignments: tuple[Assignment, ...]
    enums: dict[str, EnumOf]
    names: Names

    @classmethod
    def parse(cls, source: str, name: str) -> Cell:
        """Take the `source` apart; `name` is the notebook's.

        Raises
        ------
        NotebookError
            If it is more than imports, enums and assignments.
        """
        try:
            body = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            where = f"line {getattr(error, 'lineno', 1)}: {getattr(error, 'msg', error)}"
            raise NotebookError(f"{name}: the parameters cell, {where}") from error
        comments = _comments(source)
        assigned = {
            assignment.name: assignment  # of two for one name the last stands, as when it runs
            for statement in body
            for assignment in _assignments(statement, comments, name)
        }
        classes = [statement for statement in body if isinstance(statement, ast.ClassDef)]
        names = Names.of(body, [*assigned, *(each.name for each in classes)])
        enums = {each.name: _enum(each, names, name) for each in classes}
        for hidden in enums.keys() & assigned.keys():
            raise NotebookError(f"{name}: the parameter {hidden!r} hides the enum of that name")
        return cls(tuple(assigned.values()), enums, names)


def parameters_cell(notebook: NotebookNode, name: str) -> NotebookNode | None:
    """Find the cell tagged `parameters`.

    Raises
    ------
    NotebookError
        If there are several.
    """
    cells = [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
    if len(cells) > 1:
        raise NotebookError(f"{name}: {len(cells)} cells are tagged {TAG!r}; expected one")
    return cells[0] if cells else None


def _assignments(statement: ast.stmt, comments: dict[int, str], name: str) -> Iterator[Assignment]:
    annotation: ast.expr | None = None
    match statement:
        case ast.Expr() | ast.Import() | ast.ImportFrom() | ast.ClassDef() | ast.Pass():
            return  # a docstring, or what the annotations need
        case ast.AnnAssign(target=ast.Name()):
            targets, annotation = [statement.target], statement.annotation
        case ast.Assign(targets=targets) if all(isinstance(each, ast.Name) for each in targets):
            pass
        case _:
            raise NotebookError(
                f"{name}: the parameters cell, line {statement.lineno}: "
                "expected `name: type = value`"
            )
    comment = comments.get(statement.end_lineno or statement.lineno, "")
    typed = _TYPE_COMMENT.fullmatch(comment)
    if typed and annotation is None:
        # The older spelling, which papermill reads too.
        annotation, comment = ast.Constant(typed[1]), typed[2]
    for target in targets:
        assert isinstance(target, ast.Name)
        yield Assignment(target.id, annotation, statement.value, comment)


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ").rstrip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _enum(statement: ast.ClassDef, names: Names, name: str) -> EnumOf:
    where = f"{name}: the parameters cell, line {statement.lineno}: class {statement.name}"
    if not any(names.qualify(base) in _ENUMS for base in statement.bases):
        raise NotebookError(f"{where}: expected an Enum, the only class that is read here")
    reader = Reader(names, {})
    members: dict[str, Any] = {}
    for line in statement.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            try:
                members[line.targets[0].id] = reader.value(line.value)
            except ValueError as error:
                raise NotebookError(f"{where}: {ast.unparse(line)}: {error}") from error
    if not members:
        raise NotebookError(f"{where}: expected members, as in `FAST = 'fast'`")
    return EnumOf(statement.name, tuple(members.items()))
