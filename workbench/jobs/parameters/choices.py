"""Kinds that narrow another: one of a few values, a member of an enum, a range."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from workbench.jobs.parameters.forms import alike
from workbench.jobs.parameters.kinds import Kind, Mismatch
from workbench.jobs.parameters.markers import Range
from workbench.jobs.parameters.names import Names
from workbench.jobs.parameters.unions import ANYTHING

__all__ = ["EnumOf", "OneOf", "Ranged"]


@dataclass(frozen=True)
class OneOf(Kind):
    """A `Literal`: one of its values, and of the same type."""

    values: tuple[Any, ...]

    @property
    def expected(self) -> str:
        """List the values."""
        return f"one of {', '.join(map(repr, self.values))}"

    def check(self, value: Any) -> Any:
        """Return the value if it is one of them."""
        value = ANYTHING.check(value)
        if not any(alike(known, value) for known in self.values):
            raise Mismatch
        return value

    def read(self, text: str) -> Any:
        """Read one of the values: a text without quotes, True and None as Python writes them."""
        texts = {value if isinstance(value, str) else repr(value): value for value in self.values}
        return texts[text] if text in texts else super().read(text)

    def spell(self, value: Any, names: Names) -> str:
        """Write the value as the literal that it is."""
        return ANYTHING.spell(value, names)


@dataclass(frozen=True)
class EnumOf(Kind):
    """An enum of the parameters cell. Nobody outside has its class: the values stand for members.

    So `fast` is what the record, the command line and `check` have for `Mode.FAST`; from Python and
    the command line the name `FAST` is understood too.
    """

    name: str
    members: tuple[tuple[str, Any], ...]

    @property
    def values(self) -> tuple[Any, ...]:
        """The values of the members, in order."""
        return tuple(value for _, value in self.members)

    @property
    def expected(self) -> str:
        """Name the enum and list its values."""
        return f"{self.name} (one of {', '.join(map(repr, self.values))})"

    def check(self, value: Any) -> Any:
        """Return the value of a member, given as value, as name or as a member of such an enum."""
        if isinstance(value, Enum) and type(value).__name__ == self.name:
            value = value.value
        value = ANYTHING.check(value)
        try:
            return self.by_value(value)
        except Mismatch:
            return self._named(value)

    def by_value(self, value: Any) -> Any:
        """Return the value if a member has it, or raise `Mismatch`."""
        for known in self.values:
            if alike(known, value):
                return known
        raise Mismatch

    def read(self, text: str) -> Any:
        """Read a member by its value or its name."""
        for known in self.values:
            if text == (known if isinstance(known, str) else repr(known)):
                return known
        return self._named(text)

    def dump(self, value: Any) -> Any:
        """Record the member by its value."""
        return ANYTHING.dump(value)

    def load(self, data: Any) -> Any:
        """Find the member by its value, or by its name."""
        return self.check(ANYTHING.load(data))

    def spell(self, value: Any, names: Names) -> str:
        """Write the call that finds the member."""
        return f"{self.name}({ANYTHING.spell(value, names)})"

    def _named(self, name: Any) -> Any:
        for known, value in self.members:
            if known == name:
                return value
        raise Mismatch


@dataclass(frozen=True)
class Ranged(Kind):
    """Another kind between two limits, of which each may be missing."""

    of: Kind
    range: Range

    @property
    def expected(self) -> str:
        """Name the kind and its limits."""
        least, most = self.range.minimum, self.range.maximum
        limits = "" if least is None else f" from {least}"
        return f"{self.of.expected}{limits}" + ("" if most is None else f" up to {most}")

    def check(self, value: Any) -> Any:
        """Return the value if it is of the kind and within the limits."""
        return self._within(self.of.check(value))

    def read(self, text: str) -> Any:
        """Read as the kind does."""
        return self._within(self.of.read(text))

    def dump(self, value: Any) -> Any:
        """Record as the kind does."""
        return self.of.dump(value)

    def load(self, data: Any) -> Any:
        """Load as the kind does."""
        return self._within(self.of.load(data))

    def spell(self, value: Any, names: Names) -> str:
        """Write as the kind does."""
        return self.of.spell(value, names)

    def _within(self, value: Any) -> Any:
        if value is None:
            return value
        least, most = self.range.minimum, self.range.maximum
        try:
            # Asked this way round, nan is in no range.
            inside = (least is None or value >= least) and (most is None or value <= most)
        except (TypeError, ArithmeticError) as error:  # moments with and without a zone; a nan
            raise Mismatch from error
        if not inside:
            raise Mismatch
        return value
