"""Which text a definition is made of: what its digest covers, and what it doesn't.

A digest that covered its whole file would change with every neighbour; one that covered only the
function would miss the helper it calls. So the file's statements are told apart. A plain function,
an import or a constant belongs to the definitions that name it, directly or through others that
they name. Every other statement of the file runs when it is loaded and could change anything: it
belongs to all of them. Where code looks names up by their text (`globals()`, `eval`), or isn't a
function of its file's top level, the whole file counts. A module of the user's own that is
imported counts as a whole, with those that it imports.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.errors import FeatureError
from workbench.features.definitions.own import Import, imports_in, own_modules

__all__ = ["Code", "code_of"]

_OURS = {"feature_view", "request_view", "spine"}
_BY_TEXT = {"globals", "vars", "eval", "exec", "__import__", "import_module"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Code:
    """The text of a definition.

    Attributes
    ----------
    own
        The function as it is written, with its decorator.
    used
        All other text that `own` depends on.
    values
        The text that its values can depend on: without the decorator, whose arguments the
        definition has, and without the docstring.
    """

    own: str
    used: tuple[str, ...]
    values: tuple[str, ...]


def code_of(build: Callable[..., Any]) -> Code:
    """Collect the text that the function `build` is made of."""
    path = inspect.getfile(build)
    lines = tuple(linecache.getlines(path))
    file = _parsed(lines)
    root = Path(path).parents[1] if len(Path(path).parents) > 1 else Path(path).parent
    function = file.starting_at.get(build.__code__.co_firstlineno)
    if function is None:
        own, whole = _source(build), file.whole(root)
        return Code(own, whole, whole)
    own = file.text(function)
    body = "".join(_text(lines, statement) for statement in _without_docstring(function))
    inside = imports_in([function])
    used = file.used(_names(function), inside, root)
    return Code(own, used, (body, *file.used(_body_names(function), inside, root)))


def _source(build: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(build)
    except OSError as error:
        raise FeatureError(
            f"{build.__name__}: its text can't be read, and a digest needs it: "
            "declare it in a file of features/, or in a notebook's cell"
        ) from error


@dataclass
class _File:
    """The statements of a file, by what they could change."""

    lines: tuple[str, ...]
    named: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, list[Import]] = field(default_factory=dict)
    shared: list[ast.stmt] = field(default_factory=list)
    starting_at: dict[int, _Function] = field(default_factory=dict)

    def text(self, statement: ast.stmt) -> str:
        return _text(self.lines, statement)

    def whole(self, root: Path) -> tuple[str, ...]:
        """Return the file's text, and that of all the user's own that it imports."""
        text = "".join(self.lines)
        return (text, *own_modules(imports_in([ast.parse(text)]), root))

    def used(self, names: Iterable[str], inside: list[Import], root: Path) -> tuple[str, ...]:
        """Return the text of all that `names` and the imports `inside` lead to, and of what
        belongs to everyone.
        """
        parts = [self.text(statement) for statement in self.shared]
        imports = [*inside, *imports_in(self.shared)]
        todo = [*names, *(name for statement in self.shared for name in _names(statement))]
        seen: set[str] = set()
        while todo:
            name = todo.pop()
            if name in _BY_TEXT:
                return self.whole(root)
            if name in seen:
                continue
            seen.add(name)
            for statement in self.named.get(name, ()):
                parts.append(self.text(statement))
                todo += _names(statement)
                imports += imports_in([statement])
            for import_ in self.imported.get(name, ()):
                parts.append(ast.unparse(import_))
                imports.append(import_)
        return (*dict.fromkeys(parts), *own_modules(imports, root))


@lru_cache(maxsize=64)
def _parsed(lines: tuple[str, ...]) -> _File:
    file = _File(lines)
    for statement in ast.parse("".join(lines)).body:
        if isinstance(statement, _Function):
            file.starting_at[_first_line(statement)] = statement
        if isinstance(statement, Import) and not _is_star(statement):
            for alias in statement.names:
                bound = alias.asname or alias.name.partition(".")[0]
                file.imported.setdefault(bound, []).append(_single(statement, alias))
        elif (names := _bound_quietly(statement)) is None:
            file.shared.append(statement)
        else:
            for name in names:
                file.named.setdefault(name, []).append(statement)
    return file


def _bound_quietly(statement: ast.stmt) -> list[str] | None:
    """Name what a statement binds; None if running it may do more than that."""
    if isinstance(statement, _Function):
        return [statement.name] if _only_ours(statement) else None
    if isinstance(statement, ast.Assign):
        names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        return (
            names if len(names) == len(statement.targets) and _is_quiet(statement.value) else None
        )
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id] if _is_quiet(statement.value) else None
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return []  # the module's docstring
    return None


def _only_ours(function: _Function) -> bool:
    return all(_decorator(node) in _OURS for node in function.decorator_list) and all(
        _is_quiet(default) for default in (*function.args.defaults, *function.args.kw_defaults)
    )


def _decorator(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _is_quiet(value: ast.expr | None) -> bool:
    """Whether computing the value calls nothing."""
    acts = (ast.Call, ast.Await, ast.NamedExpr)
    return value is None or not any(isinstance(node, acts) for node in ast.walk(value))


def _is_star(statement: Import) -> bool:
    return statement.names[0].name == "*"


def _single(statement: Import, alias: ast.alias) -> Import:
    """The import of one name alone, so that naming another beside it changes nothing."""
    if isinstance(statement, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(statement.module, [alias], statement.level)


def _names(statement: ast.stmt) -> Iterator[str]:
    """Every name that a statement mentions and that may be the module's."""
    if not isinstance(statement, _Function):
        yield from _mentioned(statement)
        return
    arguments = statement.args
    outside = [*statement.decorator_list, *arguments.defaults, *arguments.kw_defaults]
    for node in outside:
        if node is not None:
            yield from _mentioned(node)
    yield from _body_names(statement)


def _body_names(function: _Function) -> Iterator[str]:
    """The names in a function's body, but its parameters: a source may be called like a view."""
    arguments = function.args
    own = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    parameters = {argument.arg for argument in own}
    for statement in function.body:
        yield from (name for name in _mentioned(statement) if name not in parameters)


def _mentioned(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute) and inner.attr in _BY_TEXT:
            yield inner.attr


def _without_docstring(function: _Function) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(node.lineno for node in decorators)])


def _text(lines: tuple[str, ...], statement: ast.stmt) -> str:
    return "".join(lines[_first_line(statement) - 1 : statement.end_lineno]).rstrip() + "\n"
