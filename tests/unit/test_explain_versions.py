"""Versions explained by name, explanations kept with them, and the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import polars as pl
import pytest
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import workbench as wb
from tests.projects import ready_project
from workbench.errors import DataError, ForbiddenError, NotFoundError, UsageError
from workbench.explanation import Explanation, explain, read_explanation, store_explanation
from workbench.explanation.naming import find_version
from workbench.project import Project
from workbench.tracking import client, create_run
from workbench.tracking.flavors import load_model, log_model

NAMES = ["height", "width", "depth"]


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame({name: random.normal(size=200) for name in NAMES})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, rows: pl.DataFrame) -> Project:
    """A project with three models: two versions of trees, one of a line."""
    made = ready_project(tmp_path_factory.mktemp("explain") / "project")
    late = (rows["height"] + rows["width"] * rows["depth"] > 0).to_numpy()
    labels = np.where(late, "late", "early").astype(object)
    trees = [LGBMClassifier(n_estimators=n, verbose=-1, n_jobs=1) for n in (5, 10)]
    for model in trees:
        _register(made, "trees", model.fit(rows.to_numpy(), labels), rows)
    _register(made, "line", LogisticRegression().fit(rows.to_pandas(), labels), rows)
    client(made).set_registered_model_alias("trees", "champion", "1")
    return made


def _register(project: Project, name: str, model: Any, rows: pl.DataFrame) -> None:
    run_id = create_run(project, "train", tags={}, params={})
    uri = log_model(model, example=rows, project=project, run_id=run_id)
    registry = client(project)
    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    if not registry.search_registered_models(f"name = '{name}'"):
        registry.create_registered_model(name)
    registry.create_model_version(name, uri, run_id=run_id)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("trees@champion", "1"),
        ("trees/2", "2"),
        ("trees", "1"),
        ("models:/trees/2", "2"),
        ("models:/trees@champion", "1"),
        ("line", "1"),
    ],
)
def test_a_version_is_found_by_its_name(
    project: Project, rows: pl.DataFrame, name: str, version: str
) -> None:
    found = wb.explain(name, rows.select("depth", "width", "height"), project=project)
    model = name.removeprefix("models:/").partition("@")[0].partition("/")[0]
    assert found.model == f"{model} version {version}"
    assert found.columns == ["depth", "width", "height"]
    assert found.positive == "late"


def test_a_booster_from_the_store_says_what_the_fitted_model_says(
    project: Project, rows: pl.DataFrame
) -> None:
    loaded = load_model(project, "models:/trees/2")
    by_name = explain("trees/2", rows, project=project)
    np.testing.assert_array_equal(explain(loaded, rows).array, by_name.array)
    np.testing.assert_array_equal(
        explain(loaded.model, rows.to_numpy()).array, by_name.array, "a booster knows no names"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tress@champion", "unknown model 'tress': did you mean trees"),
        ("trees@champoin", "unknown alias 'champoin' of model trees: did you mean champion"),
        ("trees/9", "unknown version '9' of model trees: there are: 1, 2"),
        ("runs:/1234/model", "expected NAME@alias, NAME/3 or models:/"),
        ("", "expected NAME@alias"),
    ],
)
def test_a_name_that_isnt_there_is_refused(
    project: Project, rows: pl.DataFrame, name: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        explain(name, rows, project=project)


def same(one: Explanation, other: Explanation) -> bool:
    return (
        one.values.equals(other.values)
        and one.outputs.equals(other.outputs)
        and one.data.equals(other.data)
        and one.base_values == other.base_values
        and one.importance == other.importance
        and (one.model, one.flavor, one.units, one.rows, one.places, one.notes)
        == (other.model, other.flavor, other.units, other.rows, other.places, other.notes)
    )


def test_what_is_stored_is_read_back(project: Project, rows: pl.DataFrame) -> None:
    found = explain("trees@champion", rows, project=project, rows=50)
    written = store_explanation(project, "trees", "1", found)
    assert {Path(path).name for path in written} == {
        *("importance.json", "values.parquet", "rows.parquet", "summary.png", "summary.json")
    }
    assert same(read_explanation(project, "trees", "@champion"), found)
    run_id = client(project).get_model_version("trees", "1").run_id
    assert same(read_explanation(project, "trees", run_id), found)
    drawn = json.loads((_download(project, run_id) / "summary.json").read_text())
    assert drawn["doc"]["roots"], "what BokehJS embeds"
    with pytest.raises(NotFoundError, match="no explanation was stored"):
        read_explanation(project, "trees", "2")


def _download(project: Project, run_id: str) -> Path:
    return Path(client(project).download_artifacts(run_id, "explanation"))


def test_what_was_served_yesterday_is_explained_alike_today(
    project: Project, rows: pl.DataFrame
) -> None:
    """The background that was stored is the one that later rows are beside."""
    first = explain("line/1", rows, project=project)
    store_explanation(project, "line", "1", first)
    today = explain("line/1", rows[17], project=project)
    np.testing.assert_array_equal(today.array[:, 0], first.array[:, 17])
    assert today.base_values == first.base_values


def test_an_approximation_is_stored_with_its_background(
    project: Project, rows: pl.DataFrame
) -> None:
    model = KNeighborsClassifier().fit(rows.to_numpy(), (rows["height"] > 0).to_numpy())
    first = explain(model, rows, rows=5)
    store_explanation(project, "trees", "2", first)
    back = read_explanation(project, "trees", "2")
    assert same(back, first)
    assert back.error == first.error
    again = explain(model, rows, rows=list(first.places or ()), background=back)
    np.testing.assert_array_equal(again.array, first.array)
    exact = explain("trees/2", rows, project=project, rows=5)
    store_explanation(project, "trees", "2", exact)
    replaced = read_explanation(project, "trees", "2")
    assert same(replaced, exact)
    assert (replaced.errors, replaced.background) == (None, None)


def test_a_viewer_stores_nothing(
    project: Project, rows: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = explain("trees", rows, project=project, rows=5)
    settings = project.root / "workbench.toml"
    before = settings.read_text()
    monkeypatch.setenv("JUPYTERHUB_USER", "vera")
    settings.write_text(f'{before}\n[roles]\nviewer = ["vera"]\nadmin = ["ada"]\n')
    try:
        with pytest.raises(ForbiddenError, match="store an explanation of trees"):
            store_explanation(Project.find(project.root), "trees", "1", found)
    finally:
        settings.write_text(before)


def test_a_record_that_was_changed_is_refused(project: Project, rows: pl.DataFrame) -> None:
    run_id = create_run(project, "broken", tags={}, params={})
    client(project).log_text(run_id, "[1]", "explanation/importance.json")
    with pytest.raises(DataError, match="isn't what was stored"):
        read_explanation(project, "trees", run_id)


def test_pictures_are_small_and_made_without_a_browser(
    project: Project, rows: pl.DataFrame
) -> None:
    found = explain("trees", rows, project=project)
    for picture in (found.summary(), found.local(3)):
        assert picture._repr_png_().startswith(b"\x89PNG")
        assert len(picture.png) < 300_000
        assert picture.figure.renderers
    assert len(found._repr_html_()) < 300_000
    assert "Row 3" in found.local(3).caption
    with pytest.raises(UsageError, match="row 200: there are 200"):
        found.local(200)


def test_the_command_line(
    project: Project, rows: pl.DataFrame, tmp_path: Path, cli: Any, cli_json: Callable[..., Any]
) -> None:
    rows.write_parquet(tmp_path / "rows.parquet")
    asked = ("models", "explain", "trees@champion", "--rows", tmp_path / "rows.parquet")
    said = cli_json(*asked, "--out", tmp_path / "out", folder=project.root)
    expected = explain("trees@champion", rows, project=project)
    assert said["importance"] == expected.importance
    assert said["flavor"] == "path-dependent"
    assert (tmp_path / "out" / "summary.png") in map(Path, said["files"])
    assert pl.read_parquet(tmp_path / "out" / "values.parquet").height == 200

    shown = cli(*asked, "--row", "3", folder=project.root)
    assert shown.returncode == 0, shown.stderr
    place = expected.columns.index("height")
    assert f"{expected.array[0, 3, place]:+.4g}" in shown.stdout
    assert "row 3 of" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trees@champoin",), "did you mean champion"),
        (("trees",), "has scored nothing yet"),
        (("trees", "--rows", "nowhere.parquet"), "no such file"),
        (("trees", "--rows", "a", "--source", "b"), "not both"),
        (("trees", "--source", "nowhere"), "nowhere"),
    ],
)
def test_the_command_line_refuses(
    project: Project, cli: Any, arguments: tuple[str, ...], message: str
) -> None:
    done = cli("models", "explain", *arguments, folder=project.root)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_model_is_found_among_more_than_the_registry_lists_at_once(
    project: Project, rows: pl.DataFrame
) -> None:
    registry = client(project)
    for number in range(101):
        registry.create_registered_model(f"a{number:03}")
    assert find_version(project, "trees@champion").version == "1"
    with pytest.raises(NotFoundError, match="did you mean trees"):
        find_version(project, "tress@champion")


def test_a_models_name_may_hold_a_quote(project: Project, rows: pl.DataFrame) -> None:
    registry = client(project)
    registry.create_registered_model("o'brien's")
    run_id = registry.get_model_version("trees", "1").run_id
    source = registry.get_model_version("trees", "1").source
    registry.create_model_version("o'brien's", source, run_id=run_id)
    found = find_version(project, "o'brien's/1")
    assert (found.name, found.version) == ("o'brien's", "1")
