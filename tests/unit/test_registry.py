"""No evidence, no promotion: versions, gates and decisions on a real MLflow store."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from tests.models import TRACED, judged, late_rows, made, trained
from tests.projects import ready_project
from workbench.errors import DataError, GateRefusedError, NotFoundError
from workbench.gates import GateSpec, Threshold
from workbench.gates.requirements import latency
from workbench.project import Project
from workbench.registry import (
    Check,
    Scorer,
    get_model,
    list_decisions,
    promote,
    record_refusal,
    register,
)
from workbench.tracking import client, create_run, current_run, load_model

NEIGHBOURS = [
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
]


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return late_rows(400)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for the module: what a test makes has a name of its own."""
    return ready_project(tmp_path_factory.mktemp("registry") / "project")


def test_from_run_to_champion_with_evidence(project: Project, rows: pl.DataFrame) -> None:
    version = made(project, rows, "good")
    assert version == "1"
    with pytest.raises(GateRefusedError, match="it has been through no gate"):
        promote(project, "good", version, "champion", reason="too early")
    report = judged(project, rows, "good", version)
    assert report.outcome == "passed"
    decision = promote(project, "good", version, "champion", reason="it is good")
    assert decision.evidence["digest"] == report.digest
    assert (decision.previous, decision.reason) == (None, "it is good")
    model = get_model(project, "good")
    assert model.aliases == {"champion": "1"}
    assert [(v.version, v.gate, v.aliases) for v in model.versions] == [
        ("1", "passed", ["champion"])
    ]
    # Any MLflow client sees the same.
    assert str(client(project).get_model_version_by_alias("good", "champion").version) == "1"


def test_a_stored_model_scores_as_it_did_when_trained(project: Project, rows: pl.DataFrame) -> None:
    version = made(project, rows, "same", ["signal", "noise"])
    features = rows.select("signal", "noise").to_numpy()
    expected = LogisticRegression().fit(features, rows["late"].to_numpy()).predict_proba(features)
    scorer = Scorer.load(project, "same", version)
    assert scorer.columns == ["signal", "noise"]
    # The order of the frame's columns doesn't matter, the signature's does.
    np.testing.assert_allclose(scorer.score(rows.select("noise", "signal")), expected[:, 1])
    assert scorer.score(rows.clear()).shape == (0,)
    with pytest.raises(DataError, match="needs noise"):
        scorer.score(rows.drop("noise"))


def test_a_version_without_evidence_of_quality_is_refused(
    project: Project, rows: pl.DataFrame
) -> None:
    version = made(project, rows, "poor", ["noise"])
    spec = GateSpec(thresholds={"roc_auc": Threshold(min=0.8)})
    report = judged(project, rows, "poor", version, spec)
    outcomes = {check.code: check.outcome for check in report.checks}
    assert report.outcome == "failed"
    assert outcomes["GT001"] == "failed"
    assert outcomes["GT003"] == "not applicable"
    with pytest.raises(GateRefusedError, match="roc_auc within its bounds"):
        promote(project, "poor", version, "champion", reason="please")
    assert list_decisions(project, "poor") == []
    assert get_model(project, "poor").aliases == {}


def test_a_challenger_must_not_be_worse_than_the_champion(
    project: Project, rows: pl.DataFrame
) -> None:
    good = made(project, rows, "rivals")
    judged(project, rows, "rivals", good)
    promote(project, "rivals", good, "champion", reason="first")
    worse = made(project, rows, "rivals", ["noise"])
    lenient = GateSpec(beat_baseline=[])
    report = judged(project, rows, "rivals", worse, lenient)
    [check] = [check for check in report.checks if check.code == "GT003"]
    assert check.outcome == "failed"
    assert report.champion_version == good
    assert report.champion is not None
    assert report.champion["roc_auc"] > report.metrics["roc_auc"]
    for _ in range(2):  # writing it down again, as after a kill, adds nothing
        record_refusal(
            project, "rivals", worse, "champion", reason="worse", report=report, factory="f"
        )
    assert [(d.version, d.outcome) for d in list_decisions(project, "rivals")] == [
        (good, "promoted"),
        (worse, "kept"),
    ]
    assert get_model(project, "rivals").aliases == {"champion": good}
    tolerant = GateSpec(beat_baseline=[], champion_tolerance=1)
    assert judged(project, rows, "rivals", worse, tolerant).outcome == "passed"


def test_a_gate_counts_for_the_policy_it_was_held_under(
    project: Project, rows: pl.DataFrame
) -> None:
    version = made(project, rows, "policy")
    asked = GateSpec()
    judged(project, rows, "policy", version, asked, factory="f")
    stricter = GateSpec(thresholds={"brier": Threshold(max=0.2)})
    for policies in ({"f": stricter.digest}, {"easy": asked.digest}, {}):
        with pytest.raises(GateRefusedError, match="another policy"):
            promote(project, "policy", version, "champion", reason="r", policies=policies)
    today = {"f": asked.digest, "easy": stricter.digest}
    promote(project, "policy", version, "champion", reason="r", policies=today)


def test_who_holds_the_alias_is_not_what_it_was_compared_with_then(
    project: Project, rows: pl.DataFrame
) -> None:
    """A champion that was judged beside itself doesn't come back over a later one by that."""
    first = made(project, rows, "again")
    judged(project, rows, "again", first)
    promote(project, "again", first, "champion", reason="r")
    anew = GateSpec(thresholds={"roc_auc": Threshold(min=0.5)})
    judged(project, rows, "again", first, anew)  # beside itself
    second = made(project, rows, "again")
    judged(project, rows, "again", second)
    promote(project, "again", second, "champion", reason="r")
    with pytest.raises(GateRefusedError, match=f"compared with version {first}, and version"):
        promote(project, "again", first, "champion", reason="back")


def test_what_failed_is_judged_again(project: Project, rows: pl.DataFrame) -> None:
    """The machine may have been at fault: no network for the fresh process, or too much to do."""
    version = made(project, rows, "unlucky")
    hasty = GateSpec(max_latency_ms=1e-9)
    assert judged(project, rows, "unlucky", version, hasty).outcome == "failed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "_seconds", lambda question: [0.0])
        assert judged(project, rows, "unlucky", version, hasty).outcome == "passed"
    assert judged(project, rows, "unlucky", version, hasty).outcome == "passed"


def test_the_same_question_has_one_report(project: Project, rows: pl.DataFrame) -> None:
    version = made(project, rows, "once")
    first = judged(project, rows, "once", version)
    assert judged(project, rows, "once", version) == first
    assert judged(project, rows.head(300), "once", version) != first


def test_a_promotion_that_was_cut_short_is_completed(project: Project, rows: pl.DataFrame) -> None:
    """Killed between the decision and the alias: the next call moves the alias, decides nothing."""
    version = made(project, rows, "cut")
    judged(project, rows, "cut", version)
    promote(project, "cut", version, "champion", reason="r")
    client(project).delete_registered_model_alias("cut", "champion")
    client(project).delete_registered_model_tag("cut", "workbench.decision.champion")
    promote(project, "cut", version, "champion", reason="r")
    assert get_model(project, "cut").aliases == {"champion": version}
    assert len(list_decisions(project, "cut")) == 1


def test_registering_a_run_twice_gives_one_version(project: Project, rows: pl.DataFrame) -> None:
    run_id = trained(project, rows)
    versions = [register(project, "twice", run_id, owner="ada") for _ in range(2)]
    assert versions == ["1", "1"]


def test_unknown_models_and_versions_are_named(project: Project, rows: pl.DataFrame) -> None:
    made(project, rows, "known")
    with pytest.raises(NotFoundError, match=r"unknown model 'knwon': did you mean known\?"):
        get_model(project, "knwon")
    with pytest.raises(NotFoundError, match="unknown version '7' of model known: there are: 1"):
        promote(project, "known", "7", "champion", reason="r")


def test_types_that_nobody_trusts_are_neither_stored_nor_loaded(
    project: Project, rows: pl.DataFrame
) -> None:
    import mlflow
    from mlflow.models import infer_signature

    features = rows.select("signal").to_numpy()
    model = KNeighborsClassifier(algorithm="kd_tree").fit(features, rows["late"].to_numpy())
    run_id = create_run(project, "untrusted", tags=TRACED, params={})
    mlflow.set_tracking_uri(project.tracking_uri)
    with mlflow.start_run(run_id=run_id):
        with pytest.raises(DataError, match=r"KDTree'\]; if you do, add them"):
            current_run(project).log_model(model, ["signal"])
        # Stored by somebody who trusts them: the file's own word for it doesn't count here.
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(rows.select("signal").to_pandas()),
            skops_trusted_types=NEIGHBOURS,
        )
        with pytest.raises(DataError, match="KDTree"):
            load_model(project, info.model_uri)
    trusting = project.settings.model_copy(update={"trusted_types": NEIGHBOURS})
    load_model(Project(project.root, trusting), info.model_uri)


def test_a_pickle_is_not_opened(project: Project, rows: pl.DataFrame, tmp_path: Path) -> None:
    import mlflow

    class Bomb(LogisticRegression):
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    run_id = create_run(project, "pickled", tags=TRACED, params={})
    mlflow.set_tracking_uri(project.tracking_uri)
    with mlflow.start_run(run_id=run_id), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow warns of what this test is about
        info = mlflow.sklearn.log_model(
            Bomb(), name="model", serialization_format="cloudpickle", pip_requirements=[]
        )
    with pytest.raises(DataError, match="could only be loaded by running code of its own"):
        load_model(project, info.model_uri)
    assert not (tmp_path / "exploded").exists()


def test_a_check_is_one_of_three_outcomes() -> None:
    with pytest.raises(ValueError, match="outcome"):
        Check(code="X", title="x", outcome="maybe", found=None, expected="")  # type: ignore[arg-type]
