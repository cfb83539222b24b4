"""The words, names, numbers and quoted texts of a filter, as far as all read them alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from workbench.errors import UsageError

__all__ = ["Token", "Tokens", "UnsureError"]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'[^'\\\0\n\r]*')
    | (?P<quoted>"[^"`\\\0\n\r]*")
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE]-?\d+)?(?![\w.]))
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\.(?:`[^`'"\\\0\n\r]+`|"[^"'`\\\0\n\r]+"))?)
    | (?P<ticked>`[^`.'"\\\0\n\r]+`)
    | (?P<operator>!=|>=|<=|=|>|<)(?![<>=~!])
    | (?P<mark>[(),])
    )""",
    re.VERBOSE | re.ASCII,
)


class UnsureError(Exception):
    """Text that MLflow may read in its own way; never shown to a user."""


@dataclass(frozen=True)
class Token:
    """A piece of the text, and which kind of piece it is."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """The text in capitals if it is a bare word, which keywords are."""
        return self.text.upper() if self.kind == "name" else ""


class Tokens:
    """The text's tokens, taken one after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._rest = list(_split(text))[::-1]

    @property
    def at_end(self) -> bool:
        """Tell whether all are taken."""
        return not self._rest

    def peek(self) -> str:
        """The next bare word in capitals, without taking it."""
        return self._rest[-1].word if self._rest else ""

    def next(self) -> Token:
        """Take the next; a text that ends too early may mean something to MLflow."""
        if not self._rest:
            raise UnsureError(self.text)
        return self._rest.pop()

    def refuse(self, what: str) -> NoReturn:
        """Raise the error for a text that MLflow refuses too."""
        raise UsageError(f"{self.text!r}: {what}")


def _split(text: str) -> Iterator[Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise UnsureError(text)
        yield Token(match.lastgroup, match[match.lastgroup])
        position = match.end()
