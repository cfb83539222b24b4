"""What recording leaves in a real database: one row a window, one alert, whatever is repeated."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from workbench.errors import NotFoundError
from workbench.monitoring import (
    Finding,
    MonitorSpec,
    WindowResult,
    acknowledge,
    list_alerts,
    list_windows,
    profile,
    record,
)
from workbench.project import Project

START = datetime(2013, 7, 1, tzinfo=UTC)
SPEC = MonitorSpec(notebook="monitor.ipynb", owner="ops")
EMPTY = profile(pl.DataFrame({"x": [1.0]}), ["x"])
FELL = Finding(
    kind="performance",
    column=None,
    metric="roc_auc",
    value=0.6,
    threshold=0.7,
    message="ROC AUC fell to 0.600",
)
MOVED = Finding(
    kind="feature_drift", column="wind", metric="psi", value=0.5, threshold=0.2, message="wind"
)


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("WORKBENCH_JOB_ID", raising=False)
    (tmp_path / "workbench.toml").write_text('name = "ground"\n')
    return Project.find(tmp_path)


def result(status: str = "ok", *findings: Finding, monitor: str = "flights", month: int = 7):
    start = START.replace(month=month)
    return WindowResult(
        monitor=monitor,
        model="late",
        version="3",
        owner="ops",
        window_start=start,
        window_end=start + timedelta(days=31),
        status=status,
        findings=findings,
        metrics={"rows": 1000, "roc_auc": 0.6, "psi": {"wind": None}},
        spec=SPEC,
        reference=EMPTY,
        current=EMPTY,
        drift=(),
        reliability=(),
    )


def test_a_recorded_window_reads_back_as_it_was(ground):
    kept = record(ground, result("alert", FELL, MOVED), job_id="j1")
    assert list_windows(ground) == [kept]
    assert (kept.status, kept.findings, kept.job_id) == ("alert", (FELL, MOVED), "j1")
    assert kept.metrics == {"rows": 1000, "roc_auc": 0.6, "psi": {"wind": None}}
    assert (kept.window_start, kept.evaluated_at.tzinfo) == (START, UTC)


def test_recording_again_changes_nothing_but_the_moment(ground):
    first = record(ground, result("alert", FELL, MOVED), job_id="j1")
    alerts = list_alerts(ground)
    again = record(ground, result("alert", FELL, MOVED), job_id="j1")
    assert again.evaluated_at > first.evaluated_at
    assert again == first.model_copy(update={"evaluated_at": again.evaluated_at})
    assert list_windows(ground) == [again]
    assert list_alerts(ground) == alerts


def test_an_alert_names_its_main_cause_and_its_owner(ground):
    record(ground, result("alert", FELL, MOVED, MOVED), job_id="j1")
    [alert] = list_alerts(ground)
    assert (alert.state, alert.cause, alert.owner) == ("open", "performance: roc_auc", "ops")
    assert alert.message == "ROC AUC fell to 0.600; and wind (1 more)"
    assert (alert.model, alert.version, alert.job_id) == ("late", "3", "j1")


def test_the_cause_is_what_alerted_not_what_only_warns(ground):
    only_features = SPEC.model_copy(update={"alert_on": ["feature_drift"]})
    record(ground, dataclasses.replace(result("alert", FELL, MOVED), spec=only_features))
    assert list_alerts(ground)[0].cause == "feature_drift: wind"


@pytest.mark.parametrize("status", ["ok", "warning", "insufficient"])
def test_only_alerts_open_an_alert(ground, status):
    record(ground, result(status, *([MOVED] if status == "warning" else [])))
    assert list_alerts(ground) == []
    assert list_windows(ground)[0].status == status


@pytest.mark.parametrize("status", ["ok", "warning", "insufficient"])
def test_an_alert_is_resolved_when_the_window_no_longer_alerts(ground, status):
    record(ground, result("alert", FELL))
    record(ground, result(status))
    [alert] = list_alerts(ground)
    assert (alert.state, alert.cause) == ("resolved", "performance: roc_auc")


def test_an_acknowledged_alert_stays_so_until_it_is_resolved(ground):
    record(ground, result("alert", FELL))
    [opened] = list_alerts(ground)
    assert acknowledge(ground, opened.id)[0].state == "acknowledged"
    record(ground, result("alert", MOVED, FELL))
    [kept] = list_alerts(ground)
    assert (kept.state, kept.opened_at) == ("acknowledged", opened.opened_at)
    record(ground, result("ok"))
    assert acknowledge(ground, opened.id)[0].state == "resolved"
    record(ground, result("alert", FELL))
    [reopened] = list_alerts(ground)
    assert (reopened.id, reopened.state) == (opened.id, "open")
    assert reopened.opened_at > opened.opened_at


def test_an_unknown_alert_is_named_and_no_other_is_taken(ground):
    record(ground, result("alert", FELL))
    [opened] = list_alerts(ground)
    with pytest.raises(NotFoundError, match="unknown alert '99'"):
        acknowledge(ground, opened.id, 99)
    assert [alert.state for alert in list_alerts(ground)] == ["open"]


def test_windows_are_listed_by_monitor_and_time_alerts_newest_first(ground):
    for monitor, month in (("flights", 9), ("rides", 7), ("flights", 7), ("flights", 8)):
        record(ground, result("alert", FELL, monitor=monitor, month=month))
    listed = [(w.monitor, w.window_start.month) for w in list_windows(ground)]
    assert listed == [("flights", 7), ("flights", 8), ("flights", 9), ("rides", 7)]
    assert [w.window_start.month for w in list_windows(ground, "rides")] == [7]
    assert [a.window_start.month for a in list_alerts(ground, "flights")] == [9, 8, 7]
    assert list_windows(ground, "nothing") == []


def test_the_job_is_found_in_the_environment(ground, monkeypatch):
    assert record(ground, result()).job_id is None
    monkeypatch.setenv("WORKBENCH_JOB_ID", "j7")
    assert record(ground, result()).job_id == "j7"
    assert record(ground, result(), job_id="j8").job_id == "j8"


def test_many_at_once_leave_one_window_and_one_alert(ground):
    record(ground, result("ok"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: record(ground, result("alert", FELL), job_id=f"j{i}"), range(24)))
    assert len(list_windows(ground)) == len(list_alerts(ground)) == 1
