"""From documents to an index that is only read.

Documents are numbered in the order in which a list shows them when nothing else tells them apart:
the most used first. So the first numbers of any set of documents are its best ones.

For each field and term there is the ascending list of the documents that have it. Terms are
sorted, so what begins with a prefix is one stretch of terms, and one stretch of those lists. A
stretch that would be long to read is kept as a bitmap as well.

Facets belong to groups, of which there are far fewer than documents: to count by them is to count
each group's hits once.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from workbench.features.search.arrays import Arrays
from workbench.features.search.words import filter_terms, words

__all__ = ["FIELDS", "Document", "build", "prefix_end"]

FIELDS = ("title", "labels", "text")
"""Where a word may stand, the most telling place first."""

_SMALL = 4096
"""With fewer documents than this no list is long."""

_DENSE = 32
"""A list of one document in so many is longer than its bitmap."""


class Document(NamedTuple):
    """Something to be found. What belongs to one `group` is replaced together, and has one answer
    to what its `facets` are: pairs such as `("tag", "air")`.
    """

    name: str
    group: str
    uses: int
    title: str
    labels: tuple[str, ...]
    text: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()
    facets: tuple[tuple[str, str], ...] = ()


def prefix_end(prefix: str) -> str:
    """Return the text that all with this prefix sort before."""
    return prefix + "\U0010ffff"


def build(documents: Iterable[Document]) -> Arrays:
    """Number the documents and list them by field and term."""
    ordered = sorted(documents, key=lambda d: (-d.uses, d.group, len(words(d.title)), d.name))
    listed = [_listed(ordered, field) for field in FIELDS]
    terms = sorted(set().union(*listed))
    groups = {name: number for number, name in enumerate(dict.fromkeys(d.group for d in ordered))}
    arrays: Arrays = {
        "uses": np.array([min(d.uses, 2**31) for d in ordered], np.uint32),
        "lengths": np.array([min(len(words(d.title)), 255) for d in ordered], np.uint8),
        "group": np.array([groups[d.group] for d in ordered], np.uint32),
        **_texts("groups", list(groups)),
        **_texts("names", [d.name for d in ordered]),
        **_texts("terms", terms),
        **_facets(ordered, groups),
    }
    stretches, bitmaps = [], []
    for number, lists in enumerate(listed):
        starts, postings = _joined(lists, terms)
        arrays |= {f"starts{number}": starts, f"postings{number}": postings}
        for low, high in _long(terms, starts, len(ordered)):
            has = np.zeros(len(ordered), np.bool_)
            has[postings[starts[low] : starts[high]]] = True
            stretches.append((number, low, high))
            bitmaps.append(np.packbits(has))
    arrays["stretches"] = np.array(stretches, np.uint32).reshape(-1, 3)
    arrays["bitmaps"] = np.array(bitmaps, np.uint8).reshape(len(bitmaps), -(-len(ordered) // 8))
    return arrays


def _facets(documents: list[Document], groups: dict[str, int]) -> Arrays:
    """Keep which group has which facet: pairs of their numbers."""
    of_group = {document.group: document.facets for document in documents}
    facets = sorted({facet for found in of_group.values() for facet in found})
    numbers = {facet: number for number, facet in enumerate(facets)}
    pairs = sorted(
        (groups[group], numbers[facet]) for group, found in of_group.items() for facet in set(found)
    )
    return {
        **_texts("facet_keys", [key for key, _ in facets]),
        **_texts("facet_values", [value for _, value in facets]),
        "has_facet": np.array(pairs, np.uint32).reshape(-1, 2),
    }


def _listed(documents: list[Document], field: str) -> dict[str, array[int]]:
    lists: dict[str, array[int]] = {}
    for number, document in enumerate(documents):
        for term in _terms(document, field):
            known = lists.get(term)
            if known is None:
                known = lists[term] = array("I")
            known.append(number)
    return lists


def _terms(document: Document, field: str) -> Iterable[str]:
    if field == "title":
        return words(document.title)
    texts = document.labels if field == "labels" else document.text
    filters = document.filters if field == "labels" else ()
    return dict.fromkeys(
        (
            *(word for text in texts for word in words(text)),
            *(term for key, value in filters for term in filter_terms(key, value)),
        )
    )


def _joined(lists: dict[str, array[int]], terms: list[str]) -> tuple[np.ndarray, np.ndarray]:
    none = array("I")
    parts = [lists.get(term, none) for term in terms]
    starts = np.zeros(len(terms) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=starts[1:])
    postings = np.empty(int(starts[-1]), np.uint32)
    for start, part in zip(starts, parts, strict=False):
        postings[start : start + len(part)] = part
    return starts, postings


def _long(terms: list[str], starts: np.ndarray, count: int) -> Iterator[tuple[int, int]]:
    """Find the stretches of terms with a common prefix that list too many documents."""
    if count < _SMALL:
        return
    waiting, seen = [(0, len(terms), 0)], set()
    while waiting:
        low, high, depth = waiting.pop()
        if starts[high] - starts[low] <= count / _DENSE:
            continue
        if depth and (low, high) not in seen:
            seen.add((low, high))
            yield low, high
        waiting.extend(_split(terms, low, high, depth))


def _split(terms: list[str], low: int, high: int, depth: int) -> Iterator[tuple[int, int, int]]:
    """Cut a stretch of terms, which agree in `depth` letters, by the next letter."""
    if len(terms[low]) == depth:  # the term that is the prefix itself: asked for as a whole word
        if high - low > 1:
            yield low, low + 1, depth
        low += 1
    for _, inside in groupby(range(low, high), lambda number: terms[number][depth]):
        numbers = list(inside)
        yield numbers[0], numbers[-1] + 1, depth + 1


def _texts(name: str, texts: list[str]) -> Arrays:
    """Keep texts as one: where each ends, and all of them."""
    encoded = [text.encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    return {f"{name}_ends": ends, name: np.frombuffer(b"".join(encoded), np.uint8)}
