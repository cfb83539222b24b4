"""The page as a whole, on a real database and a real registry; and how it is served."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from voila.paths import collect_template_paths

from workbench import panels
from workbench.errors import MissingExtraError
from workbench.monitoring import Finding, MonitorSpec, WindowResult, profile, record
from workbench.panels import load_models
from workbench.panels import voila as serving
from workbench.project import Project
from workbench.registry.decisions.chain import append
from workbench.store import DecisionRow, GateRow, database
from workbench.tracking import client, initialise

# MLflow 3.17 still says `lazy="noload"`, which SQLAlchemy 2.1 deprecates; nothing of ours does.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

START = datetime(2013, 7, 1, tzinfo=UTC)
MONTH = timedelta(days=31)
# One model is named by someone with bad intentions.
NAMES = ("late", "<script>x<b>")


def found(version: str) -> WindowResult:
    empty = profile(pl.DataFrame({"x": [1.0]}), ["x"])
    figures = {"roc_auc": 0.7294, "average_precision": 0.5, "brier": 0.19, "log_loss": 0.5}
    metrics = {
        **figures,
        "rows": 1000,
        "labelled": 990,
        "labelled_share": 0.99,
        "base_rate": 0.3,
        "prediction_mean": 0.28,
        "expected": figures,
        "thresholds": {"psi": 0.2, "prediction_psi": 0.2},
        "psi": {"temp": 0.5},
        "missing": {"temp": 0.0},
    }
    moved = Finding(
        kind="feature_drift", column="temp", metric="psi", value=0.5, threshold=0.2, message="moved"
    )
    return WindowResult(
        monitor="flights",
        model="late",
        version=version,
        owner="ops",
        window_start=START,
        window_end=START + MONTH,
        status="alert",
        findings=(moved,),
        metrics=metrics,
        spec=MonitorSpec(notebook="m.ipynb", owner="ops", alert_on=["feature_drift"]),
        reference=empty,
        current=empty,
        drift=(),
        reliability=(),
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two models; the first with two versions, three decisions, a window and an alert."""
    root = tmp_path_factory.mktemp("filled")
    (root / "workbench.toml").write_text('name = "filled"\n')
    project = Project.find(root)
    experiment, registry = initialise(project), client(project)
    for name in NAMES:
        registry.create_registered_model(name)
        for auc in (0.6, 0.7):
            run = registry.create_run(experiment).info.run_id
            registry.log_metric(run, "roc_auc", auc)
            registry.create_model_version(name, str(root / "model"), run_id=run)
    registry.set_registered_model_alias("late", "champion", "2")
    with database(project).session() as session:
        for version, outcome in (("1", "promoted"), ("2", "kept"), ("2", "promoted")):
            append(session, _decision(version, outcome))
        session.add(_gate("2"))
    record(project, found("2"), job_id="j1")
    return project


def _decision(version: str, outcome: str) -> DecisionRow:
    return DecisionRow(
        factory="flights",
        model="late",
        alias="champion",
        version=version,
        previous=None,
        outcome=outcome,
        reason=f"{version} {outcome}",
        evidence={},
        decided_by="ada",
        role="approver",
        override=False,
        decided_at=START,
    )


def _gate(version: str) -> GateRow:
    return GateRow(
        factory="flights",
        model="late",
        version=version,
        policy="p",
        outcome="passed",
        report={},
        digest="d",
        evaluated_at=START,
    )


def markup(widget: object) -> str:
    """All HTML of a page, in order."""
    own = getattr(widget, "value", "") if type(widget).__name__ == "HTML" else ""
    return own + "".join(markup(child) for child in getattr(widget, "children", ()))


def kinds(widget: object) -> list[str]:
    inner = [kind for child in getattr(widget, "children", ()) for kind in kinds(child)]
    return [type(widget).__name__, *inner]


def test_models_are_read_as_they_are_recorded(filled):
    views = {view.name: view for view in load_models(filled)}
    assert sorted(views) == sorted(NAMES)
    late = views["late"]
    assert late.champion is not None
    assert (late.champion.version, late.champion.gate) == ("2", "passed")
    assert late.champion.metrics == {"roc_auc": 0.7}
    assert late.promotion is not None
    assert late.promotion.reason == "2 promoted"
    assert [d.reason for d in late.decisions] == ["2 promoted", "2 kept", "1 promoted"]
    assert [v.version for v in late.versions] == ["2", "1"]
    assert (len(late.windows), late.open_alerts, late.health.tone) == (1, 1, "alert")
    assert views[NAMES[1]].windows == views[NAMES[1]].alerts == ()


def test_a_model_that_left_the_registry_is_still_shown(filled, monkeypatch):
    monkeypatch.setattr("workbench.panels.view.list_models", lambda project: [])
    [view] = load_models(filled)
    assert (view.name, view.champion, view.versions, len(view.windows)) == ("late", None, (), 1)


def test_the_page_shows_the_champion_first_and_changes_with_the_selector(filled):
    page = panels.overview(filled)
    assert kinds(page).count("BokehModel") == 4
    assert "0.729" in markup(page)
    assert "<script" not in markup(page)
    choice = page.children[1].children[1]
    assert choice.value == "late"
    assert set(choice.options) == set(NAMES)
    choice.value = NAMES[1]
    assert "No window has been judged yet" in markup(page)
    assert kinds(page).count("BokehModel") == 0
    choice.value = "late"
    assert kinds(page).count("BokehModel") == 4


def test_the_model_can_be_asked_for_and_an_unknown_one_is_no_error(filled):
    assert "No version is the champion" in markup(panels.overview(filled, model=NAMES[1]))
    assert "0.729" in markup(panels.overview(filled, model="gone"))


def test_an_empty_project_says_what_comes_first(tmp_path):
    (tmp_path / "workbench.toml").write_text('name = "empty"\n')
    page = panels.overview(Project.find(tmp_path))
    assert "No model is registered yet" in markup(page)
    assert "Dropdown" not in kinds(page)


def test_the_project_is_named_by_the_environment_or_found_around(tmp_path, monkeypatch):
    (tmp_path / "workbench.toml").write_text('name = "around"\n')
    inner = tmp_path / "notebooks" / "dashboards"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    monkeypatch.delenv("WORKBENCH_PROJECT", raising=False)
    assert panels.resolve_project().root == tmp_path
    named = tmp_path / "named"
    named.mkdir()
    (named / "workbench.toml").write_text('name = "named"\n')
    monkeypatch.setenv("WORKBENCH_PROJECT", str(named))
    assert panels.resolve_project().name == "named"


def test_a_missing_extra_says_what_to_type(filled, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyter_bokeh", None)  # as if it weren't installed
    with pytest.raises(MissingExtraError, match=r'pip install "jupyter-workbench\[dashboard\]"'):
        panels.prepare(filled)


def test_the_command_serves_the_projects_own_dashboards_on_loopback_with_a_token(filled):
    own = filled.root / "notebooks" / "dashboards"
    assert serving.dashboards(filled) != own  # until it has one
    own.mkdir(parents=True)
    (own / "mine.ipynb").write_text("{}")
    command = panels.voila_command(filled, port=1234, open_browser=False, preheat=True)
    assert command[1:5] == ["-m", "workbench.panels.server", str(own), "--token"]
    assert {"--port=1234", "--Voila.ip=127.0.0.1", "--no-browser"} <= set(command)
    assert {"--preheat_kernel=True", "--show_tracebacks=False"} <= set(command)
    assert sum("extension_allowlist" in flag for flag in command) == len(serving.EXTENSIONS)
    assert "--no-browser" not in panels.voila_command(filled, port=1, open_browser=True)


def test_kernels_are_told_the_project_and_our_template_is_found(filled):
    assert panels.voila_environment(filled)["WORKBENCH_PROJECT"] == str(filled.root)
    [found, *_] = collect_template_paths(["voila"], serving.TEMPLATE)
    assert (Path(found) / "index.html.j2").is_file()
    assert Path(found).parts[-2:] == ("templates", "workbench")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("model=late&theme=dark", {"model": "late", "theme": "dark"}),
        ("model=a%26b&token=secret", {"model": "a&b"}),
        ("theme=%3Cb%3E", {}),
        ("", {}),
    ],
)
def test_the_address_chooses_model_and_theme_and_nothing_else(monkeypatch, address, expected):
    monkeypatch.setenv("QUERY_STRING", address)
    assert panels.query() == expected


def test_outside_voila_nothing_is_chosen(monkeypatch):
    monkeypatch.delenv("QUERY_STRING", raising=False)
    assert panels.query() == {}
