"""One part of the index: sets of documents as bitmaps, narrowed word by word.

Hits come in tiers: all words are in the title, and it has no other; all are whole words of the
title; all begin a word of the title; of the title or the labels; of any text. Within a tier, the
most used come first. A tier is a few operations on bitmaps, however many documents match: each
holds the ones before it, so the last is all that is found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np

from workbench.features.search.arrays import Arrays
from workbench.features.search.building import FIELDS
from workbench.features.search.facets import Chosen, GroupFacets
from workbench.features.search.spelling import neighbours, stretch
from workbench.features.search.words import Query

__all__ = ["Found", "Segment", "Spelling"]

_TITLE, _LABELS, _TEXT = range(len(FIELDS))

Spelling = Literal["exact", "whole", "begun"]
"""How a word may be taken: as it is; also for words, or also for beginnings, one letter off."""

_FEW = 5_000
"""So many documents are set one by one, before it is quicker to set them all at once."""

_STRETCH = 16_384

_BIT = np.array([128 >> place for place in range(8)], np.uint8)

Bits = np.ndarray
Stretches = Sequence[tuple[int, int]]


class Found(NamedTuple):
    """A hit; found ones sort as a list shows them."""

    tier: int
    unused: int
    group: str
    length: int
    name: str


@dataclass(frozen=True)
class _Meaning:
    """What a word stands for: terms it is, and terms that it begins."""

    whole: Stretches
    begun: Stretches


class Segment:
    """A part of the index, read from its arrays."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._terms = _texts(arrays, "terms")
        self._groups = _texts(arrays, "groups")
        self.facets = GroupFacets(
            _texts(arrays, "facet_keys"),
            _texts(arrays, "facet_values"),
            arrays["has_facet"],
            len(self._groups),
        )
        self._lengths: dict[int, Bits] = {}
        self._count = len(arrays["uses"])
        self._alive = np.packbits(np.ones(self._count, np.bool_))
        self._bitmaps = {
            tuple(place): bitmap
            for place, bitmap in zip(arrays["stretches"].tolist(), arrays["bitmaps"], strict=True)
        }

    def only(self, groups: Collection[str]) -> Segment:
        """Return the same part with no other groups than these: the rest has been replaced."""
        return self._where(np.array([group in groups for group in self._groups], np.bool_))

    def having(self, chosen: Chosen) -> Segment:
        """Return the same part with no other groups than those that have the facets."""
        other = self._where(self.facets.having(chosen))
        other._alive &= self._alive
        return other

    def _where(self, groups: np.ndarray) -> Segment:
        other = copy(self)
        other._alive = np.packbits(groups[self._arrays["group"]])
        return other

    def count(self, query: Query, spelling: Spelling = "exact") -> np.ndarray:
        """Count all hits, group by group."""
        bits = np.zeros_like(self._alive)
        for tier in self._tiers(query, spelling):
            bits = tier
        hits = np.flatnonzero(np.unpackbits(bits, count=self._count).view(np.bool_))
        return np.bincount(self._arrays["group"][hits], minlength=len(self._groups))

    def find(self, query: Query, limit: int, spelling: Spelling = "exact") -> list[Found]:
        """Return the first hits."""
        tiers = self._tiers(query, spelling)
        hits: dict[int, int] = {}
        for tier, bits in enumerate(tiers):
            for number in _first(bits, limit):
                hits.setdefault(number, tier)
            if len(hits) >= limit:
                break
        return [self._found(number, tier) for number, tier in islice(hits.items(), limit)]

    def _tiers(self, query: Query, spelling: Spelling) -> Iterator[Bits]:
        base = self._alive
        for term in query.filters:
            base = base & self._bits(_LABELS, [stretch(self._terms, term)])
        if not query.words:
            if query.filters or query.everything:
                yield base
            return
        meanings = [self._meaning(word, spelling) for word in query.words]
        if not all(meaning.begun for meaning in meanings):
            return
        titled = _every(base, meanings, lambda m: self._bits(_TITLE, m.whole))
        yield titled & self._of_length(len(query.words))
        yield titled
        reach = [np.zeros_like(base)] * len(meanings)
        for field in range(len(FIELDS)):
            reach = [
                bits | self._bits(field, meaning.begun)
                for bits, meaning in zip(reach, meanings, strict=True)
            ]
            yield np.bitwise_and.reduce([base, *reach])

    def _meaning(self, word: str, spelling: Spelling) -> _Meaning:
        meant = [word, *(neighbours(self._terms, word) if spelling != "exact" else ())]
        begun = [stretch(self._terms, prefix) for prefix in meant]
        whole = [
            (low, low + 1)
            for prefix, (low, high) in zip(meant, begun, strict=True)
            if low < high and self._terms[low] == prefix
        ]
        if spelling == "whole":
            begun = [begun[0], *whole]
        return _Meaning(whole, [(low, high) for low, high in begun if low < high])

    def _bits(self, field: int, stretches: Stretches) -> Bits:
        """Return the documents that have any of these terms in the field."""
        bits, rest = np.zeros_like(self._alive), []
        starts, postings = self._arrays[f"starts{field}"], self._arrays[f"postings{field}"]
        for low, high in stretches:
            bitmap = self._bitmaps.get((field, low, high))
            if bitmap is not None:
                bits |= bitmap
            elif starts[low] < starts[high]:
                rest.append(postings[starts[low] : starts[high]])
        if sum(map(len, rest)) > _FEW:
            has = np.zeros(self._count, np.bool_)
            for numbers in rest:
                has[numbers] = True
            bits |= np.packbits(has)
        else:
            for numbers in rest:
                np.bitwise_or.at(bits, numbers >> 3, _BIT[numbers & 7])
        return bits

    def _of_length(self, words: int) -> Bits:
        found = self._lengths.get(words)
        if found is None:  # the copies of this part share what was found
            found = self._lengths[words] = np.packbits(self._arrays["lengths"] == words)
        return found

    def _found(self, number: int, tier: int) -> Found:
        arrays = self._arrays
        return Found(
            tier,
            -int(arrays["uses"][number]),
            self._groups[arrays["group"][number]],
            int(arrays["lengths"][number]),
            _text(arrays, "names", number),
        )


def _every(base: Bits, meanings: Sequence[_Meaning], bits: Callable[[_Meaning], Bits]) -> Bits:
    for meaning in meanings:
        base = base & bits(meaning)
    return base


def _first(bits: Bits, limit: int) -> list[int]:
    """Return the first numbers of a set."""
    start, places = 0, np.zeros(0, np.intp)
    while start < len(bits) and len(places) < limit:  # most have enough near the beginning
        places = np.append(places, start + np.flatnonzero(bits[start : start + _STRETCH]))
        start += _STRETCH
    places = places[:limit]
    unpacked = np.unpackbits(bits[places].reshape(-1, 1), axis=1)
    rows, columns = np.nonzero(unpacked)
    return (places[rows] * 8 + columns)[:limit].tolist()  # type: ignore[no-any-return]


def _texts(arrays: Arrays, name: str) -> list[str]:
    ends = arrays[f"{name}_ends"].tolist()
    whole = arrays[name].tobytes()
    return [whole[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]


def _text(arrays: Arrays, name: str, number: int) -> str:
    ends = arrays[f"{name}_ends"]
    start = int(ends[number - 1]) if number else 0
    return arrays[name][start : int(ends[number])].tobytes().decode()
