"""What a person sees of a window: the notebook as it runs, its words and its pictures."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import polars as pl
import pytest

import workbench as wb
from workbench.monitoring import MonitorInputs, MonitorSpec, charts, evaluate, profile, report

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks/templates/flights/notebooks/monitor.ipynb"
START, END = datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 8, 1, tzinfo=UTC)


def inputs(rows: int = 1000, *, shift: float = 0.0) -> MonitorInputs:
    random = np.random.default_rng(3)
    frame = pl.DataFrame(
        {
            "flight_id": pl.Series([str(i) for i in range(rows)], dtype=pl.String),
            "temp|<b>": random.normal(size=rows) + shift,
            "prediction": random.random(rows),
        }
    )
    schema = {
        "flight_id": pl.String,
        "label": pl.Boolean,
        "known_at": pl.Datetime("us", "UTC"),
    }
    labels = frame.select("flight_id", label=pl.col("prediction") > 0.5, known_at=pl.lit(START))
    reference = pl.DataFrame(
        {"temp|<b>": random.normal(size=5000), "prediction": random.random(5000)}
    )
    return MonitorInputs(
        monitor="flights",
        model="late_flights",
        version="2",
        spec=MonitorSpec(notebook="monitor.ipynb", owner="ops"),
        reference=profile(reference, reference.columns),
        expected={"roc_auc": 0.9, "brier": 0.15},
        scored=frame,
        labels=labels.cast(schema),
        key="flight_id",
        window_start=START,
        window_end=END,
        as_of=END,
    )


def cells() -> list[nbformat.NotebookNode]:
    return nbformat.read(NOTEBOOK, as_version=4).cells


def test_the_notebook_is_a_clean_template():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    [parameters] = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert "factory: str =" in parameters.source
    assert "window_start: str =" in parameters.source


def test_the_notebook_evaluates_draws_and_records(tmp_path, monkeypatch):
    (tmp_path / "workbench.toml").write_text('name = "ground"\n')
    monkeypatch.chdir(tmp_path)
    loaded = SimpleNamespace(monitor_inputs=lambda start: inputs(shift=2.0))
    monkeypatch.setattr(wb, "factory", SimpleNamespace(load=lambda name: loaded), raising=False)
    space: dict = {}
    shown = []
    for cell in (cell for cell in cells() if cell.cell_type == "code"):
        *before, last = cell.source.rstrip().split("\n")
        if last.startswith(("report.", "charts.")):
            exec("\n".join(before), space)
            shown.append(eval(last, space))
        else:
            exec(cell.source, space)
    drawn = [each.png for each in shown if isinstance(each, charts.Chart)]
    assert len(drawn) == 3
    assert sum(map(len, drawn)) < 200_000
    [window] = wb.monitoring.list_windows(wb.Project.find(tmp_path))
    assert window.findings == space["result"].findings != ()


def test_the_words_say_the_stored_numbers_and_hide_no_markup():
    result = evaluate(inputs(shift=2.0))
    summary, findings = str(report.summary(result)), str(report.findings(result))
    assert "1,000 rows scored, 1,000 with known label (100.0%)" in summary
    assert f"| Brier score | {result.metrics['brier']:.4f} | 0.1500 |" in summary
    assert "| Average precision | 1.0000 | undefined |" in summary
    assert "late\\_flights" in summary
    [drifted] = [f for f in result.findings if f.kind == "feature_drift"]
    assert f"| {drifted.value:.3f} | 0.200 |" in findings
    assert "temp\\|&lt;b>" in findings
    rows = [line.replace("\\|", "") for line in findings.splitlines()]
    assert {line.count("|") for line in rows} == {7}


def test_nothing_found_and_nothing_known_are_said_in_words():
    quiet = evaluate(inputs())
    assert quiet.status == "ok"
    assert "No finding" in str(report.findings(quiet))
    given = inputs(0)
    empty = evaluate(given)
    assert "Not judged" in str(report.summary(empty))
    assert "0 rows scored" in str(report.summary(empty))


@pytest.mark.parametrize("draw", [charts.drift, charts.predictions, charts.reliability])
@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_every_chart_is_a_small_picture_whatever_the_window(draw, rows):
    chart = draw(evaluate(inputs(rows, shift=50.0)))
    assert chart._repr_png_().startswith(b"\x89PNG")
    assert len(chart.png) < 60_000
    assert chart.caption


def test_a_reference_without_predictions_is_said_on_the_chart():
    given = inputs()
    only_features = given.reference.model_copy(
        update={"columns": {"temp|<b>": given.reference.columns["temp|<b>"]}}
    )
    result = evaluate(dataclasses.replace(given, reference=only_features))
    assert "no predictions" in charts.predictions(result).caption
