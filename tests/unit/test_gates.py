"""What a version must show: each requirement, parity, and what can become a version at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from workbench.errors import ConfigError, DataError, GateRefusedError, NotFoundError
from workbench.factory.scaffold import create_project
from workbench.gates import (
    ExplanationSpec,
    GateSpec,
    ParitySpec,
    Question,
    Threshold,
    compare_ways,
    judge,
)
from workbench.project import Project
from workbench.registry import Check, GateReport, Scorer, get_model, register
from workbench.serving.batch import scored_frame
from workbench.settings import validate
from workbench.tracking import client, create_run, current_run, finish_run, read_json

TRACED = {"mlflow.source.git.commit": "a" * 40, "execution.linear": "true"}


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """600 rows in which `signal` says much about `late`, more at one place than at the other."""
    random = np.random.default_rng(0)
    signal = random.normal(size=600)
    place = np.where(np.arange(600) % 3 == 0, "B", "A")
    strength = np.where(place == "A", 3.0, 0.0)
    late = random.random(600) < 1 / (1 + np.exp(-strength * signal))
    noise = random.normal(size=600)
    return pl.DataFrame({"signal": signal, "noise": noise, "place": place, "late": late})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for the module: what a test makes has a name of its own."""
    return create_project(tmp_path_factory.mktemp("gates") / "project")


def logged(
    project: Project,
    model: Any,
    example: Any,
    columns: list[str] | None = None,
    *,
    tags: dict[str, str] | None = None,
    status: str = "FINISHED",
) -> str:
    run_id = create_run(project, "train", tags=TRACED if tags is None else tags, params={})
    mlflow.set_tracking_uri(project.tracking_uri)
    with mlflow.start_run(run_id=run_id):
        run = current_run(project)
        run.log_dataset("rows", pl.DataFrame({"n": [1]}), "training")
        run.log_model(model, columns, example=example)
    finish_run(project, run_id, status)  # type: ignore[arg-type]
    return run_id


def classifier(project: Project, rows: pl.DataFrame, name: str, *columns: str) -> str:
    matrix = rows.select(columns).to_numpy()
    model = LogisticRegression().fit(matrix, rows["late"].to_numpy())
    return register(project, name, logged(project, model, matrix, list(columns)), owner="ada")


def question(
    project: Project, rows: pl.DataFrame, name: str, version: str, spec: GateSpec, **more: Any
) -> Question:
    return Question(
        project=project,
        spec=spec,
        factory="",
        model=name,
        version=version,
        rows=rows,
        label="late",
        window="all",
        champion=get_model(project, name).aliases.get("champion"),
        **more,
    )


def check_of(report: GateReport, code: str) -> Check:
    [found] = [check for check in report.checks if check.code == code]
    return found


def test_each_requirement_is_judged_and_named(project: Project, rows: pl.DataFrame) -> None:
    version = classifier(project, rows, "all", "signal", "noise")
    spec = GateSpec(
        thresholds={"roc_auc": Threshold(min=0.6, interval=True)},
        slices=["place", "noise > 0"],
        slice_floors={"roc_auc": 0.7},
        checks={"WB001": {}, "WB010": {}},
        max_size_mb=1,
        max_latency_ms=1e4,
    )
    report = judge(question(project, rows, "all", version, spec))
    assert report.outcome == "failed"
    assert [check.code for check in report.failed] == ["GT004"]
    slices = check_of(report, "GT004")
    assert "B" in slices.explanation
    bounds = check_of(report, "GT001")
    assert bounds.interval is not None
    assert bounds.interval[0] < report.metrics["roc_auc"] < bounds.interval[1]
    assert check_of(report, "GT006").found == pytest.approx(0.025, rel=0.5)
    latency = check_of(report, "GT007").found
    assert latency is not None
    assert 0 < latency < 1e4
    assert {c.title[:5] for c in report.checks if c.code == "GT005"} == {"WB001", "WB010"}


def test_the_document_stays_with_the_version(project: Project, rows: pl.DataFrame) -> None:
    version = classifier(project, rows, "kept", "signal")
    report = judge(question(project, rows, "kept", version, GateSpec(checks=["WB010"])))
    run_id = client(project).get_model_version("kept", version).run_id
    stored = read_json(project, run_id, f"gate/{report.digest[:12]}.json")
    assert GateReport.model_validate(stored) == report
    assert json.loads(json.dumps(stored))["evaluation"]["checks"][0]["code"] == "WB010"
    assert client(project).get_model_version("kept", version).tags["workbench.gate"] == "passed"


def test_a_champion_is_beaten_by_an_interval_if_the_policy_says_so(
    project: Project, rows: pl.DataFrame
) -> None:
    from workbench.registry import promote

    good = classifier(project, rows, "rivals", "signal")
    judge(question(project, rows, "rivals", good, GateSpec()))
    promote(project, "rivals", good, "champion", reason="first")
    same = classifier(project, rows, "rivals", "signal", "noise")
    by_value = GateSpec(champion_tolerance=0.01)
    found = check_of(judge(question(project, rows, "rivals", same, by_value)), "GT003")
    assert found.outcome == "passed"
    assert found.interval is not None
    strict = GateSpec(champion_by="interval")
    found = check_of(judge(question(project, rows, "rivals", same, strict)), "GT003")
    assert found.outcome == "failed"  # chance could hide a loss
    assert "all of its interval" in found.expected


def test_an_explanation_has_to_be_sane(project: Project, rows: pl.DataFrame) -> None:
    version = classifier(project, rows, "told", "signal", "noise")
    spec = GateSpec(explanation=ExplanationSpec(max_share=0.6, unused=["noise"]))
    found = check_of(judge(question(project, rows, "told", version, spec)), "GT010")
    assert found.outcome == "failed"
    assert "signal alone is" in found.explanation
    assert "noise is among the first" in found.explanation
    lenient = GateSpec(explanation=ExplanationSpec(max_share=1))
    found = check_of(judge(question(project, rows, "told", version, lenient)), "GT010")
    assert found.outcome == "passed"


def test_what_is_dear_is_not_tried_of_what_fails_anyway(
    project: Project, rows: pl.DataFrame
) -> None:
    version = classifier(project, rows, "dear", "noise")
    spec = GateSpec(thresholds={"roc_auc": Threshold(min=0.9)}, parity=ParitySpec())
    assert check_of(judge(question(project, rows, "dear", version, spec)), "GT008").outcome == (
        "skipped"
    )


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm", "catboost", "sklearn"])
def test_every_way_of_serving_agrees_with_the_notebook(
    project: Project, rows: pl.DataFrame, kind: str
) -> None:
    import catboost
    import lightgbm
    import xgboost

    makes: dict[str, Any] = {
        "xgboost": lambda: xgboost.XGBClassifier(n_estimators=10, n_jobs=1),
        "lightgbm": lambda: lightgbm.LGBMClassifier(n_estimators=10, verbose=-1, n_jobs=1),
        "catboost": lambda: catboost.CatBoostClassifier(
            iterations=10, verbose=False, allow_writing_files=False, thread_count=1
        ),
        "sklearn": LogisticRegression,
    }
    matrix = rows[["signal", "noise"]].to_numpy()
    model = makes[kind]().fit(matrix, rows["late"].to_numpy())
    run_id = logged(project, model, matrix, ["signal", "noise"])
    version = register(project, f"serve-{kind}", run_id, owner="ada")
    reports = compare_ways(project, f"serve-{kind}", version, same_environment=True)
    assert [(r.way, r.agrees, r.rows) for r in reports] == [
        ("batch", True, 600),
        ("sql", True, 600),
        ("fresh", True, 600),
    ], reports


def test_a_fresh_process_has_what_was_stored_and_nothing_of_ours(
    project: Project, rows: pl.DataFrame
) -> None:
    matrix = rows[["signal"]].to_numpy()
    model = LogisticRegression().fit(matrix, rows["late"].to_numpy())
    run_id = logged(project, model, matrix, ["signal"])
    version = register(project, "locked", run_id, owner="ada")
    [report] = compare_ways(project, "locked", version, ways=["fresh"])
    assert report.agrees, report
    [folder] = (project.state / "environments").glob("model-*[!k]")
    installed = {path.name for path in folder.glob("lib/python*/site-packages/*")}
    assert {"mlflow", "sklearn", "skops"} <= installed
    assert "workbench" not in installed


def test_categories_and_several_classes_agree_too(project: Project, rows: pl.DataFrame) -> None:
    frame = rows[["signal", "place"]].to_pandas()
    encoder = ColumnTransformer([("place", OneHotEncoder(), ["place"])], remainder="passthrough")
    three = pd.cut(rows["signal"].to_pandas(), [-9, -0.5, 0.5, 9], labels=["low", "mid", "high"])
    model = make_pipeline(encoder, LogisticRegression(max_iter=200)).fit(frame, three.astype(str))
    version = register(project, "three", logged(project, model, frame), owner="ada")
    for report in compare_ways(project, "three", version, same_environment=True):
        assert report.agrees, report


def test_whole_numbers_that_are_categories_agree_too(project: Project, rows: pl.DataFrame) -> None:
    import catboost

    frame = rows.select("signal", kind=(pl.col("place") == "A").cast(pl.Int64) + 1).to_pandas()
    model = catboost.CatBoostClassifier(
        iterations=5, verbose=False, allow_writing_files=False, cat_features=["kind"]
    ).fit(frame, rows["late"].to_numpy())
    version = register(project, "kinds", logged(project, model, frame), owner="ada")
    for report in compare_ways(project, "kinds", version, same_environment=True):
        assert report.agrees, report
    texts = pl.from_pandas(frame).with_columns(pl.col("signal").cast(pl.String))
    with pytest.raises(DataError, match="kinds version 1: column signal is String; expected"):
        Scorer.load(project, "kinds", version).score(texts)
    lists = pl.from_pandas(frame).with_columns(kind=pl.concat_list("kind"))
    with pytest.raises(DataError, match="column kind is List"):
        Scorer.load(project, "kinds", version).score(lists)


def test_several_classes_pass_a_gate(project: Project, rows: pl.DataFrame) -> None:
    three = (
        pl.when(pl.col("signal") < -0.5)
        .then(pl.lit("low"))
        .when(pl.col("signal") > 0.5)
        .then(pl.lit("high"))
        .otherwise(pl.lit("mid"))
    )
    frame = rows.select("signal", "noise", late=three)
    x = frame.select("signal", "noise").to_pandas()
    model = LogisticRegression(max_iter=500).fit(x, frame["late"].to_numpy())
    version = register(project, "classes", logged(project, model, x), owner="ada")
    spec = GateSpec(
        task="multiclass",
        thresholds={"accuracy": Threshold(min=0.9, interval=True), "log_loss": Threshold(max=0.6)},
        slices=["noise > 0"],
        slice_floors={"accuracy": 0.9},
        explanation=ExplanationSpec(rows=50, max_share=1.0),
        parity=ParitySpec(environment="same"),
    )
    assert (spec.metric, spec.beat_baseline) == ("log_loss", ["brier", "log_loss"])
    report = judge(question(project, frame, "classes", version, spec, train=frame))
    assert report.outcome == "passed", report.failed
    assert report.metrics["accuracy"] == pytest.approx(model.score(x, frame["late"].to_numpy()))
    shares = frame["late"].value_counts(normalize=True)["proportion"].to_numpy()
    assert report.baseline["log_loss"] == pytest.approx(-(shares * np.log(shares)).sum())
    scored = scored_frame(Scorer.load(project, "classes", version), frame, ["late"])
    assert scored["prediction"].to_list() == model.predict(x).tolist()
    assert scored["probabilities"].struct.fields == ["high", "low", "mid"]
    none = scored_frame(Scorer.load(project, "classes", version), frame.clear(), ["late"])
    assert none.schema == scored.schema

    project_client = client(project)
    project_client.set_registered_model_alias("classes", "champion", version)
    worse = LogisticRegression(max_iter=500).fit(x[["noise"]], frame["late"].to_numpy())
    other = register(project, "classes", logged(project, worse, x[["noise"]]), owner="ada")
    beaten = judge(question(project, frame, "classes", other, GateSpec(task="multiclass")))
    assert check_of(beaten, "GT003").outcome == "failed"


def test_numbers_pass_a_gate(project: Project, rows: pl.DataFrame) -> None:
    frame = rows.select("signal", "noise", late=pl.col("signal") * 30 + pl.col("noise"))
    x = frame.select("signal").to_pandas()
    model = LinearRegression().fit(x, frame["late"].to_numpy())
    version = register(project, "numbers", logged(project, model, x), owner="ada")
    spec = GateSpec(
        task="regression",
        thresholds={"r2": Threshold(min=0.9, interval=True), "mae": Threshold(max=2)},
        checks=["WB001"],
        slices=["place"],
        slice_floors={"rmse": 5},
        explanation=ExplanationSpec(rows=50, max_share=1.0),
        parity=ParitySpec(environment="same"),
    )
    asked = question(project, frame.with_columns(rows["place"]), "numbers", version, spec)
    report = judge(asked)
    assert [check.code for check in report.failed] == ["GT005"]  # it is given away, and told
    assert report.baseline["rmse"] == pytest.approx(float(frame["late"].std(ddof=0) or 0))
    client(project).set_registered_model_alias("numbers", "champion", version)
    worse = LinearRegression().fit(x.assign(signal=rows["noise"].to_pandas()), frame["late"])
    other = register(project, "numbers", logged(project, worse, x), owner="ada")
    beaten = judge(question(project, frame, "numbers", other, GateSpec(task="regression")))
    assert {check.code for check in beaten.failed} >= {"GT003"}
    assert "tolerance 0" in check_of(beaten, "GT003").expected


def test_a_task_that_the_labels_are_not_of_is_told(project: Project, rows: pl.DataFrame) -> None:
    version = classifier(project, rows, "other-task", "signal")
    three = rows.with_columns(late=pl.Series([0, 1, 2] * 200))
    with pytest.raises(DataError, match="2 is none of the classes False, True"):
        judge(question(project, three, "other-task", version, GateSpec()))
    late = rows.filter("late")
    with pytest.raises(DataError, match=r"roc_auc is not defined on the 3.. rows of all"):
        judge(question(project, late, "other-task", version, GateSpec()))


def test_a_model_that_answers_otherwise_shows_its_rows(
    project: Project, rows: pl.DataFrame
) -> None:
    matrix = rows[["signal"]].to_numpy()
    model = LinearRegression().fit(matrix, rows["late"].to_numpy().astype(float))
    version = register(project, "liar", logged(project, model, matrix, ["signal"]), owner="ada")
    from workbench.gates import parity

    [honest] = compare_ways(project, "liar", version, ways=["batch"])
    assert honest.agrees
    shifted = {**parity._WAYS, "shifted": lambda recorded: recorded.answers + 1e-3}
    with pytest.MonkeyPatch.context() as patch:  # a further way is one more entry
        patch.setattr(parity, "_WAYS", shifted)
        [wrong] = compare_ways(project, "liar", version, ways=["shifted"])
    assert not wrong.agrees
    assert wrong.told == "600 of 600 rows differ"
    assert wrong.largest == pytest.approx(1e-3)
    assert set(wrong.differing[0]) == {"row", "notebook", "here", "values"}
    with pytest.raises(NotFoundError, match="unknown way of serving 'bath': did you mean batch"):
        compare_ways(project, "liar", version, ways=["bath"])


def test_without_recorded_rows_there_is_no_parity(project: Project, rows: pl.DataFrame) -> None:
    model = LogisticRegression().fit(rows[["signal"]].to_numpy(), rows["late"].to_numpy())
    version = register(project, "bare", logged(project, model, None, ["signal"]), owner="ada")
    spec = GateSpec(parity=ParitySpec(environment="same"))
    found = check_of(judge(question(project, rows, "bare", version, spec)), "GT008")
    assert found.outcome == "failed"
    assert "log it with example=" in found.explanation


def test_files_that_were_changed_are_not_scored(project: Project, rows: pl.DataFrame) -> None:
    version = classifier(project, rows, "edited", "signal")
    source = client(project).get_model_version("edited", version).source
    location = client(project).get_logged_model(source.rpartition("/")[2]).artifact_location
    requirements = Path(location.removeprefix("file://")) / "requirements.txt"
    requirements.write_text(requirements.read_text() + "evil==1.0\n")
    with pytest.raises(DataError, match="files were changed after it was logged"):
        Scorer.load(project, "edited", version)
    requirements.parent.joinpath("MLmodel").unlink()
    with pytest.raises(NotFoundError, match="can't be loaded"):
        Scorer.load(project, "edited", version)


def test_there_have_to_be_rows(project: Project, rows: pl.DataFrame) -> None:
    version = classifier(project, rows, "nobody", "signal")
    with pytest.raises(DataError, match="there are no labelled rows in all"):
        judge(question(project, rows.clear(), "nobody", version, GateSpec()))
    with pytest.raises(DataError, match="needs signal"):
        judge(question(project, rows.drop("signal"), "nobody", version, GateSpec()))


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"checks": ["WB999"]}, "unknown check 'WB999'"),
        ({"checks": {"WB001": {"nope": 1}}}, "nope"),
        ({"thresholds": {"roc_acu": {"min": 0.5}}}, "did you mean roc_auc"),
        ({"thresholds": {"roc_auc": {"least": 0.5}}}, "unknown key"),
        ({"slice_floors": {"late": 0.5}}, "unknown metric"),
        ({"metric": "base_rate"}, "neither good nor bad"),
        ({"task": "ranking"}, "task"),
        ({"task": "regression", "thresholds": {"brier": {"max": 1}}}, "of a regression task"),
        ({"approvals": {"boss": 1}}, "approvals"),
        ({"parity": {"environment": "mine"}}, "environment"),
    ],
)
def test_a_policy_with_a_mistake_names_it(policy: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        validate(GateSpec, policy, "factories/f.toml")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("tags", "status", "lacks"),
    [
        ({"execution.linear": "true"}, "FINISHED", "a commit or a snapshot of its code"),
        ({"mlflow.source.git.commit": "a"}, "FINISHED", "a fresh execution from top to bottom"),
        (
            {"mlflow.source.git.commit": "a", "execution.linear": "false"},
            "FINISHED",
            "--from-notebook",
        ),
        (TRACED, "FAILED", r"a finished execution \(it is FAILED\)"),
        ({**TRACED, "workbench.snapshot": "none: no"}, "FINISHED", "an owner"),
    ],
)
def test_what_cannot_be_traced_becomes_no_version(
    project: Project, rows: pl.DataFrame, tags: dict[str, str], status: str, lacks: str
) -> None:
    matrix = rows[["signal"]].to_numpy()
    model = LogisticRegression().fit(matrix, rows["late"].to_numpy())
    run_id = logged(project, model, matrix, ["signal"], tags=tags, status=status)
    with pytest.raises(GateRefusedError, match=f"it lacks.*{lacks}"):
        register(project, "untraced", run_id)
    with pytest.raises(NotFoundError):
        get_model(project, "untraced")


def test_all_that_is_missing_is_said_at_once(project: Project) -> None:
    run_id = create_run(project, "bare", tags={}, params={})
    with pytest.raises(NotFoundError, match="logged no model"):
        register(project, "bare", run_id)
    with pytest.raises(NotFoundError, match="unknown run 'nope'"):
        register(project, "bare", "nope")


def test_a_snapshot_stands_for_a_commit_and_the_owner_stays(
    project: Project, rows: pl.DataFrame
) -> None:
    matrix = rows[["signal"]].to_numpy()
    model = LogisticRegression().fit(matrix, rows["late"].to_numpy())
    tags = {"workbench.snapshot": "b" * 40, "execution.linear": "true"}
    first = logged(project, model, matrix, ["signal"], tags=tags)
    assert register(project, "snapped", first, owner="ada") == "1"
    second = logged(project, model, matrix, ["signal"], tags=tags)
    assert register(project, "snapped", second) == "2"
    assert [version.owner for version in get_model(project, "snapped").versions] == ["ada", "ada"]
