"""What is fitted is in the run, on a real store; training never fails for it."""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.autologging_utils import MlflowAutologgingQueueingClient
from sklearn import model_selection
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.projects import ready_project
from workbench.factory.scaffold import create_project
from workbench.project import Project
from workbench.tracking import autolog
from workbench.tracking.autolog.imports import when_imported
from workbench.tracking.autolog.params import renamed
from workbench.tracking.flavors import load_model, log_model
from workbench.tracking.lifecycle import create_run
from workbench.tracking.store import client

CAT = {"iterations": 6, "verbose": False, "allow_writing_files": False, "thread_count": 1}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return ready_project(tmp_path_factory.mktemp("autolog") / "project")


@pytest.fixture
def run_id(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An active run while fits are logged."""
    import mlflow

    monkeypatch.chdir(project.root)
    made = create_run(project, "fits", tags={}, params={})
    mlflow.set_tracking_uri(project.tracking_uri)
    with mlflow.start_run(run_id=made):
        autolog.enable(project)
        yield made
        autolog.disable()


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(120, 2)), columns=["signal", "noise"])
    frame["place"] = np.where(frame["signal"] > 0, "up", "down")
    frame["late"] = (frame["signal"] + 0.3 * random.normal(size=120) > 0).astype(int)
    return frame


NUMBERS = ["signal", "noise"]


def _files(project: Project, run_id: str) -> set[str]:
    return {file.path for file in client(project).list_artifacts(run_id)}


def _steps(project: Project, run_id: str, metric: str) -> list[int]:
    return [one.step for one in client(project).get_metric_history(run_id, metric)]


def _stored(project: Project, run_id: str, frame: Any, model: Any) -> None:
    """Check that the run's end stores the model, and that it answers as before."""
    [uri] = autolog.log_fitted_models(run_id)
    loaded = load_model(project, uri)
    assert loaded.columns == list(frame.columns)
    predict = "predict_proba" if hasattr(loaded.model, "predict_proba") else "predict"
    expected = getattr(getattr(model, "booster_", model), predict)(frame)
    np.testing.assert_array_equal(getattr(loaded.model, predict)(frame), expected)
    assert autolog.log_fitted_models(run_id) == []


def test_sklearn(project: Project, rows: pd.DataFrame, run_id: str) -> None:
    frame = pl.from_pandas(rows[NUMBERS])
    model = HistGradientBoostingRegressor(max_iter=3).fit(frame, rows["late"])
    run = client(project).get_run(run_id)
    assert run.data.params["max_iter"] == "3"
    assert run.data.params["learning_rate"] == "0.1"
    assert run.data.metrics["training_r2_score"] > 0.1
    assert run.data.tags["estimator_name"] == "HistGradientBoostingRegressor"
    _stored(project, run_id, frame, model)


def test_xgboost(project: Project, rows: pd.DataFrame, run_id: str) -> None:
    model = xgboost.XGBClassifier(n_estimators=4, n_jobs=1)
    model.fit(rows[NUMBERS], rows["late"], eval_set=[(rows[NUMBERS], rows["late"])], verbose=False)
    run = client(project).get_run(run_id)
    assert run.data.params["num_boost_round"] == "4"
    assert _steps(project, run_id, "validation_0-logloss") == [0, 1, 2, 3]
    _stored(project, run_id, rows[NUMBERS], model)
    assert "feature_importance_weight.json" in _files(project, run_id)
    assert not any(name.endswith(".png") for name in _files(project, run_id))


def test_lightgbm(project: Project, rows: pd.DataFrame, run_id: str) -> None:
    model = lightgbm.LGBMClassifier(n_estimators=4, n_jobs=1, verbose=-1)
    model.fit(rows[NUMBERS], rows["late"], eval_X=rows[NUMBERS], eval_y=rows["late"])
    run = client(project).get_run(run_id)
    assert run.data.params["num_leaves"] == "31"
    assert len(_steps(project, run_id, "valid_0-binary_logloss")) == 4
    assert "feature_importance_gain.json" in _files(project, run_id)
    _stored(project, run_id, rows[NUMBERS], model)


def test_catboost(project: Project, rows: pd.DataFrame, run_id: str) -> None:
    model = catboost.CatBoostClassifier(
        **CAT, custom_metric=["AUC:hints=skip_train~false"], learning_rate=0.3
    )
    model.fit(rows[NUMBERS], rows["late"], eval_set=(rows[NUMBERS], rows["late"]))
    run = client(project).get_run(run_id)
    assert run.data.params["iterations"] == "6"
    assert run.data.params["learning_rate"] == "0.3"
    assert run.data.params["depth"] == "6"  # CatBoost's own choice
    assert "verbose" not in {key for key in run.data.params if key.startswith("catboost")}
    assert _steps(project, run_id, "learn-Logloss") == [0, 1, 2, 3, 4, 5]
    [auc] = [name for name in run.data.metrics if name.startswith("validation-AUC")]
    assert _steps(project, run_id, auc) == [0, 1, 2, 3, 4, 5]
    evals = model.get_evals_result()["validation"]["Logloss"]
    history = client(project).get_metric_history(run_id, "validation-Logloss")
    assert [one.value for one in history] == evals
    assert run.data.metrics["best_iteration"] == model.get_best_iteration()
    assert run.data.metrics["best-validation-Logloss"] == min(evals)
    assert run.data.metrics["tree_count"] == model.tree_count_
    importance = client(project).download_artifacts(run_id, "feature_importance.json")
    assert list(json.loads(Path(importance).read_text())) == NUMBERS
    _stored(project, run_id, rows[NUMBERS], model)


@pytest.mark.parametrize("how", ["train", "regressor", "ranker", "pool"])
def test_catboost_in_its_other_ways(
    project: Project, rows: pd.DataFrame, run_id: str, how: str
) -> None:
    pool = catboost.Pool(rows[NUMBERS], rows["late"], group_id=np.arange(len(rows)) // 10)
    if how == "train":
        catboost.train(pool, {**CAT, "loss_function": "Logloss"})
    elif how == "regressor":
        catboost.CatBoostRegressor(**CAT).fit(pool, metric_period=2)
    elif how == "ranker":
        catboost.CatBoostRanker(**CAT).fit(pool)
    else:
        catboost.CatBoost({**CAT, "loss_function": "RMSE"}).fit(pool)
    run = client(project).get_run(run_id)
    assert run.data.params["iterations"] == "6"
    assert run.data.metrics["tree_count"] == 6
    gc.collect()  # what the notebook dropped is still held as the run's last
    [uri] = autolog.log_fitted_models(run_id)
    assert load_model(project, uri).columns == NUMBERS


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_boosters(project: Project, rows: pd.DataFrame, run_id: str, library: str) -> None:
    if library == "xgboost":
        table = xgboost.DMatrix(rows[NUMBERS], rows["late"])
        xgboost.train({"objective": "binary:logistic", "nthread": 1}, table, 3)
    else:
        options = {"objective": "binary", "num_threads": 1, "verbose": -1}
        lightgbm.train(options, lightgbm.Dataset(rows[NUMBERS], rows["late"]), 3)
    run = client(project).get_run(run_id)
    assert run.data.params["num_boost_round"] == "3"
    [uri] = autolog.log_fitted_models(run_id)
    assert load_model(project, uri).columns == NUMBERS


@pytest.mark.parametrize("library", ["sklearn", "catboost"])
def test_a_pipeline_is_one_model(
    project: Project, rows: pd.DataFrame, run_id: str, library: str
) -> None:
    last = LogisticRegression() if library == "sklearn" else catboost.CatBoostClassifier(**CAT)
    texts = make_column_transformer((OneHotEncoder(), ["place"]), remainder="passthrough")
    frame = rows[["place", *NUMBERS]]
    model = make_pipeline(texts, last).fit(frame, rows["late"])
    run = client(project).get_run(run_id)
    assert run.data.params["columntransformer__remainder"] == "passthrough"
    assert "tree_count" not in run.data.metrics  # no run of the part's own in the whole's
    assert run.data.metrics["training_score"] > 0.8
    _stored(project, run_id, frame, model)


def test_a_search_is_one_fit(project: Project, rows: pd.DataFrame, run_id: str) -> None:
    for estimator, grid in (
        (LogisticRegression(), {"C": [0.5, 2.0]}),
        (catboost.CatBoostClassifier(**CAT), {"depth": [2, 3]}),
    ):
        search = model_selection.GridSearchCV(estimator, grid, cv=2, refit=True).fit(
            rows[NUMBERS], rows["late"]
        )
        model_selection.cross_val_score(estimator, rows[NUMBERS], rows["late"], cv=2)
        run = client(project).get_run(run_id)
        assert run.data.metrics["best_cv_score"] == pytest.approx(search.best_score_)
        assert "tree_count" not in run.data.metrics
    assert "sklearn_2.estimator" in run.data.params
    children = client(project).search_runs(
        [run.info.experiment_id], f"tags.mlflow.parentRunId = '{run_id}'"
    )
    assert len(children) == 4
    uris = autolog.log_fitted_models(run_id)
    assert [type(load_model(project, uri).model).__name__ for uri in uris] == [
        "GridSearchCV"
    ] * len(uris)


def test_a_parameter_that_clashes_costs_no_other(
    project: Project, rows: pd.DataFrame, run_id: str
) -> None:
    """As in a notebook whose parameters are called like the library's."""
    mlflow = client(project)
    mlflow.log_param(run_id, "C", "0.5")
    mlflow.log_param(run_id, "iterations", "100")
    LogisticRegression(C=2.0).fit(rows[NUMBERS], rows["late"])
    LogisticRegression(C=3.0, tol=0.01).fit(rows[NUMBERS], rows["late"])
    catboost.CatBoostClassifier(**CAT).fit(rows[NUMBERS], rows["late"])
    catboost.CatBoostClassifier(**{**CAT, "depth": 3}).fit(rows[NUMBERS], rows["late"])
    run = mlflow.get_run(run_id)
    found = run.data.params
    assert (found["C"], found["sklearn.C"], found["sklearn_2.C"]) == ("0.5", "2.0", "3.0")
    assert (found["tol"], found["sklearn_2.tol"]) == ("0.0001", "0.01")
    assert (found["iterations"], found["catboost.iterations"]) == ("100", "6")
    assert (found["depth"], found["catboost_2.depth"]) == ("6", "3")
    assert found["max_iter"] == "100"  # the same in both: under its plain name, once
    # The second fit's curve is not drawn over the first's.
    assert _steps(project, run_id, "learn-Logloss") == _steps(
        project, run_id, "catboost_2.learn-Logloss"
    )


_texts = st.text("abc", min_size=1, max_size=2)


@given(
    st.lists(st.tuples(_texts, _texts), max_size=8),
    st.dictionaries(_texts, _texts),
    st.integers(1, 3),
)
def test_renaming_loses_nothing_and_changes_nothing(
    params: list[tuple[str, str]], stored: dict[str, str], number: int
) -> None:
    after = dict(stored)
    for key, value in renamed(params, stored, "lib", number):
        assert after.setdefault(key, value) == value  # as the store demands it
    for key, value in params:
        if stored.get(key, value) == value and (key, value) in params[:1]:
            assert after[key] == value
        assert value in {after.get(key), *(v for k, v in after.items() if k.endswith(f".{key}"))}


def test_whoever_logs_a_model_says_which_counts(
    project: Project, rows: pd.DataFrame, run_id: str
) -> None:
    LogisticRegression().fit(rows[NUMBERS], rows["late"])
    chosen = LogisticRegression(C=3).fit(rows[NUMBERS], rows["late"])
    uri = log_model(chosen, example=rows[NUMBERS], project=project, run_id=run_id)
    assert autolog.log_fitted_models(run_id) == []
    [output] = client(project).get_run(run_id).outputs.model_outputs
    assert uri.endswith(output.model_id)


def test_several_models_and_those_of_inner_runs(
    project: Project, rows: pd.DataFrame, run_id: str
) -> None:
    import mlflow

    first = LogisticRegression().fit(rows[NUMBERS], rows["late"])
    first.fit(rows[NUMBERS], rows["late"])
    second = catboost.CatBoostClassifier(**CAT).fit(rows[NUMBERS], rows["late"])
    with mlflow.start_run(nested=True) as inner:
        third = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(rows[NUMBERS], rows["late"])
    assert None not in (first, second, third)
    autolog.disable()  # as at a notebook's end, before its run's
    uris = autolog.log_fitted_models(run_id)
    logged = [client(project).get_logged_model(uri.removeprefix("models:/")) for uri in uris]
    assert [one.source_run_id for one in logged] == [inner.info.run_id, run_id, run_id]
    assert all(one.tags["workbench.autologged"] == "true" for one in logged)
    kinds = [type(load_model(project, uri).model).__name__ for uri in uris]
    assert kinds == ["Booster", "LogisticRegression", "CatBoostClassifier"]


def test_what_cannot_be_stored_is_said(
    project: Project, rows: pd.DataFrame, run_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Mine(LogisticRegression):  # type: ignore[misc]
        pass

    kept = Mine().fit(rows[NUMBERS], rows["late"])
    with caplog.at_level(logging.WARNING, "workbench.tracking"):
        assert autolog.log_fitted_models(run_id) == []
    assert kept is not None
    [record] = caplog.records
    assert "the Mine fitted in run" in record.getMessage()
    assert "trusted_types" in record.getMessage()


@pytest.mark.parametrize("kind", ["sklearn", "catboost"])
def test_training_goes_on_when_logging_fails(
    project: Project,
    rows: pd.DataFrame,
    run_id: str,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(MlflowAutologgingQueueingClient, "flush", broken)
    model = LogisticRegression() if kind == "sklearn" else catboost.CatBoostClassifier(**CAT)
    with caplog.at_level(logging.WARNING, "workbench.tracking"):
        model.fit(rows[NUMBERS], rows["late"])
    assert len(model.predict(rows[NUMBERS])) == 120
    said = [one.getMessage() for one in caplog.records if one.name == "workbench.tracking"]
    assert said == ["not all of fit was logged: the disk is full"]


def test_a_failing_fit_fails_as_ever(rows: pd.DataFrame, run_id: str) -> None:
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LogisticRegression().fit(rows[NUMBERS], rows["late"][:5])
    with pytest.raises(catboost.CatBoostError, match="Length of label"):
        catboost.CatBoostClassifier(**CAT).fit(rows[NUMBERS], rows["late"][:5])
    # And what comes after is a fit of its own again.
    catboost.CatBoostClassifier(**CAT).fit(rows[NUMBERS], rows["late"])
    assert len(autolog.log_fitted_models(run_id)) == 1


def test_warnings_of_logging_stay_out_of_the_notebook(rows: pd.DataFrame, run_id: str) -> None:
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        LogisticRegression().fit(rows[NUMBERS], rows["late"])
        warnings.warn("the notebook's own", stacklevel=1)
    mine = [str(one.message) for one in seen if one.category in (UserWarning, FutureWarning)]
    assert mine == ["the notebook's own"]
    assert list(warnings.filters) == before


def test_all_is_given_back(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    owners = [
        (LogisticRegression, "fit"),
        (xgboost.XGBClassifier, "fit"),
        (xgboost, "train"),
        (lightgbm, "train"),
        (catboost.CatBoost, "fit"),
        (catboost.CatBoostClassifier, "fit"),
        (catboost.CatBoostRegressor, "fit"),
        (catboost.CatBoostRanker, "fit"),
        (MlflowAutologgingQueueingClient, "__init__"),
    ]
    before = [getattr(owner, name) for owner, name in owners]
    finders = list(sys.meta_path)
    for _ in range(2):
        autolog.enable(project)
        autolog.enable(project)  # once is enough
        assert all(
            getattr(owner, name) is not original
            for (owner, name), original in zip(owners, before, strict=True)
        )
        autolog.disable()
        autolog.disable()
        assert [getattr(owner, name) for owner, name in owners] == before
    assert sys.meta_path == finders


def test_a_fit_outside_of_any_run_begins_one(
    project: Project, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.chdir(project.root)
    waiting = create_run(project, "job", tags={}, params={})
    monkeypatch.setenv("MLFLOW_RUN_ID", waiting)  # how a job hands its run over
    autolog.enable(project)
    try:
        for _ in range(2):
            catboost.CatBoostRegressor(**CAT).fit(rows[NUMBERS], rows["late"])
        active = mlflow.active_run()
        assert active is not None
        assert active.info.run_id == waiting
        run = client(project).get_run(waiting)
        assert run.info.status == "RUNNING"
        assert run.data.metrics["tree_count"] == 6
    finally:
        autolog.disable()
        mlflow.end_run()


# Imports

LATE = """
import sys, warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", category=ResourceWarning)
warnings.filterwarnings("ignore", ".*noload")
from workbench.project import Project
from workbench.tracking import autolog
project = Project.find()
autolog.enable(project)
assert not {"mlflow", "sklearn", "xgboost", "catboost", "lightgbm"} & set(sys.modules)
import importlib.util
importlib.util.find_spec("xgboost")  # looking is not importing
import xgboost
assert xgboost.train.__wrapped__ is not None
import numpy as np
from workbench.tracking.session import current_run
run = current_run(project)
xgboost.XGBRegressor(n_estimators=2).fit(np.eye(4), np.arange(4))
print(run.run_id, *autolog.log_fitted_models(run.run_id))
run.end()
"""


def test_nothing_is_imported_before_the_notebook_does(tmp_path: Path) -> None:
    late = create_project(tmp_path / "late")
    done = subprocess.run(
        [sys.executable, "-c", LATE],
        cwd=late.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run_id, *uris = done.stdout.split()[-2:]
    assert client(late).get_run(run_id).data.params["num_boost_round"] == "2"
    assert len(uris) == 1


def test_imports_are_told_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "wb_late.py").write_text(
        "import os\nif os.environ.get('WB_FAIL'): raise KeyError\n"
    )
    told: list[str] = []
    undo = when_imported("wb_late", lambda: told.append("late"))
    unwanted = when_imported("wb_other", lambda: told.append("other"))
    monkeypatch.setenv("WB_FAIL", "1")
    with pytest.raises(KeyError):
        __import__("wb_late")
    assert told == []
    monkeypatch.delenv("WB_FAIL")
    module = __import__("wb_late")
    assert told == ["late"]
    assert module.__loader__ is module.__spec__.loader
    when_imported("wb_late", lambda: told.append("again"))
    assert told == ["late", "again"]
    undo()
    unwanted()
    with pytest.raises(ModuleNotFoundError):
        __import__("wb_other")
    del sys.modules["wb_late"]


def test_an_import_survives_what_hears_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "wb_broken.py").write_text("x = 1\n")

    def fail() -> None:
        raise RuntimeError("no")

    when_imported("wb_broken", fail)
    with caplog.at_level(logging.WARNING, "workbench.tracking"):
        assert __import__("wb_broken").x == 1
    assert "wb_broken is not logged by itself: no" in caplog.text
    del sys.modules["wb_broken"]
