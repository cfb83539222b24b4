"""SHAP values add up to what the model said, and agree with the `shap` package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shap
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from xgboost import XGBClassifier

from workbench.errors import DataError, UsageError
from workbench.explain import shap_summary
from workbench.explain.shap_values import _CONTRIBUTIONS
from workbench.tracking import positive_probability
from workbench.tracking.flavors import flavor_of

DATA = load_breast_cancer()
NAMES = list(DATA.feature_names)
MODELS: dict[str, Any] = {
    "xgboost": XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1),
    "lightgbm": LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1),
    "catboost": CatBoostClassifier(
        iterations=20, depth=3, thread_count=1, verbose=False, allow_writing_files=False
    ),
    "sklearn": HistGradientBoostingClassifier(max_iter=20),
}


@pytest.fixture(scope="module", params=MODELS)
def fitted(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """A fitted model of each library."""
    return request.param, MODELS[request.param].fit(DATA.data, DATA.target)


def test_values_add_up_and_agree_with_shap(fitted: tuple[str, Any]) -> None:
    library, model = fitted
    rows = DATA.data[:100]
    summary = shap_summary(model, rows, NAMES)
    assert flavor_of(model) == library
    assert summary.rows == 100
    assert summary.additivity_error < 1e-3
    assert set(summary.importance) == set(NAMES)
    assert list(summary.importance.values()) == sorted(summary.importance.values(), reverse=True)
    values = shap.TreeExplainer(model)(rows, check_additivity=False).values
    expected = np.abs(values).mean(axis=0)
    found = [summary.importance[name] for name in NAMES]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_values_that_miss_the_models_word_are_refused(
    fitted: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    library, model = fitted
    true = _CONTRIBUTIONS[library]
    monkeypatch.setitem(_CONTRIBUTIONS, library, lambda m, rows: true(m, rows) + 0.01)
    with pytest.raises(DataError, match="not additive"):
        shap_summary(model, DATA.data[:10], NAMES)


def test_a_model_of_another_kind_is_refused() -> None:
    class Mine:
        """No library's."""

    with pytest.raises(UsageError, match="expected one of: xgboost"):
        shap_summary(Mine(), DATA.data[:10], NAMES)


def test_the_probability_is_that_of_the_positive_class() -> None:
    model = DummyClassifier(strategy="constant", constant=1).fit(DATA.data, DATA.target)
    np.testing.assert_array_equal(positive_probability(model, DATA.data[:3]), [1.0, 1.0, 1.0])
