"""SHAP values add up to what the model said, and agree with the libraries' own and with `shap`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import shap
from catboost import CatBoostClassifier, CatBoostRanker, CatBoostRegressor, Pool
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import DMatrix, XGBClassifier, XGBRanker, XGBRegressor

from workbench.errors import DataError, NotFoundError, UsageError
from workbench.explanation import Explanation, boosters, explain, shap_summary
from workbench.explanation.paths import Tree, add_values
from workbench.tracking import positive_probability
from workbench.tracking.libraries import flavor_of

CANCER = load_breast_cancer()
NAMES = list(CANCER.feature_names)
CAT: dict[str, Any] = {
    "iterations": 20,
    "depth": 3,
    "thread_count": 1,
    "verbose": False,
    "allow_writing_files": False,
}
MODELS: dict[str, Any] = {
    "xgboost": XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1),
    "lightgbm": LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1),
    "catboost": CatBoostClassifier(**CAT),
    "sklearn": HistGradientBoostingClassifier(max_iter=20),
}


def table(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Numbers, whole numbers, categories, and gaps in the first."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "height": random.normal(size=rows),
            "kind": pd.Categorical(random.choice(["x", "y", "z"], rows)),
            "count": random.integers(0, 5, rows),
            "width": random.normal(size=rows),
        }
    )
    frame.loc[::7, "height"] = np.nan
    return frame


def targets(frame: pd.DataFrame) -> dict[str, Any]:
    high = (frame["height"].fillna(0) > 0) ^ (frame["kind"] == "x")
    return {
        "two": high.to_numpy().astype(int),
        "three": (high.astype(int) + (frame["count"] > 2)).to_numpy(),
        "number": (frame["width"] * 3 + frame["count"] + high + 100).to_numpy(),
    }


FRAME = table()
TARGETS = targets(FRAME)
NUMBERS = FRAME[["height", "count", "width"]].fillna(0.0)


@pytest.fixture(scope="module", params=MODELS)
def fitted(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """A fitted model of each library."""
    return request.param, MODELS[request.param].fit(CANCER.data, CANCER.target)


def own_values(model: Any, rows: Any) -> Any:
    """The library's own call: values and base, as it gives them."""
    library = flavor_of(model)
    if library == "xgboost":
        return model.get_booster().predict(DMatrix(rows), pred_contribs=True)
    if library == "lightgbm":
        return model.booster_.predict(rows, pred_contrib=True)
    if library == "catboost":
        return model.get_feature_importance(Pool(rows), type="ShapValues")
    explainer = shap.TreeExplainer(model)
    values = explainer.shap_values(rows, check_additivity=False)
    return np.column_stack([values, np.full(len(rows), explainer.expected_value)])


def adds_up(found: Explanation) -> bool:
    sums = found.array.sum(axis=2) + found.base[:, None]
    return bool(np.abs(sums - found.said).max() <= found.tolerance)


def test_values_are_the_librarys_own_cell_by_cell(fitted: tuple[str, Any]) -> None:
    _, model = fitted
    rows = CANCER.data[:100]
    found = explain(model, pl.DataFrame(rows, schema=NAMES), columns=NAMES)
    expected = own_values(model, rows)
    np.testing.assert_allclose(found.array[0], expected[:, :-1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.base[0], expected[0, -1], rtol=1e-5)
    by_shap = shap.TreeExplainer(model)(rows, check_additivity=False).values
    np.testing.assert_allclose(found.array[0], by_shap, rtol=1e-4, atol=1e-5)
    log_odds = np.log(positive_probability(model, rows) / (1 - positive_probability(model, rows)))
    np.testing.assert_allclose(found.outputs["output"], log_odds, atol=1e-4)
    assert (found.flavor, found.units) == ("path-dependent", "log-odds")
    assert (found.positive, found.sampled, found.error) == ("1", None, None)
    assert found.values.columns == NAMES


def test_a_summary_is_of_the_same_values(fitted: tuple[str, Any]) -> None:
    library, model = fitted
    rows = CANCER.data[:100]
    summary = shap_summary(model, rows, NAMES)
    assert flavor_of(model) == library
    assert summary.rows == 100
    assert summary.additivity_error < 1e-3
    assert set(summary.importance) == set(NAMES)
    assert list(summary.importance.values()) == sorted(summary.importance.values(), reverse=True)
    expected = np.abs(own_values(model, rows)[:, :-1]).mean(axis=0)
    found = [summary.importance[name] for name in NAMES]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_values_that_miss_the_models_word_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODELS["xgboost"].fit(CANCER.data, CANCER.target)
    true = boosters._split
    monkeypatch.setattr(boosters, "_split", lambda found, said: true(found, said + 0.01))
    with pytest.raises(DataError, match=r"XGBClassifier: values by .* miss .* not additive"):
        explain(model, CANCER.data[:10])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"boosting_type": "dart"},
        {"num_leaves": 200, "min_child_samples": 1},
        {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        {"num_leaves": 2, "min_child_samples": 299},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
@pytest.mark.parametrize("target", ["two", "three", "number"])
def test_many_rows_of_lightgbm_get_its_own_values(options: dict[str, Any], target: str) -> None:
    """Its way with missing values and zeros included."""
    rows = np.tile(FRAME[["height", "count", "width"]].to_numpy(), (2, 1))
    wanted = np.tile(TARGETS[target], 2)
    kind = LGBMRegressor if target == "number" else LGBMClassifier
    model = kind(n_estimators=10, verbose=-1, n_jobs=1, **options).fit(rows, wanted)
    rows[::7, 1] = np.nan
    rows[::11, 2] = 0.0
    rows[0, 0] = 1e-36
    found = explain(model, rows)
    own = model.booster_.predict(rows, pred_contrib=True)
    own = own.reshape(len(rows), len(found.labels), 4).transpose(1, 0, 2)
    np.testing.assert_allclose(found.array, own[..., :-1], atol=1e-12)
    np.testing.assert_allclose(found.base, own[:, 0, -1], atol=1e-12)


FAMILY: dict[str, Any] = {
    "xgboost": (XGBClassifier, XGBRegressor, {"n_estimators": 8, "enable_categorical": True}),
    "lightgbm": (LGBMClassifier, LGBMRegressor, {"n_estimators": 8, "verbose": -1, "n_jobs": 1}),
    "catboost": (CatBoostClassifier, CatBoostRegressor, {**CAT, "cat_features": ["kind"]}),
    "sklearn": (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        {"max_iter": 8, "categorical_features": "from_dtype"},
    ),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("library", FAMILY)
def test_categories_gaps_and_classes(library: str, target: str) -> None:
    """Columns come in any order and with others, categories as texts or as such."""
    classifier, regressor, options = FAMILY[library]
    model = (regressor if target == "number" else classifier)(**options)
    model.fit(FRAME, TARGETS[target])
    mixed = pl.from_pandas(FRAME).select(
        "width", pl.lit(1).alias("more"), "kind", "count", "height"
    )
    found = explain(model, mixed)
    texts = explain(model, mixed.with_columns(pl.col("kind").cast(pl.String)))
    few = explain(model, FRAME[20:60])
    assert found.columns == ["width", "kind", "count", "height"]
    np.testing.assert_array_equal(found.array, texts.array)
    back = [few.columns.index(name) for name in found.columns]
    np.testing.assert_allclose(found.array[:, 20:60], few.array[:, :, back], atol=1e-12)
    assert found.importance["kind"] > 0 or target == "number"
    assert found.labels == (("0", "1", "2") if target == "three" else ("output",))
    if target == "three":
        assert found.values.height == 3 * len(FRAME)
        of_two = found.values.filter(pl.col("_class") == "2").drop("_row", "_class")
        assert of_two.equals(found.of(2))
        np.testing.assert_allclose(found.outputs["2"], found.said[2])


def test_unknown_categories_go_where_scikit_learn_sends_them() -> None:
    model = HistGradientBoostingClassifier(max_iter=8, categorical_features="from_dtype")
    model.fit(FRAME, TARGETS["two"])
    other = FRAME.assign(kind=pd.Categorical(["new", None] * 150))
    assert explain(model, pl.from_pandas(other)).additivity_error < 1e-12


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(15, random_state=0),
        RandomForestRegressor(15, random_state=0),
        ExtraTreesClassifier(15, random_state=0),
        GradientBoostingClassifier(n_estimators=15),
        GradientBoostingRegressor(n_estimators=15),
        DecisionTreeClassifier(max_depth=6),
        DecisionTreeRegressor(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_scikit_learns_trees_agree_with_shap(model: Any) -> None:
    target = TARGETS["number" if hasattr(model, "criterion") and _regressor(model) else "two"]
    model.fit(NUMBERS.to_numpy(), target)
    rows = NUMBERS.to_numpy()[:60]
    found = explain(model, rows)
    expected = np.asarray(shap.TreeExplainer(model).shap_values(rows))
    expected = expected[..., 1] if expected.ndim == 3 else expected
    np.testing.assert_allclose(found.array[0], expected, atol=1e-10)
    units = "target units" if _regressor(model) else "probability"
    boosted = isinstance(model, GradientBoostingClassifier)
    assert found.units == ("log-odds" if boosted else units)


def _regressor(model: Any) -> bool:
    return "Regressor" in type(model).__name__


def test_three_classes_of_forests_and_boosted_trees() -> None:
    for model in (RandomForestClassifier(10), GradientBoostingClassifier(n_estimators=5)):
        found = explain(model.fit(NUMBERS, TARGETS["three"]), pl.from_pandas(NUMBERS))
        assert found.labels == ("0", "1", "2")
        assert adds_up(found)


def test_a_big_forest_is_sampled_and_says_so() -> None:
    forest = RandomForestRegressor(60, random_state=0, n_jobs=1)
    random = np.random.default_rng(0)
    rows = random.normal(size=(3000, 4))
    forest.fit(rows, random.normal(size=3000))
    found = explain(forest, rows)
    assert found.sampled == f"{len(found.data):,} of 3,000 rows"
    assert 50 <= len(found.data) < 3000
    assert found.places is not None
    one = explain(forest, rows, rows=[found.places[3]])
    np.testing.assert_allclose(one.array[0, 0], found.array[0, 3], atol=1e-12)
    outside = next(row for row in range(3000) if row not in found.places)
    with pytest.raises(UsageError, match=f"row {outside} wasn't sampled"):
        found.local(outside)


def test_linear_models_are_a_closed_form_beside_the_background() -> None:
    model = LogisticRegression().fit(NUMBERS, TARGETS["two"])
    frame = pl.from_pandas(NUMBERS)
    found = explain(model, frame[:50], background=frame)
    expected = (NUMBERS[:50].to_numpy() - NUMBERS.to_numpy().mean(axis=0)) * model.coef_[0]
    np.testing.assert_allclose(found.array[0], expected, atol=1e-12)
    by_shap = shap.LinearExplainer(model, shap.maskers.Independent(NUMBERS, max_samples=300))
    np.testing.assert_allclose(found.array[0], by_shap.shap_values(NUMBERS[:50]), atol=1e-9)
    assert (found.flavor, found.units) == ("interventional", "log-odds")
    later = explain(model, frame[7], background=found)
    np.testing.assert_array_equal(later.array[0, 0], found.array[0, 7])
    with pytest.raises(UsageError, match="one row alone would be compared with itself"):
        explain(model, frame[7])


def test_a_log_link_is_explained_in_logs() -> None:
    model = PoissonRegressor().fit(NUMBERS, TARGETS["number"])
    found = explain(model, pl.from_pandas(NUMBERS))
    assert found.units == "log of the target"
    np.testing.assert_allclose(np.exp(found.outputs["output"]), model.predict(NUMBERS))


def test_rankers_are_explained_in_margins() -> None:
    groups = [30] * 10
    ranked = TARGETS["three"]
    numbers = NUMBERS.to_numpy()
    models = (
        XGBRanker(n_estimators=5).fit(numbers, ranked, group=groups),
        LGBMRanker(n_estimators=5, verbose=-1).fit(numbers, ranked, group=groups),
        CatBoostRanker(**CAT).fit(numbers, ranked, group_id=np.repeat(np.arange(10), 30)),
    )
    for model in models:
        assert explain(model, numbers).units == "ranking margin"


def test_an_approximation_states_its_error_and_converges_to_the_exact_values() -> None:
    """A linear model without its coefficients is a black box whose values are known."""

    class Box:
        def predict(self, rows: Any) -> Any:
            return np.asarray(rows) @ np.array([2.0, -1.0, 0.5])

    exact = LinearRegression().fit(NUMBERS, NUMBERS.to_numpy() @ np.array([2.0, -1.0, 0.5]))
    frame = pl.from_pandas(NUMBERS)
    found = explain(Box(), frame)
    assert (found.flavor, found.sampled) == ("approximation", "100 of 300 rows")
    assert found.background is not None
    assert found.background.rows is not None
    expected = explain(exact, found.data, background=found.background.rows)
    np.testing.assert_allclose(found.array, expected.array, atol=1e-9)
    assert found.error is not None
    assert 0 < found.error < 1


def test_an_approximation_comes_near_the_exact_values_of_trees() -> None:
    model = GradientBoostingRegressor(n_estimators=20, random_state=0)
    rows = NUMBERS.to_numpy()
    model.fit(rows, TARGETS["number"])

    class Box:
        predict = staticmethod(model.predict)

    found = explain(Box(), rows, rows=40, background=rows[:50])
    exact = shap.TreeExplainer(model, data=rows[:50], feature_perturbation="interventional")
    expected = exact.shap_values(rows[list(found.places or ())])
    assert found.errors is not None
    apart = np.abs(found.array[0] - expected) / np.maximum(found.errors[0], 1e-9)
    assert (apart < 3).mean() > 0.95, "within three standard errors"


@pytest.mark.parametrize("model", [SVC(), KNeighborsRegressor()], ids=["svc", "neighbours"])
def test_other_estimators_take_part(model: Any) -> None:
    model.fit(NUMBERS, TARGETS["three"])
    found = explain(model, pl.from_pandas(NUMBERS), rows=5)
    assert adds_up(found)
    assert len(found.data) == 5
    by_pandas = explain(model, NUMBERS, rows=5)
    np.testing.assert_allclose(found.array, by_pandas.array)


def test_a_search_is_its_best_model() -> None:
    search = GridSearchCV(DecisionTreeRegressor(), {"max_depth": [2, 3]}, cv=2)
    search.fit(NUMBERS, TARGETS["number"])
    assert explain(search, NUMBERS).model == "DecisionTreeRegressor"


def test_a_model_whose_own_values_dont_serve_is_explained_by_approximation() -> None:
    numbers = NUMBERS.to_numpy()
    model = LGBMRegressor(n_estimators=5, verbose=-1, linear_tree=True)
    model.fit(numbers, TARGETS["number"])
    with pytest.raises(DataError, match="not implemented for linear trees"):
        explain(model, numbers)
    found = explain(model, numbers, rows=5, approximate=True)
    assert found.flavor == "approximation"
    assert adds_up(found)


@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingClassifier(),
        LogisticRegression(),
        XGBClassifier(),
        LGBMClassifier(),
        CatBoostClassifier(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_model_that_isnt_fitted_is_refused(model: Any) -> None:
    with pytest.raises(UsageError, match=f"the {type(model).__name__} isn't fitted"):
        explain(model, NUMBERS)


def test_categories_that_are_numbers() -> None:
    """Codes in a matrix, which have no values behind them, and values of a frame's categories."""
    codes, wanted = NUMBERS.to_numpy(), TARGETS["three"]
    options = {"n_estimators": 5, "enable_categorical": True}
    by_code = XGBClassifier(**options, feature_types=["q", "c", "q"]).fit(codes, wanted)
    frame = NUMBERS.assign(count=pd.Categorical(NUMBERS["count"]))
    by_value = XGBClassifier(**options).fit(frame, wanted)
    few = pl.from_pandas(NUMBERS).filter(pl.col("count") > 1)
    one, other = explain(by_code, few, columns=few.columns), explain(by_value, few)
    np.testing.assert_allclose(one.array, other.array, atol=1e-6)
    trees = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1)
    one = explain(trees.fit(codes, wanted, categorical_feature=[1]), few.to_numpy())
    other = explain(trees.fit(frame, wanted), few)
    np.testing.assert_allclose(one.array, other.array, atol=1e-9)


def test_many_rows_are_worked_on_in_blocks() -> None:
    model = HistGradientBoostingRegressor(max_iter=3).fit(NUMBERS, TARGETS["number"])
    many = pl.concat([pl.from_pandas(NUMBERS)] * 60)
    found = explain(model, many.lazy())
    assert found.array.shape == (1, 18_000, 3)
    np.testing.assert_array_equal(found.array[:, -300:], found.array[:, :300])


class Unknown:
    """No library's, and nothing to ask."""


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (pl.from_pandas(NUMBERS).rename({"width": "widht"}), NotFoundError, "did you mean widht"),
        (pl.from_pandas(NUMBERS).drop("width", "count"), NotFoundError, r"'count' \(and 1 more\)"),
        (pl.from_pandas(NUMBERS).with_columns(width=pl.lit("a")), UsageError, "width is String"),
        (pl.from_pandas(NUMBERS).clear(), UsageError, "no rows"),
        (NUMBERS.to_numpy()[:, :2], UsageError, "3 columns; the matrix has 2"),
        ("rows", UsageError, "expected a polars or pandas frame"),
    ],
)
def test_rows_that_dont_fit_are_refused(frame: Any, error: type[Exception], message: str) -> None:
    model = HistGradientBoostingClassifier(max_iter=2).fit(NUMBERS, TARGETS["two"])
    with pytest.raises(error, match=message):
        explain(model, frame)


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="none of predict_proba, decision_function, predict"):
        explain(Unknown(), NUMBERS)
    with pytest.raises(UsageError, match="expected one of: xgboost"):
        shap_summary(Unknown(), CANCER.data[:10], NAMES)


def test_the_probability_is_that_of_the_positive_class() -> None:
    model = DummyClassifier(strategy="constant", constant=1).fit(CANCER.data, CANCER.target)
    np.testing.assert_array_equal(positive_probability(model, CANCER.data[:3]), [1.0, 1.0, 1.0])


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    library=st.sampled_from([*FAMILY, "tree", "linear"]),
    target=st.sampled_from(["two", "three", "number"]),
    size=st.integers(1, 25),
)
def test_values_always_add_up(seed: int, library: str, target: str, size: int) -> None:
    frame = table(60, seed)
    wanted = targets(frame)[target]
    if len(np.unique(wanted)) < {"two": 2, "three": 3}.get(target, 1):
        return
    if library in FAMILY:
        kinds, options = FAMILY[library][:2], FAMILY[library][2]
    else:
        frame = frame[["height", "count", "width"]].fillna(0.0)
        trees, lines = (
            (DecisionTreeClassifier, DecisionTreeRegressor),
            (
                LogisticRegression,
                LinearRegression,
            ),
        )
        kinds, options = (trees if library == "tree" else lines), {}
    model = kinds[target == "number"](**options).fit(frame, wanted)
    found = explain(model, pl.from_pandas(frame[:size]), background=frame)
    assert adds_up(found)
    assert found.additivity_error <= found.tolerance


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), depth=st.integers(1, 7))
def test_a_tree_is_the_shapley_value_of_its_game(seed: int, depth: int) -> None:
    """By the definition: all subsets of the features, each known or left to the training rows."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(80, 4))
    model = DecisionTreeRegressor(max_depth=depth, random_state=0).fit(rows, random.normal(size=80))
    tree = model.tree_
    made = Tree(
        tree.children_left, tree.children_right, tree.feature, tree.value[:, 0], tree.n_node_samples
    )
    row = rows[:1].astype(np.float32)
    sides = row.T[tree.feature] <= tree.threshold[:, None]
    values = np.zeros((1, 4, 1))
    mean = add_values(made, sides, values)

    def game(known: frozenset[int], node: int = 0) -> float:
        left, right = tree.children_left[node], tree.children_right[node]
        if left < 0:
            return float(tree.value[node, 0, 0])
        if tree.feature[node] in known:
            return game(known, left if sides[node, 0] else right)
        counts = tree.n_node_samples
        both = counts[left] * game(known, left) + counts[right] * game(known, right)
        return float(both / counts[node])

    np.testing.assert_allclose(mean[0], game(frozenset()), atol=1e-12)
    np.testing.assert_allclose(values[0, :, 0], _shapley(game, 4), atol=1e-10)


def _shapley(game: Any, players: int) -> list[float]:
    from itertools import combinations
    from math import comb

    found = []
    for player in range(players):
        others = [one for one in range(players) if one != player]
        found.append(
            sum(
                (game(frozenset({*some, player})) - game(frozenset(some)))
                / (players * comb(players - 1, size))
                for size in range(players)
                for some in combinations(others, size)
            )
        )
    return found


def test_long_paths_through_many_columns() -> None:
    """More columns on a path than a table of patterns holds."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 30))
    model = HistGradientBoostingRegressor(
        max_iter=1, max_leaf_nodes=None, min_samples_leaf=1, max_depth=25
    ).fit(rows, np.cumprod(1 + np.abs(rows), axis=1)[:, -1])
    found = explain(model, rows)
    expected = shap.TreeExplainer(model).shap_values(rows, check_additivity=False)
    np.testing.assert_allclose(found.array[0], expected, atol=1e-9 * np.abs(expected).max())


_FRESH = """
import json, sys
import numpy as np, polars as pl
from sklearn.svm import SVC
from lightgbm import Booster
from workbench.explanation import explain
frame = pl.read_parquet(sys.argv[1])
box = SVC().fit(frame.to_numpy(), (frame["width"] > 0).to_numpy())
tree = explain(Booster(model_file=sys.argv[2]), frame, columns=frame.columns)
walk = explain(box, frame, rows=3)
print(json.dumps([tree.array.tolist(), walk.array.tolist()]))
"""


def test_another_process_says_the_same(tmp_path: Path) -> None:
    frame = pl.from_pandas(NUMBERS)
    frame.write_parquet(tmp_path / "rows.parquet")
    model = LGBMClassifier(n_estimators=20, verbose=-1).fit(NUMBERS.to_numpy(), TARGETS["two"])
    model.booster_.save_model(tmp_path / "model.lgb")
    box = SVC().fit(NUMBERS.to_numpy(), NUMBERS["width"] > 0)
    command = [sys.executable, "-c", _FRESH, tmp_path / "rows.parquet", tmp_path / "model.lgb"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    trees, walks = json.loads(done.stdout)
    np.testing.assert_array_equal(explain(model, frame, columns=frame.columns).array, trees)
    np.testing.assert_array_equal(explain(box, frame, rows=3).array, walks)


def test_a_row_is_explained_alike_whatever_is_beside_it() -> None:
    box = SVC().fit(NUMBERS, TARGETS["two"])
    frame = pl.from_pandas(NUMBERS)
    first = explain(box, frame, rows=[3, 50, 7])
    alone = explain(box, frame[50], background=first)
    np.testing.assert_array_equal(alone.array[:, 0], first.array[:, 1])
