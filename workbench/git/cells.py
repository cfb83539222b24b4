"""Which cell of one notebook is which of another, and in what order merged cells stand.

One idea: a cell is known by its id, and where there is none, or tools have made new ones, by what
it says. Once every cell has a key that all sides share, order is a question of keys alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

__all__ = ["Key", "match_ids", "merge_order", "moved_apart", "side_keys"]

Cell = dict[str, Any]

Key = tuple[str, int]
"""`("base", n)`, or `("ours", n)` and `("theirs", n)` for cells that the base hasn't."""

_SIMILAR = 0.6  # of the text is the same: one cell that was edited, rather than two


def side_keys(
    base: Sequence[Cell], ours: Sequence[Cell], theirs: Sequence[Cell]
) -> tuple[list[Key], list[Key]]:
    """Give every cell of both sides its key; a cell that both have added gets the key of ours."""
    our_keys = _keys(base, ours, "ours")
    their_keys = _keys(base, theirs, "theirs")
    added_here = [key for key in our_keys if key[0] == "ours"]
    added_there = [key for key in their_keys if key[0] == "theirs"]
    shared: dict[Key, Key] = {}
    for there in added_there:
        for here in added_here:
            beside = _anchor(our_keys, here) == _anchor(their_keys, there)
            one = _is_one_addition(ours[here[1]], theirs[there[1]], beside=beside)
            if one and here not in shared.values():
                shared[there] = here
                break
    return our_keys, [shared.get(key, key) for key in their_keys]


def _is_one_addition(here: Cell, there: Cell, *, beside: bool) -> bool:
    """Tell whether both sides added one cell: of one id, or with one text at one place."""
    one_id = here.get("id") is not None and here.get("id") == there.get("id")
    return one_id or (beside and _text(here) == _text(there) and here["source"].strip() != "")


def _anchor(keys: Sequence[Key], key: Key) -> Key | None:
    """Find the last cell before `key` that the base has too."""
    before = keys[: keys.index(key)]
    return next((earlier for earlier in reversed(before) if earlier[0] == "base"), None)


def _keys(base: Sequence[Cell], side: Sequence[Cell], name: str) -> list[Key]:
    found = _match(base, side)
    return [("base", found[n]) if n in found else (name, n) for n in range(len(side))]


def _match(base: Sequence[Cell], side: Sequence[Cell]) -> dict[int, int]:
    """Map places in `side` to places in `base`: by id, by equal text, by similar text."""
    found = match_ids(base, side)
    for match in (_by_equal_text, _by_similar_text):
        free_base = [n for n in range(len(base)) if n not in found.values()]
        free_side = [n for n in range(len(side)) if n not in found]
        pairs = match([base[n] for n in free_base], [side[n] for n in free_side])
        found |= {free_side[there]: free_base[here] for there, here in pairs.items()}
    return found


def match_ids(base: Sequence[Cell], side: Sequence[Cell]) -> dict[int, int]:
    """Map places in `side` to the places in `base` of the cells with the same ids."""
    here, there = _places(base), _places(side)
    return {there[cell_id]: here[cell_id] for cell_id in there if cell_id in here}


def _places(cells: Sequence[Cell]) -> dict[str, int]:
    """Map the ids that stand for one cell alone to its place."""
    counts = Counter(cell.get("id") for cell in cells)
    return {
        cell["id"]: place
        for place, cell in enumerate(cells)
        if cell.get("id") and counts[cell["id"]] == 1
    }


def _text(cell: Cell) -> tuple[str, str]:
    return cell["cell_type"], cell["source"]


def _by_equal_text(base: Sequence[Cell], side: Sequence[Cell]) -> dict[int, int]:
    here, there = [_text(cell) for cell in base], [_text(cell) for cell in side]
    found: dict[int, int] = {}
    for block in SequenceMatcher(None, here, there, autojunk=False).get_matching_blocks():
        found |= {block.b + n: block.a + n for n in range(block.size)}
    for place, text in enumerate(there):  # and those that were moved
        free = [n for n, other in enumerate(here) if other == text and n not in found.values()]
        if place not in found and free:
            found[place] = free[0]
    return found


def _by_similar_text(base: Sequence[Cell], side: Sequence[Cell]) -> dict[int, int]:
    ranked = sorted(
        (-_similarity(one, other), there, here)
        for there, other in enumerate(side)
        for here, one in enumerate(base)
    )
    found: dict[int, int] = {}
    for score, there, here in ranked:
        if -score >= _SIMILAR and there not in found and here not in found.values():
            found[there] = here
    return found


def _similarity(one: Cell, other: Cell) -> float:
    if one["cell_type"] != other["cell_type"]:
        return 0.0
    matcher = SequenceMatcher(None, one["source"], other["source"], autojunk=False)
    bounds = (matcher.real_quick_ratio, matcher.quick_ratio)  # dear only where it may be enough
    return matcher.ratio() if all(bound() >= _SIMILAR for bound in bounds) else 0.0


def moved_apart(ours: Sequence[Key], theirs: Sequence[Key]) -> bool:
    """Tell whether both sides have moved cells of the base, and not in the same way."""
    here, there = _shared_order(ours, theirs), _shared_order(theirs, ours)
    return here != there and _is_moved(here) and _is_moved(there)


def _shared_order(side: Sequence[Key], other: Sequence[Key]) -> list[Key]:
    """List the cells of the base that both sides have, as `side` has them."""
    return [key for key in side if key[0] == "base" and key in other]


def _is_moved(keys: Sequence[Key]) -> bool:
    return list(keys) != sorted(keys)


def merge_order(
    ours: Sequence[Key], theirs: Sequence[Key], kept: set[Key], *, prefer_theirs: bool = False
) -> list[Key]:
    """Put the cells that are kept in one order.

    The side that has moved cells of the base gives the order, `ours` if both have; cells that
    both have added at one place stand there one after the other, ours first.
    """
    only_theirs = _is_moved(_shared_order(theirs, ours)) and not _is_moved(
        _shared_order(ours, theirs)
    )
    lead, other = (theirs, ours) if prefer_theirs or only_theirs else (ours, theirs)
    order = [key for key in lead if key in kept]
    place = 0
    for key in other:
        if key in order:
            place = order.index(key) + 1
        elif key in kept:
            if lead is ours:
                place = _after_additions(order, place, other)
            order.insert(place, key)
            place += 1
    return order


def _after_additions(order: Sequence[Key], place: int, other: Sequence[Key]) -> int:
    """Go on past what ours has added at `place`."""
    while place < len(order) and order[place][0] == "ours" and order[place] not in other:
        place += 1
    return place
