"""Kinds made of other kinds: lists, tuples, sets and dicts.

A dict with other keys than texts is recorded as an object if the texts tell what the keys were
(`{"1": "a"}` where `dict[int, str]` is declared), else as pairs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from workbench.jobs.parameters.forms import alike
from workbench.jobs.parameters.kinds import Kind, Mismatch
from workbench.jobs.parameters.names import Names

__all__ = ["DictOf", "ListOf", "SetOf", "TupleOf", "tag_of", "tagged"]

_PAIRS = "pairs"
"""The tag of a dict whose keys aren't told by their texts."""


def tagged(kind: str, data: Any) -> dict[str, Any]:
    """Say of which kind a piece of JSON is, where it can't be seen."""
    return {"$type": kind, "value": data}


def tag_of(data: Any) -> str | None:
    """Return the kind that `tagged` wrote, None if it didn't."""
    tag = data["$type"] if isinstance(data, dict) and set(data) == {"$type", "value"} else None
    return tag if isinstance(tag, str) else None


def _generic(name: str, *kinds: Kind, more: str = "") -> str:
    if all(kind.is_any for kind in kinds):
        return name
    return f"{name}[{', '.join(kind.expected for kind in kinds)}{more}]"


def _items(data: Any, *types: type[Any]) -> Iterable[Any]:
    if not isinstance(data, types):
        raise Mismatch
    return data  # type: ignore[no-any-return]


@dataclass(frozen=True)
class ListOf(Kind):
    """A list whose items are all of one kind."""

    item: Kind

    @property
    def expected(self) -> str:
        """Name the list by its items."""
        return _generic("list", self.item)

    def check(self, value: Any) -> list[Any]:
        """Check every item."""
        return [self.item.check(item) for item in _items(value, list)]

    def dump(self, value: list[Any]) -> list[Any]:
        """Record every item."""
        return [self.item.dump(item) for item in value]

    def load(self, data: Any) -> list[Any]:
        """Load every item."""
        return [self.item.load(item) for item in _items(data, list)]

    def spell(self, value: list[Any], names: Names) -> str:
        """Write every item."""
        return f"[{', '.join(self.item.spell(item, names) for item in value)}]"


@dataclass(frozen=True)
class TupleOf(Kind):
    """A tuple: of one kind in any length, or of given kinds; a list may be given for it."""

    items: tuple[Kind, ...]
    any_length: bool = False

    @property
    def expected(self) -> str:
        """Name the tuple by its items."""
        if self.any_length:
            return _generic("tuple", *self.items, more=", ...")
        return _generic("tuple", *self.items) if self.items else "tuple[()]"

    def check(self, value: Any) -> tuple[Any, ...]:
        """Check every item, and how many there are."""
        return self._each(_items(value, tuple, list), lambda kind, item: kind.check(item))

    def dump(self, value: tuple[Any, ...]) -> list[Any]:
        """Record every item."""
        return list(self._each(value, lambda kind, item: kind.dump(item)))

    def load(self, data: Any) -> tuple[Any, ...]:
        """Load every item, and count them."""
        return self._each(_items(data, tuple, list), lambda kind, item: kind.load(item))

    def spell(self, value: tuple[Any, ...], names: Names) -> str:
        """Write every item."""
        texts = self._each(value, lambda kind, item: kind.spell(item, names))
        return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"

    def _each(self, values: Iterable[Any], do: Callable[[Kind, Any], Any]) -> tuple[Any, ...]:
        values = list(values)
        kinds = self.items * len(values) if self.any_length else self.items
        if len(kinds) != len(values):
            raise Mismatch
        return tuple(map(do, kinds, values))


@dataclass(frozen=True)
class SetOf(Kind):
    """A set; a list may be given for it, as JSON has no other way to write one."""

    item: Kind

    @property
    def expected(self) -> str:
        """Name the set by its items."""
        return _generic("set", self.item)

    def check(self, value: Any) -> set[Any]:
        """Check every item."""
        return self._set(self.item.check, _items(value, set, frozenset, list))

    def dump(self, value: set[Any]) -> list[Any]:
        """Record the items, in an order that is always the same."""
        return sorted((self.item.dump(item) for item in value), key=json.dumps)

    def load(self, data: Any) -> set[Any]:
        """Load every item."""
        return self._set(self.item.load, _items(data, list, set))

    def spell(self, value: set[Any], names: Names) -> str:
        """Write the items, in an order that is always the same."""
        texts = sorted(self.item.spell(item, names) for item in value)
        return f"{{{', '.join(texts)}}}" if texts else f"{names.spell('builtins', 'set')}()"

    @staticmethod
    def _set(each: Callable[[Any], Any], items: Iterable[Any]) -> set[Any]:
        try:
            return {each(item) for item in items}
        except TypeError as error:  # a list can't be in a set
            raise Mismatch from error


@dataclass(frozen=True)
class DictOf(Kind):
    """A dict with keys of one kind and values of another."""

    key: Kind
    item: Kind

    @property
    def expected(self) -> str:
        """Name the dict by its keys and values."""
        return _generic("dict", self.key, self.item)

    def check(self, value: Any) -> dict[Any, Any]:
        """Check every key and every value."""
        pairs = [
            (self.key.check(key), self.item.check(item))
            for key, item in dict(_items(value, dict)).items()
        ]
        return self._dict(pairs)

    def dump(self, value: dict[Any, Any]) -> Any:
        """Record an object; or pairs, where a text as key wouldn't tell what the key was."""
        plain: dict[str, Any] = {}
        for key, item in value.items():
            text = self._text(key)
            if text is None or text in plain:
                break
            plain[text] = self.item.dump(item)
        else:
            if tag_of(plain) is None:
                return plain
        pairs = [[self.key.dump(key), self.item.dump(item)] for key, item in value.items()]
        return tagged(_PAIRS, pairs)

    def load(self, data: Any) -> dict[Any, Any]:
        """Load an object, whose keys are read as on a command line, or pairs."""
        if tag_of(data) != _PAIRS:
            plain = dict(_items(data, dict))
            return self._dict((self._key(key), self.item.load(item)) for key, item in plain.items())
        try:
            pairs = [(self.key.load(key), self.item.load(item)) for key, item in data["value"]]
        except (TypeError, ValueError) as error:
            raise Mismatch from error
        return self._dict(pairs)

    def spell(self, value: dict[Any, Any], names: Names) -> str:
        """Write every key and every value."""
        texts = [
            f"{self.key.spell(key, names)}: {self.item.spell(item, names)}"
            for key, item in value.items()
        ]
        return f"{{{', '.join(texts)}}}"

    def _key(self, key: Any) -> Any:
        # YAML and Python literals have other keys than texts.
        return self.key.read(key) if isinstance(key, str) else self.key.load(key)

    def _text(self, key: Any) -> str | None:
        data = self.key.dump(key)
        text = data if isinstance(data, str) else json.dumps(data)
        try:
            return text if alike(self.key.read(text), key) else None
        except Mismatch:
            return None

    @staticmethod
    def _dict(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
        try:
            return dict(pairs)
        except TypeError as error:  # a list can't be a key
            raise Mismatch from error
