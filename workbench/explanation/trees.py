"""scikit-learn's trees: single ones and boosted ones by our own TreeSHAP, forests by `shap`.

Boosted trees have few leaves, which `paths` does quickly, native categories and missing values
included. A forest's trees have thousands, for which `shap`'s compiled walk is the better one, and
even so a forest takes long: only so many rows are explained as take some seconds.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.errors import MissingExtraError
from workbench.explanation.frames import Rows
from workbench.explanation.paths import Tree, add_values
from workbench.explanation.ways import BLOCK, Answer, Way

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["tree_way"]

_AFFORDABLE_STEPS = 2e9
"""What `shap` does in about ten seconds: leaves times the square of the depth, for each row."""


def tree_way(model: Any) -> Way | None:
    """Explain a scikit-learn model made of trees; None for any other."""
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        ExtraTreesRegressor,
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        RandomForestClassifier,
        RandomForestRegressor,
    )
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if isinstance(model, (HistGradientBoostingClassifier, HistGradientBoostingRegressor)):
        return _own_way(_boosted_units(model), partial(_histogram, model))
    if isinstance(model, (GradientBoostingClassifier, GradientBoostingRegressor)):
        if not _constant_start(model):
            return None
        return _own_way(_boosted_units(model), partial(_boosted, model))
    units = "probability" if hasattr(model, "predict_proba") else "target units"
    forests = (
        *(RandomForestClassifier, RandomForestRegressor),
        *(ExtraTreesClassifier, ExtraTreesRegressor),
    )
    if _several_targets(model):
        return None
    if isinstance(model, (DecisionTreeClassifier, DecisionTreeRegressor)):
        return _own_way(units, partial(_single, model))
    if isinstance(model, forests):
        run = partial(_forest, model)
        affordable = _affordable(model)
        return Way("shap's TreeSHAP", "path-dependent", units, run, affordable=affordable)
    return None


def _own_way(units: str, run: Callable[[Rows], Answer]) -> Way:
    return Way("TreeSHAP, leaf by leaf", "path-dependent", units, run, block=BLOCK)


def _boosted_units(model: Any) -> str:
    if hasattr(model, "predict_proba"):
        plain = len(model.classes_) == 2 and model.loss == "log_loss"
        return "log-odds" if plain else "margin"
    return "log of the target" if model.loss in ("poisson", "gamma") else "target units"


def _histogram(model: Any, rows: Rows) -> Answer:
    import numpy as np

    given = rows.named(model)
    with_categories = model.is_categorical_ is not None
    numbers = model._preprocess_X(given, reset=False) if with_categories else rows.matrix()
    columns = np.ascontiguousarray(np.asarray(numbers, dtype=np.float64).T)
    outputs = model.n_trees_per_iteration_
    values = np.zeros((outputs, *columns.shape))
    base = np.array(model._baseline_prediction, dtype=np.float64).reshape(outputs)
    known = _known_categories(model)
    for stage in model._predictors:
        for output, predictor in enumerate(stage):
            tree = _histogram_tree(predictor.nodes)
            goes_left = _histogram_sides(predictor, columns, known)
            base[output] += add_values(tree, goes_left, values[output : output + 1])[0]
    values = values[:, _places(model), :] if with_categories else values
    return Answer(np.moveaxis(values, 1, 2), base, _margin(model, given))


def _places(model: Any) -> list[int]:
    """Say where each input column stands in the trees, which have those with categories first."""
    import numpy as np

    first = np.flatnonzero(model.is_categorical_)
    order = [*first.tolist(), *np.flatnonzero(~model.is_categorical_).tolist()]
    return [order.index(place) for place in range(len(order))]


def _histogram_tree(nodes: Any) -> Tree:
    import numpy as np

    leaf = nodes["is_leaf"] != 0
    return Tree(
        left=np.where(leaf, -1, nodes["left"].astype(np.intp)),
        right=np.where(leaf, -1, nodes["right"].astype(np.intp)),
        feature=nodes["feature_idx"].astype(np.intp),
        value=nodes["value"][:, None],
        cover=nodes["count"].astype(np.float64),
    )


def _histogram_sides(predictor: Any, columns: Floats, known: dict[int, Flags]) -> Flags:
    """Send each row to its side in each node, as the library's own prediction does."""
    import numpy as np

    nodes = predictor.nodes
    of_node = columns[nodes["feature_idx"]]
    sides: Flags = of_node <= nodes["num_threshold"][:, None]
    missing = np.isnan(of_node)
    for node in np.flatnonzero((nodes["is_categorical"] != 0) & (nodes["is_leaf"] == 0)):
        to_left = _bits(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
        inside = (of_node[node] >= 0) & (of_node[node] < len(to_left))
        code = np.where(inside, of_node[node], 0).astype(np.intp)
        # A category that wasn't there at fitting counts as missing.
        missing[node] = ~inside | ~(known[int(nodes["feature_idx"][node])] | to_left)[code]
        sides[node] = to_left[code]
    if missing.any():
        sides = np.where(missing, (nodes["missing_go_to_left"] != 0)[:, None], sides)
    return sides


def _known_categories(model: Any) -> dict[int, Flags]:
    """Give for each feature with categories which codes were there at fitting."""
    if model.is_categorical_ is None:
        return {}
    bitsets, places = model._bin_mapper.make_known_categories_bitsets()
    categorical = model._is_categorical_remapped.nonzero()[0]
    return {int(feature): _bits(bitsets[places[feature]]) for feature in categorical}


def _bits(words: Any) -> Flags:
    import numpy as np

    flags: Flags = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), bitorder="little") != 0
    return flags


def _boosted(model: Any, rows: Rows) -> Answer:
    import numpy as np

    given = rows.named(model)
    columns = _single_precision(rows)
    outputs = model.estimators_.shape[1]
    values = np.zeros((outputs, *columns.shape))
    base = np.array(model._raw_predict_init(columns.T[:1]), dtype=np.float64).reshape(outputs)
    for stage in model.estimators_:
        for output, estimator in enumerate(stage):
            tree = _plain_tree(estimator.tree_, model.learning_rate * estimator.tree_.value[:, 0])
            sides = _plain_sides(estimator.tree_, columns)
            base[output] += add_values(tree, sides, values[output : output + 1])[0]
    return Answer(np.moveaxis(values, 1, 2), base, _margin(model, given))


def _constant_start(model: Any) -> bool:
    """Tell whether boosting began at the same value for every row."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return model.init_ == "zero" or isinstance(model.init_, (DummyClassifier, DummyRegressor))


def _single(model: Any, rows: Rows) -> Answer:
    import numpy as np

    columns = _single_precision(rows)
    kept = _positive(model)
    tree = _plain_tree(model.tree_, model.tree_.value[:, 0, kept])
    values = np.zeros((tree.value.shape[1], *columns.shape))
    base = add_values(tree, _plain_sides(model.tree_, columns), values)
    return Answer(np.moveaxis(values, 1, 2), base, _probability(model, rows))


def _forest(model: Any, rows: Rows) -> Answer:
    import numpy as np

    if importlib.util.find_spec("shap") is None:
        raise MissingExtraError.of("shap", "explain")
    import shap

    explainer = shap.TreeExplainer(model)
    found = np.asarray(explainer.shap_values(rows.matrix(), check_additivity=False))
    base = np.atleast_1d(np.asarray(explainer.expected_value, dtype=np.float64))
    found = found[..., None] if found.ndim == 2 else found
    kept = _positive(model)
    return Answer(np.moveaxis(found, 2, 0)[kept], base[kept], _probability(model, rows))


def _affordable(model: Any) -> int:
    steps = sum(tree.tree_.n_leaves * (tree.tree_.max_depth + 1) ** 2 for tree in model.estimators_)
    return max(int(_AFFORDABLE_STEPS // max(steps, 1)), 50)


def _several_targets(model: Any) -> bool:
    return getattr(model, "n_outputs_", 1) > 1


def _positive(model: Any) -> slice:
    """Keep of two classes the second, whose probability says all."""
    return slice(1, 2) if len(getattr(model, "classes_", ())) == 2 else slice(None)


def _probability(model: Any, rows: Rows) -> Floats:
    import numpy as np

    given = rows.named(model)
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(given), dtype=np.float64).T[_positive(model)]
    return np.asarray(model.predict(given), dtype=np.float64)[None, :]


def _margin(model: Any, given: Any) -> Floats:
    """Ask a boosted model for what its trees sum up to; shape (outputs, rows)."""
    import numpy as np

    if hasattr(model, "decision_function"):
        said = np.asarray(model.decision_function(given), dtype=np.float64)
        return said[None, :] if said.ndim == 1 else said.T
    said = np.asarray(model.predict(given), dtype=np.float64)[None, :]
    return np.log(said) if model.loss in ("poisson", "gamma") else said


def _single_precision(rows: Rows) -> Any:
    """Round as scikit-learn's plain trees do before they compare; shape (features, rows)."""
    import numpy as np

    return np.ascontiguousarray(rows.matrix().astype(np.float32).T)


def _plain_tree(tree: Any, value: Floats) -> Tree:
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        value=value,
        cover=tree.weighted_n_node_samples,
    )


def _plain_sides(tree: Any, columns: Any) -> Flags:
    import numpy as np

    of_node = columns[tree.feature]  # a leaf's is -2, and nobody looks at it
    sides: Flags = of_node <= tree.threshold[:, None]
    missing = np.isnan(of_node)
    if missing.any():
        sides = np.where(missing, (tree.missing_go_to_left != 0)[:, None], sides)
    return sides
