"""What a text is made of: the words that are indexed, and those that are asked for.

A word is a run of letters and digits, without case and accents: `Dép_Delay:24h` is `dep`, `delay`
and `24h`. Where a name is written `depDelay`, its parts are words too.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Query", "filter_terms", "parse", "words"]

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FILTER = re.compile(
    r"(?<!\S)(kind|tag|owner|entity|column|used_by):(\"[^\"]*\"|\S+)", re.IGNORECASE
)

_MOST_WORDS = 16
"""More don't narrow a search any further; a pasted page must not keep anybody waiting."""


@dataclass(frozen=True)
class Query:
    """What is asked for: words, terms that every hit must have, or simply everything."""

    words: tuple[str, ...]
    filters: tuple[str, ...]
    everything: bool


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """List the words of a text to be indexed, each once.

    >>> words("Dép_Delay:24h, depDelay")
    ('dep', 'delay', '24h', 'depdelay')
    """
    found = _plain(text)
    if text.lower() != text:
        found = dict.fromkeys((*_plain(_HUMP.sub(" ", text)), *found))
    return tuple(found)


@lru_cache(maxsize=4096)
def filter_terms(key: str, value: str) -> tuple[str, ...]:
    """Write a filter as terms of the index; no word begins as they do.

    >>> filter_terms("owner", "Weather Desk")
    (':owner:weather', ':owner:desk')
    """
    return tuple(f":{key.lower()}:{word}" for word in words(value))


def parse(text: str) -> Query:
    """Read what was typed; any text is a query.

    >>> parse('delay owner:"Weather Desk" tag:air')
    Query(words=('delay',), filters=(':owner:weather', ':owner:desk', ':tag:air'), everything=False)
    """
    filters = [term for key, value in _FILTER.findall(text) for term in filter_terms(key, value)]
    asked = tuple(_plain(_FILTER.sub(" ", text)))[:_MOST_WORDS]
    return Query(asked, tuple(dict.fromkeys(filters))[:_MOST_WORDS], everything=not text.strip())


def _plain(text: str) -> dict[str, None]:
    return dict.fromkeys(_WORD.findall(_folded(text)))


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
