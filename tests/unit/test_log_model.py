"""Models of four libraries, logged and loaded again on a real store: same answers, same guards."""

from __future__ import annotations

import datetime as dt
import os
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.projects import ready_project
from workbench.errors import DataError, NotFoundError, UsageError
from workbench.project import Project
from workbench.tracking.flavors import load_model, log_model, positive_probability
from workbench.tracking.integrity import DIGEST, folder_digest
from workbench.tracking.lifecycle import create_run
from workbench.tracking.requirements import requirements
from workbench.tracking.signatures import take_example
from workbench.tracking.store import client
from workbench.tracking.trusted import check_trees

QUIET = {"verbose": False, "allow_writing_files": False, "thread_count": 1, "iterations": 5}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return ready_project(tmp_path_factory.mktemp("models") / "project")


@pytest.fixture(autouse=True)
def _in_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)


@pytest.fixture
def run_id(project: Project) -> Iterator[str]:
    """A run that is active while the test logs."""
    import mlflow

    made = create_run(project, "models", tags={}, params={"seed": 1})
    mlflow.set_tracking_uri(project.tracking_uri)
    with mlflow.start_run(run_id=made):
        yield made


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """200 rows of two numbers, a text that says as much as the first of them, and labels."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(200, 2)), columns=["signal", "noise"])
    frame["place"] = np.where(frame["signal"] > 0, "up", "down")
    frame["late"] = (frame["signal"] + 0.3 * random.normal(size=200) > 0).astype(int)
    frame["delay"] = 10 * frame["signal"] + random.normal(size=200)
    frame["kind"] = np.select([frame["signal"] < -0.5, frame["signal"] < 0.5], ["a", "b"], "c")
    return frame


NUMBERS = ["signal", "noise"]


def _xgb(name: str, **options: Any) -> Any:
    import xgboost

    return getattr(xgboost, name)(n_estimators=5, n_jobs=1, **options)


def _lgb(name: str) -> Any:
    import lightgbm

    return getattr(lightgbm, name)(n_estimators=5, n_jobs=1, verbose=-1)


def _cat(name: str, **options: Any) -> Any:
    import catboost

    made = getattr(catboost, name)
    chosen = {**QUIET, **options}
    return made(chosen) if name == "CatBoost" else made(**chosen)


def _pipeline(last: Any) -> Any:
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["place"]),
        ]
    )
    return make_pipeline(columns, last)


def _xgb_booster(frame: pd.DataFrame) -> Any:
    import xgboost

    table = xgboost.DMatrix(frame[NUMBERS], frame["late"])
    return xgboost.train({"objective": "binary:logistic", "nthread": 1}, table, 5)


def _lgb_booster(frame: pd.DataFrame) -> Any:
    import lightgbm

    options = {"objective": "binary", "num_threads": 1, "verbose": -1}
    return lightgbm.train(options, lightgbm.Dataset(frame[NUMBERS], frame["late"]), 5)


def _fit(make: Callable[[], Any], label: str, *columns: str) -> Callable[[pd.DataFrame], Any]:
    wanted = list(columns or NUMBERS)
    return lambda frame: make().fit(frame[wanted], frame[label])


MODELS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "xgb binary": _fit(lambda: _xgb("XGBClassifier"), "late"),
    "xgb regressor": _fit(lambda: _xgb("XGBRegressor"), "delay"),
    "xgb forest": _fit(lambda: _xgb("XGBRFClassifier"), "late"),
    "xgb booster": _xgb_booster,
    "lgb booster": _lgb_booster,
    "cat binary": _fit(lambda: _cat("CatBoostClassifier"), "late"),
    "cat three": _fit(lambda: _cat("CatBoostClassifier", loss_function="MultiClass"), "kind"),
    "cat regressor": _fit(lambda: _cat("CatBoostRegressor"), "delay"),
    "cat plain": _fit(lambda: _cat("CatBoost", loss_function="RMSE"), "delay"),
    "sk linear": _fit(LogisticRegression, "late"),
    "sk three": _fit(LogisticRegression, "kind"),
    "sk ridge": _fit(Ridge, "delay"),
    "sk hist": _fit(lambda: HistGradientBoostingClassifier(max_iter=5), "late"),
    "sk hist regressor": _fit(lambda: HistGradientBoostingRegressor(max_iter=5), "delay"),
    "sk forest": _fit(lambda: RandomForestClassifier(5), "late"),
    "sk boosting": _fit(lambda: GradientBoostingClassifier(n_estimators=5), "kind"),
    "sk bagging": _fit(lambda: BaggingClassifier(max_features=0.5), "late"),
    "pipe linear": _fit(lambda: _pipeline(LogisticRegression()), "late", *NUMBERS, "place"),
    "pipe xgb": _fit(lambda: _pipeline(_xgb("XGBClassifier")), "late", *NUMBERS, "place"),
    "pipe lgb": _fit(lambda: _pipeline(_lgb("LGBMClassifier")), "late", *NUMBERS, "place"),
    "pipe cat": _fit(lambda: _pipeline(_cat("CatBoostRegressor")), "delay", *NUMBERS, "place"),
}


def _predict(model: Any, frame: pd.DataFrame) -> Any:
    if type(model).__module__ == "xgboost.core":
        import xgboost

        return model.predict(xgboost.DMatrix(frame))
    if hasattr(model, "predict_proba"):
        return model.predict_proba(frame)
    return model.predict(frame)


@pytest.mark.parametrize(
    ("library", "kind"),
    [("pandas", kind) for kind in MODELS]
    + [("polars", kind) for kind in MODELS if kind.startswith("pipe")],
)
def test_a_model_answers_as_it_did_before(
    project: Project, rows: pd.DataFrame, run_id: str, library: str, kind: str
) -> None:
    import mlflow

    model = MODELS[kind](rows)
    columns = [*NUMBERS, "place"] if kind.startswith("pipe") else NUMBERS
    frame = rows[columns]
    example = pl.from_pandas(frame) if library == "polars" else frame
    uri = log_model(model, example=example, project=project)
    loaded = load_model(project, uri)
    assert loaded.columns == columns
    np.testing.assert_array_equal(_predict(loaded.model, frame), _predict(model, frame))
    # MLflow's own loader reads the same, and gives what the signature says that it gives.
    generic = mlflow.pyfunc.load_model(uri)
    answer = np.asarray(generic.predict(frame))
    said = generic.metadata.signature.outputs
    if said.is_tensor_spec():
        assert said.inputs[0].shape == (-1, *answer.shape[1:])
        assert said.inputs[0].type == answer.dtype
    else:
        assert said.input_types()[0].name == "string"


@pytest.mark.parametrize("label", ["late", "kind", "delay"])
def test_lightgbm_is_stored_as_its_booster(
    project: Project, rows: pd.DataFrame, run_id: str, label: str
) -> None:
    kind = "LGBMRegressor" if label == "delay" else "LGBMClassifier"
    model = _lgb(kind).fit(rows[NUMBERS], rows[label])
    loaded = load_model(project, log_model(model, example=rows[NUMBERS], project=project))
    answer = loaded.model.predict(rows[NUMBERS])
    if label == "delay":
        np.testing.assert_allclose(answer, model.predict(rows[NUMBERS]))
        assert loaded.classes is None
    else:
        expected = model.predict_proba(rows[NUMBERS])
        np.testing.assert_allclose(answer, expected[:, 1] if label == "late" else expected)
        assert loaded.classes == sorted(rows[label].unique())


def test_categories_survive(project: Project, rows: pd.DataFrame, run_id: str) -> None:
    frame = rows[NUMBERS].assign(place=rows["place"].astype("category"))
    for model in (
        _xgb("XGBClassifier", enable_categorical=True),
        _lgb("LGBMClassifier"),
        HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype"),
    ):
        model.fit(frame, rows["late"])
        loaded = load_model(project, log_model(model, example=frame, project=project))
        expected = model.predict_proba(frame)
        found = loaded.model
        answer = (
            found.predict_proba(frame) if hasattr(found, "predict_proba") else found.predict(frame)
        )
        np.testing.assert_allclose(answer, expected if answer.ndim == 2 else expected[:, 1])


def test_the_store_has_all_of_a_model(project: Project, rows: pd.DataFrame, run_id: str) -> None:
    mlflow = client(project)
    mlflow.log_metric(run_id, "roc_auc", 0.7)
    model = MODELS["xgb binary"](rows)
    uri = log_model(model, "flights", example=rows[NUMBERS], project=project)
    run = mlflow.get_run(run_id)
    [output] = run.outputs.model_outputs
    assert uri == f"models:/{output.model_id}"
    logged = mlflow.get_logged_model(output.model_id)
    assert (logged.name, str(logged.status), logged.source_run_id) == ("flights", "READY", run_id)
    assert logged.params == {"seed": "1"}
    assert [(one.key, one.value) for one in logged.metrics] == [("roc_auc", 0.7)]
    assert logged.tags["workbench.model_format"] == "native"
    folder = Path(logged.artifact_location.removeprefix("file://"))
    assert {path.name for path in folder.iterdir()} == {
        "MLmodel",
        "conda.yaml",
        "model.ubj",
        "python_env.yaml",
        "recorded_rows.parquet",
        "requirements.txt",
    }
    assert logged.tags["workbench.digest"] == folder_digest(folder)
    pinned = (folder / "requirements.txt").read_text().split()
    assert {line.partition("==")[0] for line in pinned} == {
        "mlflow",
        "numpy",
        "pandas",
        "scikit-learn",
        "xgboost",
    }
    assert all("==" in line for line in pinned)


def test_a_run_is_found_or_made(project: Project, rows: pd.DataFrame) -> None:
    import mlflow

    model = MODELS["sk linear"](rows)
    try:
        uri = log_model(model, example=rows[NUMBERS])
        made = mlflow.active_run().info.run_id
    finally:
        mlflow.end_run()
    assert client(project).get_logged_model(uri.removeprefix("models:/")).source_run_id == made
    other = create_run(project, "other", tags={}, params={})
    again = log_model(model, example=rows[NUMBERS], run_id=other)
    assert mlflow.active_run() is None
    assert client(project).get_logged_model(again.removeprefix("models:/")).source_run_id == other


def test_what_is_wrong_with_a_call_is_said(
    project: Project, rows: pd.DataFrame, run_id: str
) -> None:
    model = LogisticRegression().fit(rows[NUMBERS].to_numpy(), rows["late"])
    with pytest.raises(UsageError, match="give example="):
        log_model(model, project=project)
    with pytest.raises(UsageError, match="a model of builtins; expected one of: xgboost"):
        log_model({}, example=rows[NUMBERS], project=project)
    with pytest.raises(UsageError, match="has no column height"):
        log_model(model, example=rows, columns=["height"], project=project)
    with pytest.raises(UsageError, match="2 columns, but 1 names"):
        log_model(model, example=rows[NUMBERS].to_numpy(), columns=["one"], project=project)
    with pytest.raises(UsageError, match=r"example: a builtins\.str"):
        log_model(model, example="rows.csv", project=project)
    with pytest.raises(DataError, match="can't predict on it"):
        log_model(model, example=rows, project=project)
    with pytest.raises(UsageError, match="log_model"):
        log_model(model, "no/name", example=rows[NUMBERS], project=project)
    with pytest.raises(NotFoundError, match="can't be loaded"):
        load_model(project, "models:/m-00000000000000000000000000000000")
    assert not client(project).get_run(run_id).outputs.model_outputs


def test_matrices_and_columns(project: Project, rows: pd.DataFrame, run_id: str) -> None:
    matrix = rows[NUMBERS].to_numpy()
    model = LogisticRegression().fit(matrix, rows["late"])
    unnamed = load_model(project, log_model(model, example=matrix, project=project))
    assert unnamed.columns == []
    for uri in (
        log_model(model, columns=NUMBERS, project=project),
        log_model(model, example=matrix, columns=NUMBERS, project=project),
    ):
        loaded = load_model(project, uri)
        assert loaded.columns == NUMBERS
        np.testing.assert_array_equal(
            positive_probability(loaded.model, matrix), model.predict_proba(matrix)[:, 1]
        )


def test_probabilities_of_two_classes_only(rows: pd.DataFrame) -> None:
    matrix = rows[NUMBERS].to_numpy()
    for kind in ("xgb binary", "xgb booster", "lgb booster", "cat binary", "sk linear", "sk hist"):
        answer = positive_probability(MODELS[kind](rows), matrix)
        assert answer.shape == (200,)
        assert answer[rows["late"] == 1].mean() > answer[rows["late"] == 0].mean()
    plain = _cat("CatBoost", loss_function="Logloss").fit(rows[NUMBERS], rows["late"])
    assert positive_probability(plain, matrix).max() <= 1
    with pytest.raises(DataError, match="tells 3 classes apart, not two"):
        positive_probability(MODELS["sk three"](rows), matrix)
    with pytest.raises(DataError, match="Ridge gives no probabilities"):
        positive_probability(MODELS["sk ridge"](rows), matrix)


# Signatures

EVERYTHING = pl.DataFrame(
    {
        "small": pl.Series([1, 2], dtype=pl.Int16),
        "long": [1, 2],
        "gap": [1, None],
        "huge": pl.Series([1, 2], dtype=pl.UInt64),
        "real": [0.5, 1.5],
        "single": pl.Series([0.5, 1.5], dtype=pl.Float32),
        "nan": [0.5, float("nan")],
        "hole": [0.5, None],
        "flag": [True, False],
        "maybe": [True, None],
        "text": ["a", "b"],
        "texts": ["a", None],
        "category": pl.Series(["a", "b"], dtype=pl.Categorical),
        "enum": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
        "day": [dt.date(2024, 1, 1), dt.date(2024, 1, 2)],
        "time": [dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None],
        "money": [Decimal("1.50"), Decimal("2.25")],
        "raw": [b"a", b"b"],
        "nothing": pl.Series([None, None], dtype=pl.Null),
        "vector": pl.Series([[0.5], [1.5]], dtype=pl.List(pl.Float64)),
    }
)
EXPECTED = {
    "small": ("integer", True),
    "long": ("long", True),
    "gap": ("double", False),
    "huge": ("double", True),
    "real": ("double", True),
    "single": ("float", True),
    "nan": ("double", False),
    "hole": ("double", False),
    "flag": ("boolean", True),
    "maybe": ("boolean", False),
    "text": ("string", True),
    "texts": ("string", False),
    "category": ("string", True),
    "enum": ("string", True),
    "day": ("datetime", True),
    "time": ("datetime", False),
    "money": ("double", True),
    "raw": ("binary", True),
    "nothing": ("double", False),
    "vector": ("Array(double)", True),
}


def _said(frame: Any) -> dict[str, tuple[str, bool]]:
    columns = take_example(frame).inputs.inputs
    return {
        column.name: (getattr(column.type, "name", None) or repr(column.type), column.required)
        for column in columns
    }


def test_every_type_of_polars_has_its_word() -> None:
    assert _said(EVERYTHING) == EXPECTED


def test_pandas_says_the_same_as_polars() -> None:
    shared = EVERYTHING.drop("vector")  # NumPy arrays in an object column: of any length
    by_arrow = shared.to_pandas(use_pyarrow_extension_array=True)
    expected = {name: EXPECTED[name] for name in shared.columns}
    assert _said(by_arrow) == expected
    # Without Arrow's types pandas has a missing boolean as an object, and no days of their own.
    assert _said(shared.to_pandas()) == expected
    nullable = pd.DataFrame({"gap": pd.array([1, None], dtype="Int64"), "maybe": [True, None]})
    assert _said(nullable) == {"gap": ("double", False), "maybe": ("boolean", False)}
    codes = pd.DataFrame({"code": pd.Categorical([3, 4]), 7: [1.0, 2.0]})
    assert _said(codes) == {"code": ("long", True), "7": ("double", True)}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        # Arrow, by which polars makes pandas frames, takes no NUL in a name.
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
        st.sampled_from(
            [
                [1, 2, 3],
                [1, None, 3],
                [0.5, None, 2.0],
                [True, False, True],
                ["x", None, "ü"],
                [dt.datetime(2024, 1, 1), None, dt.datetime(2024, 1, 3)],  # noqa: DTZ001
            ]
        ),
        min_size=1,
        max_size=6,
    )
)
def test_both_libraries_give_one_signature(content: dict[str, list[Any]]) -> None:
    frame = pl.DataFrame(content)
    assert _said(frame) == _said(frame.to_pandas()) == _said(frame.head(3))


def test_types_without_a_word_are_named() -> None:
    with pytest.raises(DataError, match=r"column took is Duration.*give it as a number"):
        take_example(pl.DataFrame({"took": [dt.timedelta(hours=1)]}))
    with pytest.raises(DataError, match="column mixed mixes types"):
        take_example(pd.DataFrame({"mixed": [1, "a"]}))
    with pytest.raises(DataError, match="give it as a frame"):
        take_example(np.array([["a", "b"]]))


def test_own_tables_give_their_names(rows: pd.DataFrame) -> None:
    import catboost
    import lightgbm
    import scipy.sparse
    import xgboost

    for table in (
        xgboost.DMatrix(rows[NUMBERS]),
        lightgbm.Dataset(rows[NUMBERS]).construct(),
        catboost.Pool(rows[NUMBERS]),
    ):
        assert take_example(table).inputs.input_names() == NUMBERS
    sparse = take_example(scipy.sparse.csr_matrix(np.eye(3)))
    assert sparse.inputs.is_tensor_spec()
    assert sparse.rows.shape == (3, 3)


def test_a_pipeline_needs_what_its_parts_come_from() -> None:
    import catboost

    model = make_pipeline(StandardScaler(), catboost.CatBoostClassifier(verbose=False))
    names = {line.partition("==")[0] for line in requirements("sklearn", model)}
    assert {"catboost", "mlflow", "scikit-learn", "skops"} <= names


# What is refused


class Doubler(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer of the project's own."""

    def fit(self, X: Any, y: Any = None) -> Doubler:
        return self

    def transform(self, X: Any) -> Any:
        return 2 * np.asarray(X)


def _with(project: Project, **settings: Any) -> Project:
    return Project(project.root, project.settings.model_copy(update=settings))


def test_own_types_are_trusted_or_pickled_by_the_settings(
    project: Project, rows: pd.DataFrame, run_id: str
) -> None:
    model = make_pipeline(Doubler(), LogisticRegression()).fit(rows[NUMBERS], rows["late"])
    own = f"{Doubler.__module__}.Doubler"
    with pytest.raises(DataError, match=f"{own}.*trusted_types.*trust_pickle = true"):
        log_model(model, example=rows[NUMBERS], project=project)
    trusting = _with(project, trusted_types=[own])
    uri = log_model(model, example=rows[NUMBERS], project=trusting)
    assert (
        client(project)
        .get_logged_model(uri.removeprefix("models:/"))
        .tags["workbench.model_format"]
        == "skops"
    )
    load_model(trusting, uri)
    with pytest.raises(DataError, match=f"{own}.*add them to trusted_types"):
        load_model(project, uri)
    pickling = _with(project, trust_pickle=True)
    uri = log_model(model, example=rows[NUMBERS], project=pickling)
    assert client(project).get_run(run_id).data.tags["workbench.model_format"] == "pickle"
    assert (
        client(project)
        .get_logged_model(uri.removeprefix("models:/"))
        .tags["workbench.model_format"]
        == "pickle"
    )
    np.testing.assert_array_equal(
        load_model(pickling, uri).model.predict(rows[NUMBERS]), model.predict(rows[NUMBERS])
    )
    with pytest.raises(DataError, match=r"running code of its own.*trust_pickle = true"):
        load_model(project, uri)


def test_own_kinds_of_boosters_have_no_format(
    project: Project, rows: pd.DataFrame, run_id: str
) -> None:
    from catboost import CatBoostClassifier
    from xgboost import XGBClassifier

    class Mine(XGBClassifier):  # type: ignore[misc]
        pass

    class Cats(CatBoostClassifier):  # type: ignore[misc]
        pass

    for model in (Mine(n_estimators=2), Cats(**QUIET)):
        model.fit(rows[NUMBERS], rows["late"])
        with pytest.raises(DataError, match="no format but a pickle"):
            log_model(model, example=rows[NUMBERS], project=project)
    uri = log_model(model, example=rows[NUMBERS], project=_with(project, trust_pickle=True))
    assert uri.startswith("models:/")


def _forge(project: Project, uri: str) -> None:
    """Write the digest of changed files as well, as somebody could who has the whole store."""
    digest = {DIGEST: folder_digest(_folder(project, uri))}
    client(project).set_logged_model_tags(uri.removeprefix("models:/"), digest)


def _folder(project: Project, uri: str) -> Path:
    logged = client(project).get_logged_model(uri.removeprefix("models:/"))
    return Path(logged.artifact_location.removeprefix("file://"))


@pytest.mark.parametrize(
    ("kind", "flavor", "lie"),
    [
        ("xgb binary", "xgboost", {"model_class": "os.mkdir"}),
        ("xgb binary", "xgboost", {"model_class": "xgboost.sklearn.XGBModel.__init__"}),
        ("xgb binary", "xgboost", {"code": "code"}),
        ("xgb binary", "xgboost", {"data": "../../../workbench.toml"}),
        ("xgb binary", "xgboost", {"data": None}),
        ("xgb regressor", "xgboost", {"data": "requirements.txt"}),
        ("lgb booster", "lightgbm", {"model_class": "lightgbm.sklearn.LGBMClassifier"}),
        ("lgb booster", "lightgbm", {"data": "conda.yaml"}),
        ("cat regressor", "catboost", {"model_type": "Pool"}),
        ("cat regressor", "catboost", {"save_format": "python"}),
        ("cat binary", "catboost", {"data": "/etc/passwd"}),
        ("sk linear", "sklearn", {"serialization_format": "pickle"}),
        ("sk linear", "sklearn", {"serialization_format": "skops", "code": "code"}),
        ("sk linear", "sklearn", {"pickled_model": "../other/model.skops"}),
    ],
)
def test_a_file_that_lies_is_not_believed(
    project: Project, rows: pd.DataFrame, run_id: str, kind: str, flavor: str, lie: dict[str, Any]
) -> None:
    uri = log_model(MODELS[kind](rows), example=rows[NUMBERS], project=project)
    file = _folder(project, uri) / "MLmodel"
    content = yaml.safe_load(file.read_text())
    content["flavors"][flavor].update(lie)
    file.write_text(yaml.safe_dump(content))
    _forge(project, uri)
    with pytest.raises(DataError, match=uri):
        load_model(project, uri)


def test_a_pickle_in_skops_clothes_is_not_opened(
    project: Project, rows: pd.DataFrame, run_id: str, tmp_path: Path
) -> None:
    import pickle

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    uri = log_model(MODELS["sk linear"](rows), example=rows[NUMBERS], project=project)
    (_folder(project, uri) / "model.skops").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match="its files were changed after it was logged"):
        load_model(project, uri)
    _forge(project, uri)
    for settings_of in (project, _with(project, trust_pickle=True)):
        with pytest.raises(DataError, match="can't be read as a sklearn model"):
            load_model(settings_of, uri)
    assert not (tmp_path / "exploded").exists()


def _forest_that(change: Callable[[Any], None]) -> Any:
    random = np.random.default_rng(0)
    values = random.normal(size=(60, 3))
    model = RandomForestClassifier(3, random_state=0).fit(values, values[:, 0] > 0)
    change(model)
    return model


def _tree_state(model: Any, field: str, value: int) -> None:
    tree = model.estimators_[1].tree_
    state = tree.__getstate__()
    nodes = state["nodes"].copy()
    nodes[field][0] = value
    tree.__setstate__({**state, "nodes": nodes})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("left_child", 10_000),
        ("right_child", -7),
        ("left_child", 0),
        ("feature", 3),
        ("feature", -9),
    ],
)
def test_trees_that_point_outside_are_refused(
    project: Project, run_id: str, field: str, value: int
) -> None:
    model = _forest_that(lambda forest: _tree_state(forest, field, value))
    with pytest.raises(DataError, match="points outside of itself"):
        check_trees(make_pipeline(model), "m")


def test_trees_of_other_features_are_refused() -> None:
    def fewer(model: Any) -> None:
        model.n_features_in_ = 2

    with pytest.raises(DataError, match="RandomForestClassifier points outside"):
        check_trees(_forest_that(fewer), "m")


@pytest.mark.parametrize(
    ("field", "value"),
    [("left", 10_000), ("right", 0), ("feature_idx", 5), ("is_categorical", 1)],
)
def test_histogram_trees_that_point_outside_are_refused(
    project: Project, rows: pd.DataFrame, run_id: str, field: str, value: int
) -> None:
    model = MODELS["sk hist"](rows)
    model._predictors[1][0].nodes[field][0] = value
    # Whoever wrote the file has no need of our check when writing it.
    uri = log_model(MODELS["sk hist"](rows), example=rows[NUMBERS], project=project)
    import skops.io

    skops.io.dump(model, _folder(project, uri) / "model.skops")
    _forge(project, uri)
    with pytest.raises(DataError, match="HistGradientBoostingClassifier points outside"):
        load_model(project, uri)


def test_sound_trees_of_all_kinds_pass(rows: pd.DataFrame) -> None:
    values, labels = rows[NUMBERS].to_numpy(), rows["late"]
    frame = rows[NUMBERS].assign(place=rows["place"].astype("category"))
    by_place = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype")
    for model in (
        BaggingClassifier(max_features=0.5, random_state=0).fit(values, labels),
        IsolationForest(n_estimators=5, max_features=0.5, random_state=0).fit(values),
        GradientBoostingClassifier(n_estimators=3).fit(values, rows["kind"]),
        make_pipeline(StandardScaler(), RandomForestClassifier(3)).fit(values, labels),
        by_place.fit(frame, labels),
    ):
        check_trees(model, "m")


def test_warnings_of_the_example_stay_here(
    project: Project, rows: pd.DataFrame, run_id: str
) -> None:
    """A model fitted on a matrix warns of a frame's names; that was no doing of the user's."""
    model = LogisticRegression().fit(rows[NUMBERS].to_numpy(), rows["late"])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        log_model(model, example=rows[NUMBERS], project=project)
    assert [str(one.message) for one in seen if "feature names" in str(one.message)] == []
