"""Panels in Python: the stored records as a table, a picture and widgets, whatever their names."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.projects import ready_project
from workbench import panels
from workbench.errors import NotFoundError, UsageError
from workbench.lineage import link
from workbench.panels.notebook import comparing, parts, pictures
from workbench.panels.notebook.panel import LARGEST, Panel, Still
from workbench.project import Project
from workbench.store import (
    AlertRow,
    FeatureStatisticsRow,
    FeatureViewRow,
    JobRow,
    WindowRow,
    database,
    now,
)
from workbench.tracking import client, initialise, list_runs

HOSTILE = "<img src=x onerror=alert(1)>'\"&"
START = datetime(2013, 7, 1, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"
VIEWS = ("runs", "models", "features", "jobs", "monitors")


class Page(HTMLParser):
    """The tags, classes and text of a page, as a browser takes them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "data-testid"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with some of everything, of which some has the worst of names."""
    project = ready_project(tmp_path_factory.mktemp("panels") / "project")
    _fill_registry(project)
    with database(project).session() as session:
        session.add_all(_jobs())
        session.add_all(_windows())
        session.add(_alert())
        session.add_all(_features())
    link(project, ["dataset:rows@aaaa1111"], "run:0123456789abcdef", "read")
    link(project, ["run:0123456789abcdef"], "model:late/1", HOSTILE)
    link(project, [f"cell:{HOSTILE}.ipynb#fit@1"], "run:0123456789abcdef", "ran")
    return project


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    (tmp_path / "workbench.toml").write_text('name = "empty"\n')
    return Project.find(tmp_path)


def _fill_registry(project: Project) -> None:
    experiment, mlflow = initialise(project), client(project)
    mlflow.create_registered_model("late")
    for place, (name, auc) in enumerate([("oldest", 0.61), (HOSTILE, 0.7123), ("third", 0.65)]):
        run = mlflow.create_run(experiment, run_name=name, start_time=1_700_000_000_000 + place)
        run_id = run.info.run_id
        mlflow.log_metric(run_id, "roc_auc", auc)
        mlflow.log_metric(run_id, "log_loss", 1 - auc)
        mlflow.log_metric(run_id, "cost_cpu_seconds", 5.0)
        mlflow.log_param(run_id, "depth", place + 3)
        mlflow.log_param(run_id, "text", HOSTILE)
        mlflow.set_terminated(run_id, ["FINISHED", "FAILED", "FINISHED"][place], 1_700_000_009_000)
        mlflow.create_model_version("late", str(project.root / "model"), run_id=run_id)
    mlflow.set_registered_model_alias("late", "champion", "2")


def _jobs() -> list[JobRow]:
    found = []
    for place, state in enumerate(["succeeded", "failed", "cancelled"]):
        ended = START + timedelta(minutes=place, seconds=5)
        found.append(
            JobRow(
                id=f"20240101-00000{place}-aa",
                notebook=f"notebooks/{HOSTILE}.ipynb",
                parameters={"x": HOSTILE},
                state=state,
                created_at=START + timedelta(minutes=place),
                started_at=START,
                finished_at=ended,
                error=f"ValueError: {HOSTILE}" if state == "failed" else None,
                error_cell=2 if state == "failed" else None,
            )
        )
    return found


def _windows() -> list[WindowRow]:
    metrics = {
        "rows": 1000,
        "labelled": 990,
        "labelled_share": 0.99,
        "roc_auc": 0.7294,
        "average_precision": 0.5,
        "brier": 0.19,
        "log_loss": None,
        "base_rate": 0.3,
        "prediction_mean": 0.28,
        "expected": {"roc_auc": 0.7481, "brier": 0.18},
        "thresholds": {"psi": 0.2, "prediction_psi": 0.2},
        "psi": {HOSTILE: 0.5},
        "missing": {HOSTILE: 0.0},
    }
    finding = {
        "kind": "feature_drift",
        "column": HOSTILE,
        "metric": "psi",
        "value": 0.5,
        "threshold": 0.2,
        "message": f"{HOSTILE} moved",
    }
    return [
        WindowRow(
            monitor="flights",
            model="late",
            version="2",
            window_start=START.replace(month=month),
            window_end=START.replace(month=month + 1),
            status=status,
            findings=[finding] if status == "alert" else [],
            metrics=metrics,
            job_id=None,
            evaluated_at=now(),
        )
        for month, status in ((7, "ok"), (8, "alert"))
    ]


def _alert() -> AlertRow:
    return AlertRow(
        monitor="flights",
        model="late",
        version="2",
        window_start=START.replace(month=8),
        state="open",
        cause="feature_drift",
        message=HOSTILE,
        owner=HOSTILE,
        job_id=None,
        opened_at=now(),
    )


def _features() -> list[Any]:
    definition = {
        "kind": "view",
        "description": HOSTILE,
        "entity": ["origin"],
        "features": {"temp": f"warmth {HOSTILE}", "wind": "speed"},
        "types": {"temp": "Float64", "wind": "Float64"},
        "sources": ["weather"],
        "owner": HOSTILE,
        "tags": [HOSTILE],
        "availability": "batch",
        "ttl": None,
        "code": "",
        "freshness": None,
    }
    windows = [
        FeatureStatisticsRow(
            view="weather",
            feature="temp",
            digest="d1",
            window_start=START.replace(month=month),
            window_end=START.replace(month=month + 1),
            rows=100,
            statistics={"nulls": 0, "mean": 10.0 + month},
            computed_at=now(),
        )
        for month in (5, 6, 7)
    ]
    view = FeatureViewRow(name="weather", digest="d1", definition=definition, applied_at=now())
    return [view, *windows]


def panel(name: str, project: Project, **options: Any) -> Panel:
    made = getattr(panels, name)(project=project, **options)
    assert isinstance(made, Panel)
    return made


def walked(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from walked(child)


def of_kind(widget: Any, kind: str) -> list[Any]:
    return [one for one in walked(widget) if type(one).__name__ == kind]


def markup(widget: Any) -> str:
    return "".join(one.value for one in of_kind(widget, "HTML"))


def control(widget: Any, label: str) -> Any:
    return next(one for one in walked(widget) if getattr(one, "description", None) == label)


def said(page: str) -> str:
    return "".join(Page(page).texts)


@pytest.mark.parametrize("name", VIEWS)
def test_a_panel_leaves_a_table_and_a_picture_and_no_name_becomes_markup(full, name):
    made = panel(name, full)
    page = Page(made.html)
    assert name in page.ids
    assert not {"img", "script"} & set(page.tags)
    assert made.png is not None
    assert made.png.startswith(PNG)
    width, height = struct.unpack(">II", made.png[16:24])
    assert width > 500
    assert height > 80
    assert repr(made).startswith(f"{name.capitalize()} of project\n")


@pytest.mark.parametrize("name", VIEWS)
def test_the_widget_says_the_same_and_no_name_becomes_markup(full, name):
    made = panel(name, full)
    shown = markup(made.widget)
    assert not {"img", "script"} & set(Page(shown).tags)
    table = made.html[made.html.index("<tbody>") : made.html.index("</tbody>")]
    assert table in shown
    assert made.widget is made.widget


@pytest.mark.parametrize("name", VIEWS)
def test_an_empty_project_says_what_comes_first(empty, name):
    made = panel(name, empty)
    assert "empty" in Page(made.html).ids
    assert made.png is None
    assert "empty" in Page(markup(made.widget)).ids


def test_runs_are_those_that_the_reader_finds(full):
    best = list_runs(full, order_by="metrics.roc_auc desc")[0]
    made = panel("runs", full, order_by="metrics.roc_auc desc", limit=2)
    words = said(made.html)
    assert "the first 2" in words
    assert words.index(best.run_id[:8]) < words.index("third")
    assert "0.7123" in words
    assert "oldest" not in words
    assert "cost_cpu_seconds" not in words
    assert HOSTILE in words
    with pytest.raises(UsageError, match="expected"):
        panel("runs", full, filter="metrics.roc_auc > 'high'")


def test_a_filter_a_sort_and_a_mistake_change_the_table(full):
    made = panel("runs", full)
    widget = made.widget
    control(widget, "Filter").value = "metrics.roc_auc > 0.7"
    assert HOSTILE in said(markup(widget))
    assert "third" not in said(markup(widget))
    control(widget, "Filter").value = "metrics.roc_auc >"
    assert "failure" in Page(markup(widget)).ids
    control(widget, "Filter").value = ""
    control(widget, "Sort").value = "metrics.`roc_auc` desc"
    words = said(markup(widget))
    assert words.index(HOSTILE) < words.index("third") < words.index("oldest")
    assert "failure" not in Page(markup(widget)).ids


def test_more_runs_come_when_asked_for(full):
    widget = panel("runs", full, limit=1).widget
    assert "the first 1" in said(markup(widget))
    control(widget, "More").click()
    assert "the first 2" in said(markup(widget))


def test_chosen_runs_stand_beside_each_other_and_in_the_scatter(full):
    widget = panel("runs", full).widget
    [chosen] = of_kind(widget, "SelectMultiple")
    ids = [value for _, value in chosen.options]
    assert len(ids) == 3
    chosen.value = ids[:2]
    page = markup(widget)
    assert {"compare-params", "compare-metrics"} <= set(Page(page).ids)
    assert "1 the same" in said(page)  # the parameter that both have
    assert "<tr class='wb-differs'><td>depth</td>" in page
    control(widget, "Also what is the same").value = True
    assert "<tr><td>text</td>" in markup(widget)
    assert not of_kind(widget, "BokehModel")
    control(widget, "Scatter").value = True
    assert len(of_kind(widget, "BokehModel")) == 1
    assert all(output.outputs == () for output in of_kind(widget, "Output"))
    control(widget, "Scatter").value = False
    assert not of_kind(widget, "BokehModel")


def test_the_scatter_has_a_dot_for_each_run_with_both_figures(full):
    found = list_runs(full, order_by="start_time")
    plot = comparing.scatter(found, [found[1].run_id], "metrics.roc_auc", "params.depth")
    data = plot.renderers[0].data_source.data
    assert data["x"] == [0.61, 0.7123, 0.65]
    assert data["y"] == [3.0, 4.0, 5.0]
    assert data["marker"] == ["circle", "square", "circle"]
    assert data["name"][1] == HOSTILE
    none = comparing.scatter(found, [], "metrics.roc_auc", "params.text")
    assert none.renderers[0].data_source.data["x"] == []


def test_models_say_what_is_in_production_and_how_it_fares(full):
    words = said(panel("models", full).html)
    assert "champion → 2" in words
    assert "alert" in words
    assert "0.712" in words


def test_monitors_draw_figures_only_when_asked(full):
    widget = panel("monitors", full).widget
    assert not of_kind(widget, "BokehModel")
    control(widget, "Draw").value = True
    assert len(of_kind(widget, "BokehModel")) == 4
    assert f"{HOSTILE} moved" in said(markup(widget))


def test_jobs_are_chosen_by_state(full):
    widget = panel("jobs", full).widget
    assert "1 succeeded, 1 failed, 1 cancelled" in said(markup(widget))
    control(widget, "State").value = "failed"
    words = said(markup(widget))
    assert f"cell 3: ValueError: {HOSTILE}" in words
    assert "succeeded" not in words
    control(widget, "State").value = "lost"
    assert "empty" in Page(markup(widget)).ids
    with pytest.raises(NotFoundError, match="queued"):
        panel("jobs", full, state="gone")


def test_jobs_are_read_again_when_asked(empty):
    widget = panel("jobs", empty).widget
    with database(empty).session() as session:
        session.add_all(_jobs())
    assert "failed" not in said(markup(widget))
    control(widget, "Refresh").click()
    assert "1 failed" in said(markup(widget))


def test_features_are_searched_as_one_types(full):
    widget = panel("features", full).widget
    assert {"weather:temp", "weather:wind"} <= set(Page(markup(widget)).texts)
    control(widget, "Search").value = "warmth"
    page = markup(widget)
    assert "weather:temp" in said(page)
    assert "weather:wind" not in said(page)
    assert "<polyline points='0.0,18.0 42.0,10.0 84.0,2.0'/>" in page
    control(widget, "Search").value = "nothing like it"
    assert "empty" in Page(markup(widget)).ids


def test_lineage_is_drawn_and_looked_at_from_elsewhere(full):
    made = panels.lineage("model:late/1", project=full)
    page = Page(made.html)
    assert "svg" in page.tags
    assert not {"img", "script"} & set(page.tags)
    assert made.png is not None
    assert "dataset:rows@aaaa1111" in repr(made)
    control(made.widget, "Node").value = "model:gone"
    assert "failure" in Page(markup(made.widget)).ids
    control(made.widget, "Node").value = "dataset:rows"
    assert "failure" not in Page(markup(made.widget)).ids
    with pytest.raises(NotFoundError):
        panels.lineage("model:gone", project=full)


def test_a_large_lineage_is_counted_and_stays_small(empty):
    for place in range(60):
        names = [f"dataset:{'x' * 60}{place}-{n}@1" for n in range(20)]
        link(empty, names, f"run:{place:032x}", "read")
        link(empty, [f"run:{place:032x}"], "model:late/1", "registered")
    made = panels.lineage("model:late/1", project=empty)
    assert written(made) < 300_000


def written(made: Panel) -> int:
    """Bytes that all forms take in a notebook's file."""
    bundle = made._repr_mimebundle_()
    png = bundle.pop("image/png", b"")
    return len(json.dumps(bundle).encode()) + len(png) * 4 // 3


def test_many_runs_with_long_names_stay_small_and_are_counted():
    columns = [parts.Column("Run"), parts.Column("Value", number=True)]
    rows = [[parts.words("ä<" * 500), parts.figure(float(n))] for n in range(5000)]
    table = parts.Table("many", columns, rows)
    html = table.html()
    assert len(html.encode()) < 120_000
    left = 5000 - html.count("</td></tr>")
    assert f"and {left:,} more" in said(html)
    series = [pictures.Series("$x$" * 40, [pictures.Mark("l" * 99, float(n)) for n in range(9999)])]
    png = pictures.lines(series * 12)
    assert png is not None
    assert len(png) < 100_000
    made = Panel(Still(html, png, table.text()), list, live=False)
    assert written(made) < LARGEST < 300_000


def test_what_is_too_large_for_a_file_leaves_its_picture_out_first_then_its_table():
    big = Panel(Still("x" * 200_000, PNG * 20_000, "t"), list, live=False)._repr_mimebundle_()
    assert "image/png" not in big
    bigger = Panel(Still("x" * 400_000, PNG * 10, "t"), list, live=False)._repr_mimebundle_()
    assert "Too large" in bigger["text/html"]
    assert bigger["image/png"] == PNG * 10


def test_outside_of_a_kernel_and_in_a_job_there_is_no_widget(full, monkeypatch):
    monkeypatch.delenv("WORKBENCH_JOB_ID", raising=False)
    view = "application/vnd.jupyter.widget-view+json"
    assert view not in panel("jobs", full)._repr_mimebundle_()

    class Shell:
        kernel = object()

    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: Shell())
    assert view in panel("jobs", full)._repr_mimebundle_()
    assert view not in panel("jobs", full, live=False)._repr_mimebundle_()
    monkeypatch.setitem(os.environ, "WORKBENCH_JOB_ID", "j1")
    assert view not in panel("jobs", full)._repr_mimebundle_()


def test_every_panel_is_found_where_the_others_are():
    assert {*VIEWS, "lineage"} <= set(dir(wb.panels))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = wb.panels.nothing


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "NaN"),
        (float("-inf"), "−∞"),
        (0.0, "0"),
        (1234567.0, "1,234,567"),
        (1e300, "1e+300"),
        (0.123456, "0.1235"),
    ],
)
def test_a_number_is_written_as_one_reads_it(value, text):
    assert parts.figure(value).text == text


def test_a_state_is_a_sign_and_a_word_and_an_unknown_one_no_error():
    assert "●" in parts.status("FINISHED").html
    assert "■" in parts.status("failed").html
    assert "○" in parts.status("queued").html
    assert said(parts.status(HOSTILE).html).endswith(HOSTILE.lower())
