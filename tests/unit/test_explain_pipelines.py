"""A pipeline's values are those of the columns that go into it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.svm import SVC
from xgboost import XGBClassifier

from tests.unit.test_explain import FRAME, NUMBERS, TARGETS, adds_up
from workbench.errors import UsageError
from workbench.explanation import explain

LAST: dict[str, Any] = {
    "linear": LogisticRegression(),
    "xgboost": XGBClassifier(n_estimators=5),
    "lightgbm": LGBMClassifier(n_estimators=5, verbose=-1),
    "catboost": CatBoostClassifier(iterations=5, verbose=False, allow_writing_files=False),
    "boosted": HistGradientBoostingClassifier(max_iter=5),
    "forest": RandomForestClassifier(10),
}


def prepare() -> ColumnTransformer:
    """Gaps filled and flagged, categories as flags, whole numbers in bins."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", numbers, ["height", "width"]),
            ("kinds", OneHotEncoder(handle_unknown="ignore"), ["kind"]),
            ("bins", KBinsDiscretizer(3), ["count"]),
        ]
    )


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("target", ["two", "three"])
def test_values_are_summed_to_the_input_columns(last: str, target: str) -> None:
    pipeline = make_pipeline(prepare(), LAST[last]).fit(FRAME, TARGETS[target])
    frame = pl.from_pandas(FRAME).select("count", "kind", "width", "height")
    found = explain(pipeline, frame)
    assert found.columns == ["count", "kind", "width", "height"]
    assert adds_up(found)
    assert found.flavor == ("interventional" if last == "linear" else "path-dependent")
    inside = explain(pipeline[-1], pipeline[:-1].transform(FRAME))
    # heights, widths, the flag of missing heights, three kinds, three bins
    parts = {"height": [0, 2], "width": [1], "kind": [3, 4, 5], "count": [6, 7, 8]}
    for name, places in parts.items():
        place = found.columns.index(name)
        expected = inside.array[:, :, places].sum(axis=2)
        np.testing.assert_allclose(found.array[:, :, place], expected, atol=1e-9)


def test_a_linear_pipeline_is_the_closed_form_on_its_columns() -> None:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(NUMBERS, TARGETS["two"])
    found = explain(pipeline, NUMBERS)
    slopes = pipeline[-1].coef_[0] / pipeline[0].scale_
    expected = (NUMBERS - NUMBERS.mean()).to_numpy() * slopes
    np.testing.assert_allclose(found.array[0], expected, atol=1e-12)
    later = explain(pipeline, NUMBERS[5:6], background=found)
    np.testing.assert_allclose(later.array[0, 0], found.array[0, 5], atol=1e-12)


@pytest.mark.parametrize(
    "steps",
    [
        [SelectKBest(k=2)],
        [FeatureUnion([("one", StandardScaler()), ("two", MinMaxScaler())])],
        [FunctionTransformer(lambda rows: np.asarray(rows) * 2)],
        ["passthrough", PolynomialFeatures(1, include_bias=False)],
        [make_column_transformer((StandardScaler(), make_column_selector()), remainder="drop")],
        [make_column_transformer((StandardScaler(), ["width"]), remainder="passthrough")],
        [make_column_transformer((StandardScaler(), slice(0, 2)), ("drop", [2]))],
        [ColumnTransformer([("a", MinMaxScaler(), [True, False, True])])],
    ],
    ids=["select", "union", "function", "passthrough", "selector", "remainder", "slice", "flags"],
)
def test_steps_whose_columns_can_be_told(steps: list[Any]) -> None:
    pipeline = make_pipeline(*steps, LogisticRegression()).fit(NUMBERS, TARGETS["two"])
    found = explain(pipeline, NUMBERS)
    assert (found.flavor, found.notes) == ("interventional", ())
    moved = NUMBERS.assign(height=NUMBERS["height"].to_numpy()[::-1])
    other = explain(pipeline, moved, background=found)
    same = [found.columns.index(name) for name in ("count", "width")]
    np.testing.assert_allclose(found.array[:, :, same], other.array[:, :, same], atol=1e-12)


@pytest.mark.parametrize("step", [PCA(2), PolynomialFeatures(2)], ids=["pca", "products"])
def test_a_step_that_mixes_columns_makes_it_an_approximation_that_says_so(step: Any) -> None:
    pipeline = make_pipeline(StandardScaler(), step, LogisticRegression())
    found = explain(pipeline.fit(NUMBERS, TARGETS["two"]), NUMBERS, rows=10)
    assert found.flavor == "approximation"
    assert found.notes[0].startswith(f"{type(step).__name__} mixes columns")
    assert found.error is not None
    assert adds_up(found)


def test_a_pipeline_that_ends_in_another_estimator_is_walked_with_its_texts() -> None:
    pipeline = make_pipeline(prepare(), SVC()).fit(FRAME, TARGETS["two"])
    found = explain(pipeline, pl.from_pandas(FRAME), rows=4)
    assert (found.flavor, found.columns) == ("approximation", list(FRAME.columns))
    assert adds_up(found)


def test_a_pipeline_within_a_pipeline() -> None:
    inner = Pipeline([("prepare", prepare()), ("scale", StandardScaler())])
    pipeline = Pipeline([("inner", inner), ("model", XGBClassifier(n_estimators=5))])
    found = explain(pipeline.fit(FRAME, TARGETS["two"]), pl.from_pandas(FRAME))
    assert found.notes == ()
    assert found.importance["kind"] > 0


def test_a_pipeline_fitted_on_polars() -> None:
    frame = pl.from_pandas(FRAME).with_columns(pl.col("kind").cast(pl.String))
    pipeline = make_pipeline(prepare(), LogisticRegression()).fit(frame, TARGETS["two"])
    found = explain(pipeline, frame)
    by_pandas = explain(pipeline, frame.to_pandas())
    np.testing.assert_allclose(found.array, by_pandas.array, atol=1e-12)


def test_a_pipeline_without_a_model_is_refused() -> None:
    pipeline = make_pipeline(StandardScaler(), "passthrough").fit(NUMBERS)
    with pytest.raises(UsageError, match="ends without a model"):
        explain(pipeline, NUMBERS)


def test_odd_names_stay_apart() -> None:
    names = ["a_x", "a", "<b>$x$", "0"]
    frame = pd.DataFrame({name: NUMBERS["width"] * (i + 1) for i, name in enumerate(names)})
    frame["a"] = pd.Categorical(["x", "y", "x_y"] * 100)
    encode = make_column_transformer((OneHotEncoder(), ["a"]), remainder="passthrough")
    pipeline = make_pipeline(encode, LogisticRegression()).fit(frame, TARGETS["two"])
    found = explain(pipeline, frame)
    assert found.columns == names
    html = found._repr_html_()
    assert "<b>$x$" not in html
    assert "&lt;b&gt;$x$" in html
    assert found.summary().png.startswith(b"\x89PNG")
    classes = np.array(["<i>", "a}", "$"], dtype=object)[TARGETS["three"]]
    renamed = frame.set_axis(["_row", "a", "_class", "0"], axis=1)
    several = explain(clone(pipeline).fit(renamed, classes), renamed)
    assert several.values.columns[:2] == ["__row", "__class"]
    assert several.summary().figure.renderers
    assert "<i>" not in several._repr_html_()
    assert found.local(0).figure is not None
