"""The contract of a notebook: its parameters, read from the tagged cell without running it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from workbench.errors import NotebookError
from workbench.jobs.parameters.annotations import Declared, Resolver
from workbench.jobs.parameters.cell import Assignment, Cell, parameters_cell
from workbench.jobs.parameters.choices import EnumOf, OneOf, Ranged
from workbench.jobs.parameters.kinds import NULL, Kind, Mismatch
from workbench.jobs.parameters.literals import Reader
from workbench.jobs.parameters.markers import Range
from workbench.jobs.parameters.secrets import HIDDEN
from workbench.jobs.parameters.unions import ANYTHING, UnionOf, kind_of, union_of

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["Parameter", "load_notebook", "read_parameters"]


class Parameter(BaseModel):
    """One parameter of a notebook."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    type: str
    """The source of its annotation; without one, the type of its default."""
    default: Any = None
    """In the form of JSON; `***` for a secret that has one."""
    required: bool = False
    description: str = ""
    choices: tuple[Any, ...] = ()
    minimum: Any = None
    maximum: Any = None
    secret: bool = False
    kind: SkipJsonSchema[Kind] = Field(default=ANYTHING, exclude=True, repr=False)
    """What checks, reads, records and spells its values; no part of its JSON."""

    @property
    def shown_default(self) -> str:
        """The default as text for people; empty where there is none."""
        text = self.default if isinstance(self.default, str) else json.dumps(self.default)
        return "" if self.required else text


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
    except IsADirectoryError as error:
        raise NotebookError(f"{path}: is a folder; expected a notebook") from error
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
        If the cell isn't imports, enums and assignments of literals, or if a default isn't of the
        type that is declared.
    """
    tagged = parameters_cell(notebook, name)
    if tagged is None:
        return []
    cell = Cell.parse(tagged.source, name)
    return [_parameter(assignment, cell, name) for assignment in cell.assignments]


def _parameter(assignment: Assignment, cell: Cell, name: str) -> Parameter:
    default = _default(assignment, cell, name)
    declared = _declared(assignment, cell, name, default)
    kind = declared.kind
    if default is None and assignment.value is not None:
        kind = union_of([kind, NULL])  # `x: int = None` has long been written for an optional
    try:
        default = None if assignment.value is None else kind.dump(kind.check(default))
    except Mismatch as error:
        raise NotebookError(
            f"{name}: the default of {assignment.name!r}: "
            f"expected {kind.expected}, "
            f"found {'another type' if declared.secret else _shown(assignment.value)}"
        ) from error
    core = _core(kind)
    limits = core.range if isinstance(core, Ranged) else Range()
    return Parameter(
        name=assignment.name,
        type=_source(assignment.annotation) or _type_of_default(default, kind),
        default=HIDDEN if declared.secret and default is not None else default,
        required=assignment.value is None,
        description=assignment.comment,
        choices=tuple(map(core.dump, core.values)) if isinstance(core, OneOf | EnumOf) else (),
        minimum=None if limits.minimum is None else kind.dump(limits.minimum),
        maximum=None if limits.maximum is None else kind.dump(limits.maximum),
        secret=declared.secret,
        kind=kind,
    )


def _default(assignment: Assignment, cell: Cell, name: str) -> Any:
    if assignment.value is None:
        return None
    try:
        return Reader(cell.names, cell.enums).value(assignment.value)
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"{name}: the default of {assignment.name!r} {error}") from error


def _declared(assignment: Assignment, cell: Cell, name: str, default: Any) -> Declared:
    """Resolve the annotation; without one, the type of the default is the declared one."""
    try:
        if assignment.annotation is not None:
            return Resolver(cell.names, cell.enums).resolve(assignment.annotation)
        enum = Reader(cell.names, cell.enums).enum_of(assignment.value)
        return Declared(enum or (ANYTHING if default is None else kind_of(default)))
    except (ValueError, Mismatch) as error:
        reason = (
            str(error) or f"the default has a type that isn't known: {_shown(assignment.value)}"
        )
        raise NotebookError(f"{name}: the parameter {assignment.name!r}: {reason}") from error


def _core(kind: Kind) -> Kind:
    """Look through an optional at what it is when it isn't None."""
    if not isinstance(kind, UnionOf):
        return kind
    others = [each for each in kind.kinds if each != NULL]
    return others[0] if len(others) == 1 else kind


def _source(annotation: ast.expr | None) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation) if annotation is not None else ""


def _type_of_default(default: Any, kind: Kind) -> str:
    if isinstance(kind, EnumOf):
        return kind.name
    return kind.expected if default is not None else "NoneType"


def _shown(node: ast.expr | None) -> str:
    text = ast.unparse(node) if node is not None else "nothing"
    return text if len(text) <= 80 else f"{text[:77]}..."
