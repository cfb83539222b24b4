"""Defaults, found from their source: literals, and calls of known types on literals.

Nothing of the cell runs. What is called here are Python's own types, on values that were read here.
"""

from __future__ import annotations

import ast
import datetime
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any

from workbench.jobs.parameters.choices import EnumOf
from workbench.jobs.parameters.kinds import Mismatch
from workbench.jobs.parameters.names import Names

__all__ = ["Reader"]

_CONSTANTS: dict[str, Any] = {
    "math.nan": math.nan,
    "math.inf": math.inf,
    "numpy.nan": math.nan,
    "numpy.inf": math.inf,
    "datetime.timezone.utc": datetime.UTC,
    "datetime.UTC": datetime.UTC,
}

_CALLS: dict[str, Callable[..., Any]] = {
    "builtins.float": float,
    "builtins.set": set,
    "builtins.list": list,
    "builtins.dict": dict,
    "builtins.tuple": tuple,
    "decimal.Decimal": Decimal,
    "pathlib.Path": Path,
    "datetime.date": datetime.date,
    "datetime.datetime": datetime.datetime,
    "datetime.time": datetime.time,
    "datetime.timedelta": datetime.timedelta,
    "datetime.timezone": datetime.timezone,
    "datetime.date.fromisoformat": datetime.date.fromisoformat,
    "datetime.datetime.fromisoformat": datetime.datetime.fromisoformat,
    "datetime.time.fromisoformat": datetime.time.fromisoformat,
}


class Reader:
    """Reads expressions of one cell, by its names and its enums."""

    def __init__(self, names: Names, enums: Mapping[str, EnumOf]) -> None:
        self._names = names
        self._enums = enums

    def value(self, node: ast.expr) -> Any:
        """Return what the expression gives; a member of an enum as its value.

        Raises
        ------
        ValueError
            If it isn't a literal or a known call, or if the call fails; the message says why.
        """
        match node:
            case ast.Constant():
                return node.value
            case ast.List():
                return [self.value(item) for item in node.elts]
            case ast.Tuple():
                return tuple(self.value(item) for item in node.elts)
            case ast.Set():
                return set(self._hashable(node.elts))
            case ast.Dict():
                keys = [key for key in node.keys if key is not None]
                if len(keys) < len(node.keys):
                    raise ValueError("is not a literal")
                return dict(zip(self._hashable(keys), map(self.value, node.values), strict=True))
            case ast.UnaryOp():
                return self._signed(node)
            case ast.BinOp(op=ast.Div()):
                return self._path(node)
            case ast.Call():
                return self._called(node)
            case _:
                return self._named(node)

    def enum_of(self, node: ast.expr | None) -> EnumOf | None:
        """Return the enum of the cell to which the expression `Mode.FAST` or `Mode(1)` belongs."""
        owner = node.func if isinstance(node, ast.Call) else getattr(node, "value", None)
        return self._enums.get(owner.id) if isinstance(owner, ast.Name) else None

    def _hashable(self, nodes: list[ast.expr]) -> list[Any]:
        values = [self.value(node) for node in nodes]
        try:
            set(values)
        except TypeError as error:
            raise ValueError("is not a literal") from error
        return values

    def _signed(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        number = isinstance(value, int | float | Decimal | datetime.timedelta)
        if not number or isinstance(value, bool) or not isinstance(node.op, ast.USub | ast.UAdd):
            raise ValueError("is not a literal")
        return -value if isinstance(node.op, ast.USub) else value

    def _path(self, node: ast.BinOp) -> Path:
        left, right = self.value(node.left), self.value(node.right)
        if not isinstance(left, Path) or not isinstance(right, str | PurePath):
            raise ValueError("is not a literal")
        return left / right

    def _named(self, node: ast.expr) -> Any:
        enum = self.enum_of(node)
        if enum is not None and isinstance(node, ast.Attribute):
            members = dict(enum.members)
            if node.attr not in members:
                raise ValueError(f"is no {enum.name}: there are {', '.join(members)}")
            return members[node.attr]
        meant = self._names.qualify(node)
        if meant not in _CONSTANTS:
            raise ValueError("is not a literal")
        return _CONSTANTS[meant]

    def _called(self, node: ast.Call) -> Any:
        positional = [self.value(argument) for argument in node.args]
        named = {word.arg: self.value(word.value) for word in node.keywords if word.arg}
        if len(named) < len(node.keywords):
            raise ValueError("is not a literal")
        try:
            enum = self.enum_of(node)
            if enum is not None:
                return enum.by_value(*positional, **named)
            return self._callable(node.func)(*positional, **named)
        except Mismatch as error:
            raise ValueError(f"is no {enum.expected if enum else ''}") from error
        except (TypeError, ArithmeticError, ValueError) as error:
            raise ValueError(f"is not a literal ({error})") from error

    def _callable(self, node: ast.expr) -> Callable[..., Any]:
        meant = self._names.qualify(node)
        if meant not in _CALLS:
            known = ", ".join(sorted({name.split(".")[1] for name in _CALLS}))
            raise ValueError(f"of calls, only these are read: {known}")
        return _CALLS[meant]
