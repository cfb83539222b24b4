"""Words that were mistyped: one letter wrong, missing, too many, or two of them swapped.

Terms are sorted, so that every step of a walk from letter to letter is one bisection: only letters
that do follow somewhere are tried, in any alphabet, and nothing has to be prepared.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from workbench.features.search.building import prefix_end

__all__ = ["SHORTEST", "neighbours", "stretch"]

SHORTEST = 4
"""Shorter words aren't corrected: too many others are one letter away."""


def stretch(terms: Sequence[str], prefix: str) -> tuple[int, int]:
    """Return where the terms that begin with `prefix` start and end."""
    low = bisect_left(terms, prefix)
    return low, bisect_left(terms, prefix_end(prefix), low)


def neighbours(terms: Sequence[str], word: str) -> list[str]:
    """List what `word` may have been meant as: one edit away, and some term begins with it.

    Digits stay as they are: another number is another thing.
    """
    if len(word) < SHORTEST:
        return []
    found = dict.fromkeys(_edits(terms, word))
    return [near for near in found if near != word and _begins_a_term(terms, near)]


def _edits(terms: Sequence[str], word: str) -> Iterator[str]:
    for place in range(len(word)):
        head, rest = word[:place], word[place:]
        low, high = stretch(terms, head)
        if low == high:
            return  # no term begins as the word does up to here: the edit was before
        if len(rest) > 1 and not rest[:2].isdigit():
            yield head + rest[1] + rest[0] + rest[2:]
        is_letter = not rest[0].isdigit()
        if is_letter:
            yield head + rest[1:]
        for letter in _following(terms, head, low, high):
            yield head + letter + rest
            if is_letter:
                yield head + letter + rest[1:]


def _following(terms: Sequence[str], head: str, low: int, high: int) -> Iterator[str]:
    """Give each letter that some term of the stretch goes on with."""
    low += terms[low] == head
    while low < high:
        letter = terms[low][len(head)]
        if letter.isalpha():  # no digit, and no colon, with which filters begin
            yield letter
        low = bisect_left(terms, prefix_end(head + letter), low, high)


def _begins_a_term(terms: Sequence[str], prefix: str) -> bool:
    low = bisect_left(terms, prefix)
    return low < len(terms) and terms[low].startswith(prefix)
