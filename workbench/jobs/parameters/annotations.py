"""Annotations, resolved from their source into the kinds that they declare."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.jobs.parameters.choices import EnumOf, OneOf, Ranged
from workbench.jobs.parameters.containers import DictOf, ListOf, SetOf, TupleOf
from workbench.jobs.parameters.kinds import NULL, PLAIN, Kind, Mismatch
from workbench.jobs.parameters.literals import Reader
from workbench.jobs.parameters.markers import Range
from workbench.jobs.parameters.moments import MOMENTS
from workbench.jobs.parameters.names import Names
from workbench.jobs.parameters.unions import ANYTHING, BARE, union_of

__all__ = ["Declared", "Resolver"]

_OLD_SPELLINGS = {
    f"typing.{name}": f"builtins.{name.lower()}" for name in ("List", "Dict", "Tuple", "Set")
}

_TEXT = PLAIN["builtins.str"]
_SECRETS = (_TEXT, union_of([_TEXT, NULL]), union_of([NULL, _TEXT]))
"""The kinds that a secret may have: the environment holds texts."""


@dataclass(frozen=True)
class Declared:
    """What an annotation says."""

    kind: Kind
    secret: bool = False


class Resolver:
    """Resolves the annotations of one cell.

    A type that isn't known declares nothing: any value is let through. A known one that is used
    wrongly (`Range("a")`) raises a `ValueError`.
    """

    def __init__(self, names: Names, enums: Mapping[str, EnumOf]) -> None:
        self._names = names
        self._enums = enums
        self._reader = Reader(names, enums)

    def resolve(self, node: ast.expr) -> Declared:
        """Resolve the annotation `node`."""
        secret = any(self._is_secret(part) for part in ast.walk(self._unquoted(node)))
        kind = self._kind(node)
        if secret and kind not in _SECRETS:
            raise ValueError(f"a secret is a str, not {kind.expected}")
        return Declared(kind, secret)

    def _unquoted(self, node: ast.expr) -> ast.expr:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            return node
        try:
            return ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return node  # no type at all

    def _is_secret(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name | ast.Attribute) and (
            self._names.qualify(node) == "workbench.jobs.Secret"
        )

    def _kind(self, node: ast.expr) -> Kind:
        node = self._unquoted(node)
        match node:
            case ast.Constant(value=None):
                return NULL
            case ast.BinOp(op=ast.BitOr()):
                return union_of([self._kind(node.left), self._kind(node.right)])
            case ast.Subscript():
                return self._generic(node)
            case ast.Name() if node.id in self._enums:
                return self._enums[node.id]
            case _:
                meant = self._meant(node)
                return PLAIN.get(meant) or MOMENTS.get(meant) or BARE.get(meant) or ANYTHING

    def _meant(self, node: ast.expr) -> str:
        meant = self._names.qualify(node) or ""
        return _OLD_SPELLINGS.get(meant, meant)

    def _generic(self, node: ast.Subscript) -> Kind:
        of = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        match self._meant(node.value), len(of):
            case "typing.Optional", 1:
                return union_of([self._kind(of[0]), NULL])
            case "typing.Union", _:
                return union_of([self._kind(each) for each in of])
            case "typing.Literal", _:
                return OneOf(tuple(self._constant(each) for each in of))
            case "typing.Annotated", _:
                return self._annotated(of[0], of[1:])
            case "builtins.list", 1:
                return ListOf(self._kind(of[0]))
            case "builtins.set", 1:
                return SetOf(self._kind(of[0]))
            case "builtins.dict", 2:
                return DictOf(self._kind(of[0]), self._kind(of[1]))
            case "builtins.tuple", _:
                return self._tuple(of)
            case _:
                return ANYTHING

    def _tuple(self, of: list[ast.expr]) -> Kind:
        if len(of) == 2 and isinstance(of[1], ast.Constant) and of[1].value is ...:
            return TupleOf((self._kind(of[0]),), any_length=True)
        return TupleOf(tuple(self._kind(each) for each in of))

    def _constant(self, node: ast.expr) -> Any:
        if self._reader.enum_of(node) is not None:
            raise ValueError(f"declare the enum itself, instead of Literal[{ast.unparse(node)}]")
        value = self._reader.value(node)
        if not isinstance(value, str | int | None):
            raise ValueError(f"Literal takes texts, whole numbers, bools and None, not {value!r}")
        return value

    def _annotated(self, node: ast.expr, metadata: list[ast.expr]) -> Kind:
        kind = self._kind(node)
        for each in metadata:
            call = each if isinstance(each, ast.Call) else None
            if call and self._names.qualify(call.func) == "workbench.jobs.Range":
                kind = Ranged(kind, self._range(kind, call))
        return kind

    def _range(self, kind: Kind, call: ast.Call) -> Range:
        given = [self._reader.value(argument) for argument in call.args]
        named = {word.arg or "**": self._reader.value(word.value) for word in call.keywords}
        try:
            limits = Range(*given, **named)
            checked = [
                None if limit is None else kind.check(limit)
                for limit in (limits.minimum, limits.maximum)
            ]
        except (TypeError, Mismatch) as error:
            raise ValueError(
                f"expected Range(minimum, maximum), each {kind.expected} or None, "
                f"found {ast.unparse(call)}"
            ) from error
        return Range(*checked)
