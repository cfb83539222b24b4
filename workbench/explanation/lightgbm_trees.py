"""LightGBM's trees, read from the model's own text, for TreeSHAP on many rows at once.

LightGBM's own walk takes every row through every tree by itself; from some hundred rows on, looking
values up by pattern is many times faster, and gives the same ones but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.explanation.paths import Tree, add_values

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["MANY", "Trees", "read_trees", "values_of"]

MANY = 500
"""From so many rows on our way is the faster one."""

_ZERO = 1e-35
"""What LightGBM takes for zero."""

_ZERO_IS_MISSING = 1


@dataclass(frozen=True)
class _Splits:
    """A tree, and how its nodes send rows; each array has shape (nodes,)."""

    tree: Tree
    threshold: Floats
    missing: npt.NDArray[np.int_]
    default_left: Flags


@dataclass(frozen=True)
class Trees:
    """A model's trees, those of one iteration after each other, one for each output."""

    outputs: int
    splits: list[_Splits]


def read_trees(booster: Any) -> Trees | None:
    """Read a booster's trees, up to the iteration that it predicts with.

    None if its values are more than a sum of such trees give: with categories, linear leaves, or
    the mean of a forest's trees.
    """
    head, *texts = booster.model_to_string().partition("end of trees")[0].split("\nTree=")
    facts = dict(line.split("=", 1) for line in head.splitlines() if "=" in line)
    if "average_output" in head.splitlines():
        return None
    described = [_fields(text) for text in texts]
    if any(fields["num_cat"] != "0" or fields.get("is_linear", "0") != "0" for fields in described):
        return None
    return Trees(int(facts["num_tree_per_iteration"]), [_splits(fields) for fields in described])


def values_of(trees: Trees, matrix: Floats) -> tuple[Floats, Floats]:
    """Give SHAP values, shape (outputs, rows, features), and base values, shape (outputs,)."""
    import numpy as np

    columns = np.ascontiguousarray(matrix.T)
    values = np.zeros((trees.outputs, *columns.shape))
    base = np.zeros(trees.outputs)
    for number, splits in enumerate(trees.splits):
        output = number % trees.outputs
        sides = _sides(splits, columns)
        base[output] += add_values(splits.tree, sides, values[output : output + 1])[0]
    return np.moveaxis(values, 1, 2), base


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _splits(fields: dict[str, str]) -> _Splits:
    """Number the inner nodes first, then the leaves, which stand as ~leaf among the children."""
    import numpy as np

    leaves = int(fields["num_leaves"])
    inner = leaves - 1

    def read(name: str, fill: float, *, of_leaves: str = "") -> Floats:
        own = fields.get(name, "").split() if inner else []
        after = fields.get(of_leaves, "1").split() if of_leaves else [fill] * leaves
        return np.array([*own, *after], dtype=np.float64)

    def children(name: str) -> Any:
        found = read(name, 0).astype(np.intp)[:inner]
        return np.concatenate([np.where(found < 0, inner + ~found, found), np.full(leaves, -1)])

    kinds = read("decision_type", 0).astype(np.int_)
    tree = Tree(
        left=children("left_child"),
        right=children("right_child"),
        feature=read("split_feature", 0).astype(np.intp),
        value=read("internal_value", 0, of_leaves="leaf_value")[:, None],
        cover=read("internal_count", 0, of_leaves="leaf_count"),
    )
    return _Splits(tree, read("threshold", 0), (kinds >> 2) & 3, (kinds & 2) != 0)


def _sides(splits: _Splits, columns: Floats) -> Flags:
    """Send rows as LightGBM does, which takes NaN for zero where a node knows no missing values."""
    import numpy as np

    of_node = columns[splits.tree.feature]
    unknown = np.isnan(of_node)
    sides: Flags = of_node <= splits.threshold[:, None]
    if unknown.any():
        aside = np.where(splits.missing == 0, splits.threshold >= 0, splits.default_left)
        sides = np.where(unknown, aside[:, None], sides)
    zero = splits.missing == _ZERO_IS_MISSING
    if zero.any():
        missing = zero[:, None] & (unknown | (np.abs(of_node) <= _ZERO))
        sides = np.where(missing, splits.default_left[:, None], sides)
    return sides
