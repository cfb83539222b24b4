"""Nothing is unpickled to load a model, unless the project says so, and then it is on record."""

from __future__ import annotations

import logging
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.models import logged
from tests.projects import ready_project
from workbench.errors import DataError
from workbench.gates import compare_ways
from workbench.project import Project
from workbench.registry import register
from workbench.tracking import client, create_run
from workbench.tracking.flavors import load_model, log_model
from workbench.tracking.integrity import DIGEST, folder_digest
from workbench.tracking.models import format_of

_watching = False
_opened: list[str] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Note each class and function that any unpickler looks up; a hook can't be taken out again."""
    if _watching and event == "pickle.find_class":
        _opened.append(".".join(map(str, arguments)))


@contextmanager
def unpickling() -> Iterator[list[str]]:
    """Give the list of what is unpickled meanwhile."""
    global _watching
    if not hasattr(unpickling, "hooked"):
        sys.addaudithook(_hook)
        unpickling.hooked = True  # type: ignore[attr-defined]
    _opened.clear()
    _watching = True
    try:
        yield _opened
    finally:
        _watching = False


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return ready_project(tmp_path_factory.mktemp("pickles") / "project")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(120, 2)), columns=["signal", "noise"])
    frame["place"] = np.where(frame["signal"] > 0, "up", "down")
    return frame


def _boosters() -> dict[str, Any]:
    import catboost
    import lightgbm
    import xgboost

    quiet = {"verbose": False, "allow_writing_files": False, "thread_count": 1}
    return {
        "xgboost": xgboost.XGBClassifier(n_estimators=3, n_jobs=1),
        "lightgbm": lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1),
        "catboost": catboost.CatBoostClassifier(iterations=3, **quiet),
        "forest": RandomForestClassifier(3, random_state=0),
        "hist": HistGradientBoostingClassifier(max_iter=3),
        "linear": LogisticRegression(),
    }


def _models() -> Iterator[tuple[str, Any, list[str]]]:
    for name, model in _boosters().items():
        yield name, model, ["signal", "noise"]
    for name, model in _boosters().items():
        columns = make_column_transformer(
            (StandardScaler(), ["signal", "noise"]),
            (OneHotEncoder(sparse_output=False), ["place"]),
        )
        yield f"pipeline of {name}", make_pipeline(columns, model), ["signal", "noise", "place"]


def _logged(project: Project, model: Any, example: Any) -> tuple[str, str]:
    run_id = create_run(project, "train", tags={}, params={})
    return log_model(model, example=example, project=project, run_id=run_id), run_id


def test_models_of_the_four_libraries_load_without_unpickling(
    project: Project, rows: pd.DataFrame
) -> None:
    late = (rows["signal"] > 0).astype(int)
    stored = {}
    for name, model, columns in _models():
        model.fit(rows[columns], late)
        stored[name] = (model, columns, _logged(project, model, rows[columns])[0])
    assert len(stored) == 12
    for name, (model, columns, uri) in stored.items():
        with unpickling() as opened:
            loaded = load_model(project, uri).model
        assert opened == [], name
        np.testing.assert_allclose(
            np.asarray(loaded.predict(rows[columns])).round(), model.predict(rows[columns])
        )
        about = mlflow.models.get_model_info(uri).flavors
        assert format_of(about) in ("native", "skops")
        assert not list(_folder(project, uri).glob("*.pkl"))


def test_the_watch_sees_an_unpickling() -> None:
    with unpickling() as opened:
        pickle.loads(pickle.dumps(Path()))
    assert opened != []


class _Trap:
    """What unpickles it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def _folder(project: Project, uri: str) -> Path:
    stored = client(project).get_logged_model(uri.removeprefix("models:/"))
    return Path(stored.artifact_location.removeprefix("file://"))


def _forge(project: Project, uri: str) -> None:
    digest = {DIGEST: folder_digest(_folder(project, uri))}
    client(project).set_logged_model_tags(uri.removeprefix("models:/"), digest)


_FILES = {
    "xgboost": "model.ubj",
    "lightgbm": "model.lgb",
    "catboost": "model.cb",
    "linear": "model.skops",
}


@pytest.mark.parametrize("kind", _FILES)
def test_a_pickle_in_place_of_a_model_is_not_opened(
    project: Project, rows: pd.DataFrame, tmp_path: Path, kind: str
) -> None:
    trap = tmp_path / "exploded"
    model = _boosters()[kind].fit(rows[["signal", "noise"]], rows["signal"] > 0)
    uri, _ = _logged(project, model, rows[["signal", "noise"]])
    (_folder(project, uri) / _FILES[kind]).write_bytes(pickle.dumps(_Trap(trap)))
    with pytest.raises(DataError, match="its files were changed after it was logged"):
        load_model(project, uri)
    _forge(project, uri)
    for trusting in (project, _trusting(project)):  # what isn't said to be a pickle isn't one
        with unpickling() as opened, pytest.raises(DataError, match="can't be read as a"):
            load_model(trusting, uri)
        assert opened == []
    assert not trap.exists()


def _trusting(project: Project) -> Project:
    return Project(project.root, project.settings.model_copy(update={"trust_pickle": True}))


def _trapped(folder: Path, trap: Path) -> None:
    """Make a stored scikit-learn model one that is a pickle, by its own word."""
    (folder / "model.pkl").write_bytes(pickle.dumps(_Trap(trap)))
    about = folder / "MLmodel"
    told = yaml.safe_load(about.read_text())
    lie = {"pickled_model": "model.pkl", "serialization_format": "pickle"}
    told["flavors"]["sklearn"].update(lie)
    about.write_text(yaml.safe_dump(told))


def test_trust_in_pickles_is_the_only_way_around(
    project: Project, rows: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trap = tmp_path / "exploded"
    model = LogisticRegression().fit(rows[["signal"]], rows["signal"] > 0)
    uri, _ = _logged(project, model, rows[["signal"]])
    _trapped(_folder(project, uri), trap)
    _forge(project, uri)
    with pytest.raises(DataError, match=r"a pickle is loaded where .* trust_pickle = true"):
        load_model(project, uri)
    types = {"trusted_types": ["posix.mkdir", "sklearn.linear_model.LogisticRegression"]}
    by_types = Project(project.root, project.settings.model_copy(update=types))
    with pytest.raises(DataError, match="trust_pickle = true"):
        load_model(by_types, uri)
    assert not trap.exists()
    with caplog.at_level(logging.WARNING, "workbench.tracking"):
        load_model(_trusting(project), uri)
    assert trap.exists()  # as it was asked to
    assert f"{uri} is unpickled, as workbench.toml says trust_pickle = true" in caplog.text
    assert format_of(mlflow.models.get_model_info(uri).flavors) == "pickle"


def test_a_fresh_process_opens_no_pickle_either(
    project: Project, rows: pd.DataFrame, tmp_path: Path
) -> None:
    trap = tmp_path / "exploded"
    frame = pl.from_pandas(rows[["signal"]])
    model = LogisticRegression().fit(rows[["signal"]], rows["signal"] > 0)
    version = register(project, "trapped", logged(project, model, example=frame), owner="ada")
    folder = _folder(project, client(project).get_model_version("trapped", version).source)
    _trapped(folder, trap)
    client(project).set_model_version_tag("trapped", version, DIGEST, folder_digest(folder))
    reports = compare_ways(project, "trapped", version, same_environment=True)
    assert [(one.way, one.agrees) for one in reports] == [
        ("batch", False),
        ("sql", False),
        ("fresh", False),
    ]
    assert all("trust_pickle = true" in one.told for one in reports)
    # Two flavors in one file: what is looked at and what is loaded are the same.
    about = folder / "MLmodel"
    told = yaml.safe_load(about.read_text())
    told["flavors"]["xgboost"] = {"model_class": "xgboost.core.Booster", "data": "model.ubj"}
    about.write_text(yaml.safe_dump(told, sort_keys=False))
    client(project).set_model_version_tag("trapped", version, DIGEST, folder_digest(folder))
    [fresh] = compare_ways(project, "trapped", version, ways=["fresh"], same_environment=True)
    assert "also has the flavors xgboost" in fresh.told
    assert not trap.exists()


@pytest.mark.parametrize("trusting", [False, True])
def test_what_is_pickled_is_on_record(
    project: Project, rows: pd.DataFrame, *, trusting: bool
) -> None:
    def doubled(values: Any) -> Any:
        return 2 * values

    from sklearn.preprocessing import FunctionTransformer

    model = make_pipeline(FunctionTransformer(doubled), LogisticRegression())
    model.fit(rows[["signal"]], rows["signal"] > 0)
    asked = _trusting(project) if trusting else project
    log: Callable[[], tuple[str, str]] = lambda: _logged(asked, model, rows[["signal"]])  # noqa: E731
    if not trusting:
        with pytest.raises(DataError, match="trust_pickle = true"):
            log()
        return
    uri, run_id = log()
    assert client(project).get_run(run_id).data.tags["workbench.model_format"] == "pickle"
    tags = client(project).get_logged_model(uri.removeprefix("models:/")).tags
    assert tags["workbench.model_format"] == "pickle"
    with unpickling() as opened:
        load_model(asked, uri)
    assert opened != []
    with pytest.raises(DataError, match="trust_pickle = true"):
        load_model(project, uri)
