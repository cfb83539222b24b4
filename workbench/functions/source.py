"""The text that a function is made of, cut out of the file or the cell that it was written in.

A version has to run by itself, years later: so its text is the function and the statements that it
names, directly or through others that they name, in their order. What a cell takes from other cells
is refused while it can still be put right. Modules of the project's own that are imported belong to
the text too, each whole; what is installed doesn't.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
import re
import symtable
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import UsageError
from workbench.features.definitions.own import importing, imports_in, own_files

__all__ = ["Text", "declared_in", "digest_of", "public_in", "text_of"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_OURS = {"wb": "import workbench as wb\n", "workbench": "import workbench\n"}
"""What a declaration's own name needs, which a notebook imports in another cell."""

_OF_MODULES = {"__name__", "__file__", "__doc__", "__builtins__"}


@dataclass(frozen=True)
class Text:
    """A function's text, and that of the project's modules that it imports, by their names."""

    name: str
    source: str
    modules: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of all that is run."""
        return digest_of(self.name, self.source, self.modules)


def digest_of(name: str, source: str, modules: Mapping[str, str]) -> str:
    """Return the digest (SHA-256) that a version is known by."""
    content = json.dumps([name, source, sorted(modules.items())])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def declared_in(text: str, where: str) -> list[str]:
    """Name the functions that a file declares with `@workbench.function`, in their order."""
    return _named(_parsed(text, where), _is_declared)


def public_in(text: str, where: str) -> list[str]:
    """Name the functions that a tagged cell defines and whose names don't start with `_`."""
    return _named(_parsed(text, where), lambda statement: not statement.name.startswith("_"))


def text_of(text: str, name: str, root: Path, where: str) -> Text:
    """Cut out the text of the function `name`.

    Parameters
    ----------
    text
        The file's or the cell's.
    where
        What to call it in an error.

    Raises
    ------
    UsageError
        If it isn't plain Python, has no such function, or the function uses what it doesn't define.
    """
    statements = _parsed(text, where).body
    if not any(isinstance(s, _Function) and s.name == name for s in statements):
        raise UsageError(f"{where}: defines no function {name}")
    needed = _needed(statements, name)
    source = _cut(text, needed)
    missing = sorted(_free(source, where))
    source = "".join(_OURS[m] for m in missing if m in _OURS) + source
    if unknown := [m for m in missing if m not in _OURS]:
        raise UsageError(
            f"{where}: function {name} uses {', '.join(unknown)}, which isn't defined there: a "
            "function is stored with what stands beside it, so import or define it in the same "
            "cell or file"
        )
    with importing(root):
        files = own_files(imports_in(needed), root)
    return Text(name, source, {module: found for module, (_, found) in sorted(files.items())})


def _parsed(text: str, where: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        number = error.lineno if isinstance(error, SyntaxError) else None
        line = f", line {number}" if number else ""
        reason = error.msg if isinstance(error, SyntaxError) else error
        raise UsageError(f"{where}{line}: not plain Python: {reason}") from error


def _named(module: ast.Module, wanted: Callable[[_Function], bool]) -> list[str]:
    found = [s.name for s in module.body if isinstance(s, _Function) and wanted(s)]
    return list(dict.fromkeys(found))


def _is_declared(statement: _Function) -> bool:
    return any(_last_name(node) == "function" for node in statement.decorator_list)


def _last_name(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _needed(statements: list[ast.stmt], name: str) -> list[ast.stmt]:
    """Pick the statements that `name` leads to."""
    binding: dict[str, list[ast.stmt]] = {}
    for statement in statements:
        for bound in _bound(statement):
            binding.setdefault(bound, []).append(statement)
    chosen = {id(s) for s in statements if _is_always_needed(s)}
    todo, seen = [name], set()
    while todo:
        wanted = todo.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        for statement in binding.get(wanted, ()):
            chosen.add(id(statement))
            todo += (node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
    return [statement for statement in statements if id(statement) in chosen]


def _is_always_needed(statement: ast.stmt) -> bool:
    """Whether nobody can tell what it defines, or it changes how all the rest is read."""
    if not isinstance(statement, ast.ImportFrom):
        return False
    return statement.module == "__future__" or statement.names[0].name == "*"


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Name what a statement defines, or changes: `TABLE["a"] = 1` and `TABLE.append(1)` too."""
    if isinstance(statement, _Named):
        yield statement.name
        return
    if isinstance(statement, ast.Expr):
        if isinstance(statement.value, ast.Call) and isinstance(
            statement.value.func, ast.Attribute
        ):
            yield from _root(statement.value.func)
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, _Named):
            yield node.name
        elif isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and not isinstance(
            node.ctx, ast.Load
        ):
            yield from _root(node)


def _root(node: ast.AST) -> Iterator[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _cut(text: str, statements: Iterable[ast.stmt]) -> str:
    lines = re.split(r"\r\n|\r|\n", text)  # as Python counts them; `splitlines` knows more ends
    chosen: dict[int, None] = {}
    parts = []
    for statement in statements:
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(node.lineno for node in decorators)])
        own = [n for n in range(first - 1, statement.end_lineno or first) if n not in chosen]
        chosen.update(dict.fromkeys(own))
        parts += [lines[n] for n in own]
    whole, tidy = ("\n".join([*of, ""]) for of in (parts, [line.rstrip() for line in parts]))
    # Spaces at the end of a line make no version, but in a text of several lines.
    return tidy if ast.dump(ast.parse(tidy)) == ast.dump(ast.parse(whole)) else whole


def _free(source: str, where: str) -> set[str]:
    """Name what the text uses and doesn't define."""
    table = symtable.symtable(source, where, "exec")
    known = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    if any(_is_always_needed(s) and "*" in ast.unparse(s) for s in ast.parse(source).body):
        return set()  # a star may have brought anything
    return set(_globals(table)) - known - set(dir(builtins)) - _OF_MODULES


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    is_module = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (is_module or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)
