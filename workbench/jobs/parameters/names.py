"""What the names in a parameters cell mean, found without running it.

The cell's imports say it; a name that it doesn't bind has its usual meaning, as it may come from an
earlier cell. The same table read backwards spells a value by the names that the cell has.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Names"]

_USUAL = {
    **{
        name: f"builtins.{name}"
        for name in ("bool", "int", "float", "str", "list", "dict", "tuple", "set", "object")
    },
    **{name: f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")},
    **{
        name: f"typing.{name}"
        for name in ("Annotated", "Any", "Dict", "List", "Literal", "Optional", "Set", "Tuple")
    },
    "Union": "typing.Union",
    "Decimal": "decimal.Decimal",
    "Path": "pathlib.Path",
    "Enum": "enum.Enum",
    "IntEnum": "enum.IntEnum",
    "StrEnum": "enum.StrEnum",
    "Range": "workbench.jobs.Range",
    "Secret": "workbench.jobs.Secret",
    "dt": "datetime",
    "np": "numpy",
}

_SAME = {
    "typing_extensions.": "typing.",
    "workbench.jobs.parameters.markers.": "workbench.jobs.",
    "workbench.jobs.parameters.": "workbench.jobs.",
}


@dataclass(frozen=True)
class Names:
    """The names of one cell: what imports bind, and which are taken by something else."""

    bound: Mapping[str, str]
    taken: frozenset[str] = frozenset()

    @classmethod
    def of(cls, body: Iterable[ast.stmt], taken: Iterable[str]) -> Names:
        """Read the imports among the statements `body`; `taken` are parameters and classes."""
        bound: dict[str, str] = {}
        for statement in body:
            if isinstance(statement, ast.Import):
                for alias in statement.names:
                    root = alias.name.partition(".")[0]
                    bound[alias.asname or root] = alias.name if alias.asname else root
            elif isinstance(statement, ast.ImportFrom) and not statement.level:
                for alias in statement.names:
                    bound[alias.asname or alias.name] = f"{statement.module}.{alias.name}"
        return cls(bound, frozenset(taken))

    def qualify(self, node: ast.expr) -> str | None:
        """Say what a name or a dotted name means, as in `datetime.date`; None if it is neither.

        >>> Names({"dt": "datetime"}).qualify(ast.parse("dt.date", mode="eval").body)
        'datetime.date'
        """
        root, *rest = _parts(node)
        if not root:
            return None
        meant = self.bound.get(root)
        if meant is None:
            # Before a dot, `datetime` is the module unless what follows belongs to the class.
            is_module = root == "datetime" and bool(rest) and rest[0] in _USUAL
            meant = root if is_module else _USUAL.get(root, root)
        meant = ".".join([meant, *rest])
        for other, usual in _SAME.items():
            if meant.startswith(other):
                return usual + meant.removeprefix(other)
        return meant

    def spell(self, module: str, name: str) -> str:
        """Spell an object of the standard library so that it works after the cell has run.

        >>> Names({"dt": "datetime"}).spell("datetime", "date")
        'dt.date'
        >>> Names({}).spell("datetime", "date")
        "__import__('datetime').date"
        """
        for local, meant in self.bound.items():
            if meant == f"{module}.{name}" and local not in self.taken:
                return local
        for local, meant in self.bound.items():
            if meant == module and local not in self.taken:
                return f"{local}.{name}"
        if module == "builtins" and name not in self.bound and name not in self.taken:
            return name
        return f"__import__({module!r}).{name}"


def _parts(node: ast.expr) -> list[str]:
    """Split a dotted name; the first part is empty where it isn't one."""
    if isinstance(node, ast.Name):
        return [node.id]
    return [*_parts(node.value), node.attr] if isinstance(node, ast.Attribute) else [""]
