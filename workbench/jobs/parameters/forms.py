"""Values as texts and literals, and when two of them are the same."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from typing import Any

__all__ = ["alike", "read_literal", "spell_text"]

_OPENING = tuple("([{")


def read_literal(text: str) -> Any:
    """Read JSON, or a list, tuple, set or dict of Python; another text stands for itself."""
    readers: list[Callable[[str], Any]] = [json.loads]
    if text.lstrip()[:1] in _OPENING:
        readers.append(ast.literal_eval)
    for reader in readers:
        try:
            return reader(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return {"True": True, "False": False, "None": None}.get(text, text)


def spell_text(text: str) -> str:
    """Write a text as papermill does, so that the cell is the same whoever injects it."""
    escaped = text.encode("unicode_escape").decode("ascii").replace('"', r"\"")
    return f'"{escaped}"'


def alike(one: Any, other: Any) -> bool:
    """Tell whether two values are equal and of equal types, inside of containers too."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return alike(list(one), list(other)) and alike([*one.values()], [*other.values()])
    if isinstance(one, set):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return repr(one) == repr(other)  # in which nan is itself, and 0.0 isn't -0.0
