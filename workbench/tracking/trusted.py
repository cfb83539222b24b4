"""What a scikit-learn model's file may hold without anyone having to say so.

skops builds objects without running code that the file brings along, and refuses every type it
doesn't know. It knows scikit-learn's own estimators, but not what some of them are made of, nor the
boosters that stand at the end of a pipeline. Those that are safe to rebuild are named here.

Trees need a second look: their nodes point at each other and at features by number, and
scikit-learn's compiled code follows without asking whether the number is one of them. So they are
rebuilt, and then checked before anything predicts with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.errors import DataError

__all__ = ["TRUSTED_TYPES", "check_trees"]

TRUSTED_TYPES: tuple[str, ...] = (
    # Trees of numbers, which `check_trees` goes through once they are loaded.
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    # The boosters' own classes: their state is the library's own model format, read by the same
    # code that reads it from a file of its own, and parameters.
    "catboost.core.CatBoost",
    "catboost.core.CatBoostClassifier",
    "catboost.core.CatBoostRanker",
    "catboost.core.CatBoostRegressor",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRanker",
    "lightgbm.sklearn.LGBMRegressor",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRFClassifier",
    "xgboost.sklearn.XGBRFRegressor",
    "xgboost.sklearn.XGBRanker",
    "xgboost.sklearn.XGBRegressor",
    # Plain Python of scikit-learn's, in which attributes are all there is.
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.gaussian_process.kernels.Sum",
    "sklearn.gaussian_process.kernels.WhiteKernel",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._split.GroupKFold",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.ShuffleSplit",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.model_selection._split.StratifiedShuffleSplit",
    "sklearn.model_selection._split.TimeSeriesSplit",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
    # Functions that only compute on the arrays they are given, and one of these with some of its
    # arguments: skops rebuilds nothing but a plain partial, of a function that is trusted itself.
    "functools.partial",
    "numpy.mean",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_regression",
    "sklearn.utils.validation.check_array",
    # Data.
    "collections.OrderedDict",
    "numpy.dtype",
)
"""Types beside skops's own. Left out on purpose: nearest-neighbour trees and splines, whose
compiled code follows numbers of the file like the trees' does, and which nothing here checks."""


def check_trees(model: Any, what: str) -> None:
    """Refuse a model whose trees point outside of themselves or of the features they are given.

    Raises
    ------
    DataError
        If one does: predicting with it would read memory that isn't the model's.
    """
    from sklearn.ensemble import BaseEnsemble

    for owner in _parts(model):
        name = type(owner).__name__
        if hasattr(owner, "_predictors"):
            sound = _sound_histogram(owner)
        elif hasattr(owner, "tree_"):
            sound = _sound_tree(owner)
        elif isinstance(owner, BaseEnsemble) and hasattr(owner, "estimators_"):
            sound = _sound_ensemble(owner)
        else:
            continue
        if not sound:
            raise DataError(f"{what}: a tree of its {name} points outside of itself: not loaded")


def _parts(model: Any) -> Iterator[Any]:
    """Walk through all that a model is made of; each object once."""
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, (str, bytes, int, float, bool, type(None))):
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, (list, tuple, set)):
            waiting += part
        elif getattr(getattr(part, "dtype", None), "hasobject", False):
            waiting += part.ravel().tolist()
        elif hasattr(part, "__dict__"):
            yield part
            waiting += vars(part).values()


def _sound_tree(owner: Any) -> bool:
    tree = owner.tree_
    if tree.n_features != getattr(owner, "n_features_in_", None):
        return False
    inner = tree.children_left != -1
    features = tree.feature[inner]
    return (
        _forward(tree.children_left, inner)
        and _forward(tree.children_right, inner)
        and bool(((features >= 0) & (features < tree.n_features)).all())
    )


def _forward(children: Any, inner: Any) -> bool:
    """Tell whether each inner node's child is a later node: none is outside, none comes again."""
    import numpy as np

    nodes = np.flatnonzero(inner)
    return bool(((children[inner] > nodes) & (children[inner] < len(children))).all())


def _sound_ensemble(owner: Any) -> bool:
    """Tell whether an ensemble's trees expect what it hands on to them, which some don't check."""
    members = _flat(owner.estimators_)
    subsets = getattr(owner, "estimators_features_", None)
    expected = (
        [owner.n_features_in_] * len(members) if subsets is None else [len(s) for s in subsets]
    )
    if len(expected) != len(members):
        return False
    # Gradient boosting keeps a row of trees a stage, and each writes a column of its own.
    stages: tuple[int, ...] = getattr(owner.estimators_, "shape", ())
    if len(stages) == 2 and stages[1] != owner.n_trees_per_iteration_:
        return False
    return all(
        member.tree_.n_features == count
        for member, count in zip(members, expected, strict=True)
        if hasattr(member, "tree_")
    )


def _flat(members: Any) -> list[Any]:
    return members.ravel().tolist() if hasattr(members, "ravel") else list(members)


def _sound_histogram(owner: Any) -> bool:
    import numpy as np

    categorical = owner.is_categorical_
    allowed = np.zeros(owner.n_features_in_, dtype=bool) if categorical is None else categorical
    return len(allowed) == owner.n_features_in_ and all(
        _sound_predictor(predictor, np.asarray(allowed, dtype=bool))
        for stage in owner._predictors
        for predictor in stage
    )


def _sound_predictor(predictor: Any, categorical: Any) -> bool:
    import numpy as np

    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    features = nodes["feature_idx"][inner].astype(np.int64)
    if not (
        len(nodes)
        and _forward(nodes["left"].astype(np.int64), inner)
        and _forward(nodes["right"].astype(np.int64), inner)
        and ((features >= 0) & (features < len(categorical))).all()
    ):
        return False
    split = nodes["is_categorical"][inner] != 0
    return bool(
        categorical[features[split]].all()
        and (nodes["bitset_idx"][inner][split] < len(predictor.raw_left_cat_bitsets)).all()
        and predictor.raw_left_cat_bitsets.shape[1:] == (8,)
    )
