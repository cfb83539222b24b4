"""Exact SHAP values of a tree, path-dependent, for all rows at once.

A row's way through a tree matters to a leaf only by which of the features on the leaf's path let
the row pass. With D features on the path a row is one of 2^D patterns, so the values are worked out
once for each pattern and looked up for each row.

For a leaf of value v, let o be 1 where a feature lets the row pass and z the share of the training
rows that it lets pass. The game of TreeSHAP (Lundberg et al., 2020, algorithm 1) pays v times the
product of o over the features that are known and of z over the others, whose Shapley value is

    v (o_i - z_i) ∫₀¹ ∏_{j≠i} (t o_j + (1 - t) z_j) dt

(Owen's multilinear extension, 1972). The integrand is a polynomial of degree D - 1, which
Gauss-Legendre quadrature on ⌈D / 2⌉ points integrates without error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.intp]
    Flags = npt.NDArray[np.bool_]

__all__ = ["Tree", "add_values"]

_TABLE = 12
"""Up to so many features on a path a table holds all patterns; else those that rows have."""

_BITS = 62
"""How many features a pattern can hold in one whole number."""


@dataclass(frozen=True)
class Tree:
    """A tree by its nodes, of which the first is the root: each array has shape (nodes,).

    `left` and `right` are the children's numbers, -1 in a leaf; `value` has shape (nodes, outputs),
    `cover` is how many training rows reached the node.
    """

    left: Whole
    right: Whole
    feature: Whole
    value: Floats
    cover: Floats


@dataclass(frozen=True)
class _Leaf:
    """What a leaf has to know: its path's features, their shares, and each row's pattern."""

    value: Floats
    features: list[int]
    shares: list[float]
    pattern: Whole


def add_values(tree: Tree, goes_left: Flags, values: Floats) -> Floats:
    """Add a tree's SHAP values to `values`; return its means over the training rows, by output.

    Parameters
    ----------
    goes_left
        Shape (nodes, rows): whether a row that comes to the node goes to its left.
    values
        Shape (outputs, features, rows).
    """
    import numpy as np

    outputs, _, rows = values.shape
    mean = np.zeros(outputs)
    taken = np.empty(rows)
    for leaf in _leaves(tree, goes_left):
        mean += leaf.value * np.prod(leaf.shares)
        table, pattern = _table(leaf)
        for output in range(outputs):
            of_output = leaf.value[output] * table
            for place, feature in enumerate(leaf.features):
                np.take(of_output[place], pattern, out=taken, mode="clip")
                values[output, feature] += taken
    return mean


def _leaves(tree: Tree, goes_left: Flags) -> Iterator[_Leaf]:
    """Walk down all paths; a pattern has bit k set where the path's feature k lets the row pass."""
    import numpy as np

    rows = goes_left.shape[1]
    empty: dict[int, int] = {}
    waiting: list[tuple[int, dict[int, int], list[float], Any]] = [
        (0, empty, [], np.zeros(rows, dtype=np.intp))
    ]
    while waiting:
        node, places, shares, pattern = waiting.pop()
        if tree.left[node] < 0:
            yield _Leaf(tree.value[node], list(places), shares, pattern)
            continue
        feature = int(tree.feature[node])
        place = places.get(feature, len(places))
        onward = {**places, feature: place}
        for child, passes in (
            (tree.left[node], goes_left[node]),
            (tree.right[node], ~goes_left[node]),
        ):
            share = float(tree.cover[child] / tree.cover[node])
            if feature in places:
                less = shares.copy()
                less[place] *= share
                kept = pattern & np.where(passes, -1, ~(1 << place))
                waiting.append((int(child), onward, less, kept))
            else:
                more = pattern | (passes.astype(np.intp) << place)
                waiting.append((int(child), onward, [*shares, share], more))


def _table(leaf: _Leaf) -> tuple[Floats, Whole]:
    """Work out what a value of one gives by pattern, and each row's place in that.

    The table has shape (features, patterns).
    """
    import numpy as np

    count = len(leaf.features)
    if count <= _TABLE:
        return _values(_all_patterns(count), leaf), leaf.pattern
    found, places = np.unique(leaf.pattern, return_inverse=True)
    passes = (found[None, :] >> np.arange(count)[:, None]) & 1
    return _values(passes.astype(np.float64), leaf), places


@lru_cache(maxsize=_TABLE + 1)
def _all_patterns(count: int) -> Any:
    import numpy as np

    patterns = (np.arange(1 << count)[None, :] >> np.arange(count)[:, None]) & 1
    return patterns.astype(np.float64)


@lru_cache(maxsize=_BITS)
def _quadrature(count: int) -> Any:
    """Points and weights on [0, 1] that integrate a polynomial of degree `count` - 1 exactly."""
    import numpy as np

    points, weights = np.polynomial.legendre.leggauss((count + 1) // 2)
    return (points + 1) / 2, weights / 2


def _values(passes: Floats, leaf: _Leaf) -> Floats:
    """Integrate for all patterns; `passes` has shape (features, patterns)."""
    import numpy as np

    if not leaf.features:
        return passes
    shares = np.array(leaf.shares)[:, None]
    total = np.zeros_like(passes)
    for point, weight in zip(*_quadrature(len(leaf.features)), strict=True):
        factors = point * passes + (1 - point) * shares
        total += weight * factors.prod(axis=0) / factors
    found: Floats = (passes - shares) * total
    return found
