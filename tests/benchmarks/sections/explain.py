"""Explaining 10,000 rows of 30 columns by a model of 200 trees: `workbench.explain`, from a polars
frame to checked values, beside the library's own call on the matrix that it takes, which checks
nothing, and for scikit-learn `shap.TreeExplainer`. Both in turns in one warm process, best of
several, on all cores; values of the two agree, or there is no figure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl

from tests.benchmarks.figures import Figure
from workbench.explanation import explain

_ROWS, _COLUMNS, _TREES, _TIMES = 10_000, 30, 200, 3


def figures() -> Iterator[Figure]:
    """Explain with each library, ours and its own, in turns."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(_ROWS, _COLUMNS))
    signal = matrix[:, 0] + matrix[:, 1] * matrix[:, 2] + np.sin(matrix[:, 3:6]).sum(axis=1)
    label = (signal + random.normal(size=_ROWS) > 0).astype(int)
    frame = pl.DataFrame(matrix, schema=[f"column_{place}" for place in range(_COLUMNS)])
    for case, (model, own) in _cases().items():
        model.fit(matrix, label)
        ours, peer = _in_turns(lambda m=model: explain(m, frame), lambda o=own: o(matrix))
        yield Figure("explain", case, ours, "s", peer)


def _cases() -> dict[str, tuple[Any, Callable[[Any], Any]]]:
    import catboost
    import lightgbm
    import shap
    import xgboost
    from sklearn.ensemble import HistGradientBoostingClassifier

    xgb = xgboost.XGBClassifier(n_estimators=_TREES)
    lgb = lightgbm.LGBMClassifier(n_estimators=_TREES, verbose=-1)
    cat = catboost.CatBoostClassifier(
        iterations=_TREES, verbose=False, allow_writing_files=False, random_seed=0
    )
    hist = HistGradientBoostingClassifier(max_iter=_TREES, early_stopping=False)
    return {
        "xgboost": (
            xgb,
            lambda rows: xgb.get_booster().predict(xgboost.DMatrix(rows), pred_contribs=True),
        ),
        "lightgbm": (lgb, lambda rows: lgb.booster_.predict(rows, pred_contrib=True)),
        "catboost": (
            cat,
            lambda rows: cat.get_feature_importance(catboost.Pool(rows), type="ShapValues"),
        ),
        "hist_gradient_boosting": (hist, lambda rows: _shap(shap.TreeExplainer(hist), rows)),
    }


def _shap(explainer: Any, rows: Any) -> Any:
    values = explainer.shap_values(rows)
    return np.column_stack([values, np.full(len(rows), explainer.expected_value)])


def _in_turns(ours: Callable[[], Any], peer: Callable[[], Any]) -> tuple[float, float]:
    """Time both; the first of each warms up, and shows that they say the same."""
    found, other = ours(), np.asarray(peer())[:, :-1]
    np.testing.assert_allclose(found.array[0], other, rtol=1e-3, atol=1e-4)
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(_TIMES):
        for call, seconds in zip((ours, peer), taken, strict=True):
            began = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - began)
    return min(taken[0]), min(taken[1])
