"""The flights demo, on all real data, looked at through the command line as its user does."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest

from tests.conftest import run_cli

pytestmark = pytest.mark.demo

Json = Callable[..., Any]

MODEL = "flights-late"
LIBRARIES = ["catboost", "lightgbm", "sklearn", "xgboost"]
MONTHS = [f"2013-{month:02}-01" for month in range(7, 13)]


@pytest.fixture(scope="module")
def shown(demo_project: Path, cli_json: Json) -> Json:
    """What a command shows of the demo; each is asked once."""

    @cache
    def ask(*arguments: str) -> Any:
        return cli_json(*arguments, folder=demo_project)

    return ask


def _cells(notebook: Path) -> list[nbformat.NotebookNode]:
    return [c for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]


def test_every_job_succeeded_and_every_cell_of_its_record(demo_project: Path, shown: Json) -> None:
    jobs = shown("jobs", "list")
    assert Counter((job["notebook"], job["state"]) for job in jobs) == {
        ("notebooks/train.ipynb", "succeeded"): 5,
        ("notebooks/gate.ipynb", "succeeded"): 5,
        ("notebooks/monitor.ipynb", "succeeded"): 6,
    }
    for job in jobs:
        assert job["error"] is None
        assert job["started_at"] < job["finished_at"]
        cells = _cells(demo_project / job["output"])
        assert [cell.metadata.papermill.status for cell in cells] == ["completed"] * len(cells)
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        outputs = [output for cell in cells for output in cell.outputs]
        assert not [output for output in outputs if output.output_type == "error"]
        injected = next(c for c in cells if "injected-parameters" in c.metadata.get("tags", []))
        for name, value in job["params"].items():
            assert f"{name} = {json.dumps(value)}" in injected.source
        assert (demo_project / job["output"]).stat().st_size < 300_000


def test_four_runs_say_all_about_four_libraries(demo_project: Path, shown: Json) -> None:
    runs = shown("runs", "list", "--filter", "params.train_end = '2013-06-01'")
    assert sorted(run["params"]["library"] for run in runs) == LIBRARIES
    head = _git(demo_project, "rev-parse", "HEAD")
    for run in runs:
        assert run["status"] == "FINISHED"
        assert run["tags"]["mlflow.source.git.commit"] == head
        assert run["tags"]["workbench.dirty"] == "false"
        metrics = run["metrics"]
        # Better than always saying the base rate of the training data, by every measure.
        assert metrics["roc_auc"] > 0.7 > metrics["baseline_roc_auc"] == 0.5
        assert metrics["average_precision"] > metrics["base_rate"] > 0.3
        assert metrics["brier"] < metrics["baseline_brier"]
        assert metrics["log_loss"] < metrics["baseline_log_loss"]
    by_metric = shown("runs", "list", "--order-by", "metrics.roc_auc desc", "--limit", "2")
    assert len(by_metric) == 2
    assert by_metric[0]["metrics"]["roc_auc"] >= by_metric[1]["metrics"]["roc_auc"]


def test_a_run_holds_model_notebook_explanation_and_data(demo_project: Path, shown: Json) -> None:
    from workbench.project import Project
    from workbench.tracking import client

    mlflow = client(Project.find(demo_project))
    for run in shown("runs", "list"):
        found = mlflow.get_run(run["run_id"])
        used = {tag.value for entry in found.inputs.dataset_inputs for tag in entry.tags}
        assert {"training", "validation"} <= used
        assert all(entry.dataset.digest for entry in found.inputs.dataset_inputs)
        stored = {
            file.path
            for name in ("", "shap", "notebook")
            for file in mlflow.list_artifacts(run["run_id"], name)
        }
        assert {"reference.json", "shap/summary.json", "shap/summary.png"} <= stored
        assert "notebook/executed.ipynb" in stored
        assert len(found.outputs.model_outputs) == 1


def test_versions_passed_the_gate_and_one_is_champion(shown: Json) -> None:
    [model] = shown("models", "list")
    assert model == shown("models", "show", MODEL)
    assert model["name"] == MODEL
    assert len(model["versions"]) == 5
    assert {version["gate"] for version in model["versions"]} == {"passed"}
    champion = model["aliases"]["champion"]
    assert [v["version"] for v in model["versions"] if "champion" in v["aliases"]] == [champion]
    runs = {run["run_id"] for run in shown("runs", "list")}
    assert {version["run_id"] for version in model["versions"]} == runs


def test_decisions_name_their_evidence(shown: Json) -> None:
    first, second = shown("models", "history", MODEL)
    reports = [decision["evidence"]["report"] for decision in (first, second)]
    assert first["outcome"] == "promoted"
    assert reports[0]["window"] == "2013-06-01 to 2013-07-01"
    assert reports[0]["rows"] > 25_000
    metrics = reports[0]["metrics"]
    assert f"{metrics['roc_auc']:.4f} (base rate {metrics['base_rate']:.3f})" in first["reason"]
    # The challenger was judged on later flights, the same as the champion's.
    assert reports[1]["window"] == "2013-11-01 to 2014-01-01"
    assert reports[1]["champion_version"] == first["version"]
    better = reports[1]["metrics"]["roc_auc"] >= reports[1]["champion"]["roc_auc"]
    assert second["outcome"] == ("promoted" if better else "kept")


def test_scored_months_add_up_to_the_flights(demo_project: Path, shown: Json) -> None:
    windows = shown("score", "list")
    assert len(windows) == 6
    flights = pl.read_parquet(next((demo_project / ".workbench/offline/spines").glob("*.parquet")))
    local = pl.col("sched_dep").dt.convert_time_zone("America/New_York")
    second_half = flights.filter(local.dt.date() >= date(2013, 7, 1))
    assert sum(window["rows"] for window in windows) == second_half.height == 170_618
    champion = shown("models", "history", MODEL)[0]["version"]
    scored = pl.concat(pl.read_parquet(demo_project / window["path"]) for window in windows)
    assert sorted(scored["flight_id"]) == sorted(second_half["flight_id"])
    assert scored["model_name"].unique().to_list() == [MODEL]
    assert scored["model_version"].unique().to_list() == [champion]
    assert scored["prediction"].is_between(0, 1).all()


def test_monitored_months_have_findings_and_alerts_a_cause(shown: Json) -> None:
    windows = shown("monitor", "list")
    assert [window["window_start"][:10] for window in windows] == MONTHS
    alerts = shown("monitor", "alerts")
    in_alert = [w["window_start"] for w in windows if w["status"] == "alert"]
    assert sorted(alert["window_start"] for alert in alerts) == in_alert != []
    for alert in alerts:
        assert alert["cause"]
        assert alert["owner"] == "flights-team"
    for window in windows:
        metrics = window["metrics"]
        assert metrics["rows"] > 27_000
        assert metrics["labelled_share"] > 0.9
        assert (window["status"] == "ok") == (window["findings"] == [])
        for finding in window["findings"]:
            assert finding["message"]


def test_the_factory_says_which_model_and_why(demo_project: Path, shown: Json) -> None:
    outcome = shown("factory", "status", "flights")
    retraining = outcome["retraining"]
    assert retraining["outcome"] in ("promoted", "kept")
    assert "base rate" in retraining["reason"]
    assert outcome["champion"] == retraining["champion"]
    branch = retraining["branch"]
    changed = _git(demo_project, "diff", "--name-only", f"main...{branch}")
    assert changed == "factories/flights.toml"
    assert 'train = ["2013-01-01", "2013-10-01"]' in _git(
        demo_project, "show", f"{branch}:factories/flights.toml"
    )
    assert _git(demo_project, "status", "--porcelain") == ""
    assert _git(demo_project, "branch", "--show-current") == "main"


def test_the_chain_is_whole(demo_project: Path, shown: Json) -> None:
    """From the retrained run back to commits and data, over the windows that asked for it."""
    from workbench.lineage import upstream
    from workbench.project import Project

    [retrained] = [job for job in shown("jobs", "list") if job["label"].startswith("retrain")]
    edges = upstream(Project.find(demo_project), f"run:{retrained['run_id']}")
    kinds = {(edge.source.partition(":")[0], edge.target.partition(":")[0]) for edge in edges}
    assert {
        ("commit", "job"),
        ("job", "run"),
        ("dataset", "view"),
        ("view", "feature"),
        ("feature", "dataset"),
        ("dataset", "run"),
        ("run", "model"),
        ("model", "predictions"),
        ("predictions", "window"),
        ("window", "run"),
    } <= kinds


def test_features_are_listed_with_the_code_that_uses_them(shown: Json) -> None:
    names = [entry["name"] for entry in shown("features", "list")]
    assert {"weather:temp", "carrier:late_rate_24h", "origin:late_rate_7d"} <= set(names)
    assert "schedule:plane_age" in names
    [found] = shown("features", "search", "age plane")[:1]
    assert found["code"].startswith("import workbench as wb")


def test_any_days_are_scored_into_a_new_file(
    demo_project: Path, cli_json: Json, shown: Json, tmp_path: Path
) -> None:
    output = tmp_path / "two-days.parquet"
    days = ("--start", "2013-07-04", "--end", "2013-07-06", "--output", output)
    result = cli_json("score", "run", "flights", *days, folder=demo_project)
    scored = pl.read_parquet(output)
    assert scored.height == result["rows"] > 1_000
    [champion] = scored["model_version"].unique()
    assert champion == shown("models", "show", MODEL)["aliases"]["champion"]
    again = run_cli("score", "run", "flights", *days, folder=demo_project)
    assert again.returncode == 2
    assert "exists; name a new file" in again.stderr


def test_a_second_call_redoes_nothing(demo_project: Path, cli_json: Json, shown: Json) -> None:
    before = shown("factory", "status", "flights")
    again = cli_json("demo", demo_project)
    assert again == before


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
