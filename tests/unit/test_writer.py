"""Logging to a run: what is taken, what is refused and when, and that it stands as MLflow's own."""

from __future__ import annotations

import json
import logging
import math
import os
import posixpath
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.projects import ready_project
from workbench.errors import UsageError
from workbench.project import Project
from workbench.tracking.bulk import (
    insert_end,
    insert_metrics,
    insert_params,
    insert_run,
    insert_tags,
)
from workbench.tracking.delivery import Refusal, deliver
from workbench.tracking.entries import NotANumberError, check_name, check_path, shortened
from workbench.tracking.lifecycle import create_run, finish_run, read_json, read_text
from workbench.tracking.session import Run
from workbench.tracking.spool import Spool, encode
from workbench.tracking.store import client
from workbench.tracking.writer import Writer

_LOGGER = "workbench.tracking"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for the module: each test has a run of its own."""
    return ready_project(tmp_path_factory.mktemp("writer") / "project")


@pytest.fixture
def run_id(project: Project) -> str:
    return create_run(project, "r", tags={}, params={})


@pytest.fixture
def writer(project: Project, run_id: str) -> Iterator[Writer]:
    opened = Writer(project, run_id)
    yield opened
    opened.close()


def _history(project: Project, run_id: str, key: str) -> list[tuple[int, float]]:
    return [(m.step, m.value) for m in client(project).get_metric_history(run_id, key)]


def _data(project: Project, run_id: str) -> Any:
    return client(project).get_run(run_id).data


def _database(project: Project) -> Path:
    return project.state / "mlflow.db"


def _rows(project: Project, run_id: str, table: str) -> list[tuple[Any, ...]]:
    query = f"select key, value, timestamp, step, is_nan from {table} where run_uuid = ?"
    with closing(sqlite3.connect(_database(project))) as db:
        return sorted(db.execute(query, (run_id,)))


def _refused(project: Project, run_id: str) -> list[dict[str, Any]]:
    path = project.state / "spool" / "refused" / f"{run_id}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _left(project: Project, run_id: str) -> list[Path]:
    return list((project.state / "spool").glob(f"{run_id}-*"))


def test_what_is_logged_arrives(project: Project, run_id: str, writer: Writer) -> None:
    for step in range(2500):
        writer.metric("loss", step / 2, step)
    writer.metrics({"a": 1, "b": 2}, step=3)
    writer.params({"depth": 3, "rate": 0.1, "none": None})
    writer.tags({"stage": "try"})
    writer.tags({"stage": "done"})
    assert writer.flush()
    assert writer.waiting == 0
    assert _history(project, run_id, "loss") == [(step, step / 2) for step in range(2500)]
    data = _data(project, run_id)
    assert data.params == {"depth": "3", "rate": "0.1", "none": "None"}
    assert data.tags["stage"] == "done"
    assert data.metrics == {"loss": 2499 / 2, "a": 1.0, "b": 2.0}
    writer.close()
    assert not _left(project, run_id)
    writer.metric("later", 1)  # a closed writer begins again
    assert writer.flush()
    assert _history(project, run_id, "later") == [(0, 1.0)]


def test_it_is_on_disk_when_the_call_returns(project: Project, run_id: str, writer: Writer) -> None:
    writer.metric("loss", 0.5)
    [spool] = _left(project, run_id)
    assert '["metric", "loss", 0.5' in spool.read_text()


METRIC = st.tuples(
    st.just("metric"),
    st.sampled_from(["a", "b", "c d/e", "ü"]),
    st.one_of(st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0]), st.floats(-2, 2)),
    st.integers(0, 3),
    st.integers(-2, 3),
).map(list)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(METRIC, min_size=1, max_size=12), min_size=1, max_size=3))
def test_straight_into_sqlite_is_what_mlflow_writes(
    project: Project, batches: Sequence[Sequence[list[Any]]]
) -> None:
    from mlflow.entities import Metric

    mlflow = client(project)
    experiment = mlflow.get_experiment_by_name(project.name).experiment_id
    theirs, ours = (mlflow.create_run(experiment).info.run_id for _ in range(2))
    for batch in batches:
        mlflow.log_batch(theirs, metrics=[Metric(*entry[1:]) for entry in batch])
        for _ in range(2):  # twice changes nothing
            assert insert_metrics(_database(project), ours, batch)
    for table in ("metrics", "latest_metrics"):
        assert _rows(project, ours, table) == _rows(project, theirs, table)


def test_an_unknown_schema_or_run_is_left_to_mlflow(project: Project, tmp_path: Path) -> None:
    run_id = create_run(project, "r", tags={}, params={})
    copy = tmp_path / "copy.db"
    with (
        closing(sqlite3.connect(_database(project))) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        assert insert_metrics(copy, run_id, [["metric", "a", 1.0, 1, 1]])
        assert not insert_metrics(copy, "nobody", [["metric", "a", 1.0, 1, 1]])
        target.execute("update alembic_version set version_num = 'of the future'")
        target.commit()
    assert not insert_metrics(copy, run_id, [["metric", "b", 1.0, 1, 1]])
    assert not insert_params(copy, run_id, [["param", "b", "1"]])


def test_through_mlflows_own_call_it_is_the_same(
    project: Project, run_id: str, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.tracking.sending.sqlite_file", lambda _: None)
    entries = [
        ["metric", "a", value, 5, step] for step, value in enumerate([1.0, math.nan, -math.inf])
    ]
    writer.params({f"p{number}": number for number in range(250)})
    for _, key, value, stamp, step in entries:
        writer.metric(key, value, step, stamp)
    assert writer.flush()
    other = create_run(project, "r", tags={}, params={})
    insert_metrics(_database(project), other, entries)
    assert _rows(project, run_id, "metrics") == _rows(project, other, "metrics")
    assert len(_data(project, run_id).params) == 250


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (1, 1.0),
        (True, 1.0),
        (Decimal("0.25"), 0.25),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7.0),
        (np.True_, 1.0),
        (np.array(2.5), 2.5),
        (pl.Series([1.5, 2.5]).mean(), 2.0),
        (math.inf, 1.7976931348623157e308),  # MLflow's word for it
        (-math.inf, -1.7976931348623157e308),
        (5e-324, 5e-324),
    ],
)
def test_numbers_of_every_kind(
    project: Project, run_id: str, writer: Writer, value: Any, stored: float
) -> None:
    writer.metric("m", value)
    assert writer.flush()
    assert _history(project, run_id, "m") == [(0, stored)]


def test_nan_is_a_value(project: Project, run_id: str, writer: Writer) -> None:
    writer.metric("m", math.nan)
    assert writer.flush()
    [(_, value)] = _history(project, run_id, "m")
    assert math.isnan(value)


@pytest.mark.parametrize("value", ["3", b"3", None, [1], {}, 1j, object(), np.array([1, 2])])
def test_what_is_no_number_is_refused_at_the_call(writer: Writer, value: Any) -> None:
    with pytest.raises(NotANumberError, match="metric 'm'") as refusal:
        writer.metrics({"fine": 1, "m": value})
    assert isinstance(refusal.value, TypeError)
    assert writer.waiting == 0  # none of them


@pytest.mark.parametrize(
    ("step", "timestamp", "said"),
    [
        ("1", None, "step '1'"),
        (1.5, None, "step 1.5"),
        (2**63, None, "step"),
        (math.nan, None, "step nan"),
        (0, -1, "timestamp -1"),
        (0, 1.5, "timestamp 1.5"),
    ],
)
def test_steps_and_times_are_whole(writer: Writer, step: Any, timestamp: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        writer.metric("m", 1.0, step, timestamp)


def test_steps_of_other_kinds_that_are_whole(project: Project, run_id: str, writer: Writer) -> None:
    writer.metric("m", 1, np.int32(4))
    writer.metric("m", 2, 5.0)
    writer.metric("m", 3, -6)
    assert writer.flush()
    assert sorted(_history(project, run_id, "m")) == [(-6, 3.0), (4, 1.0), (5, 2.0)]


def test_too_large_for_a_float(writer: Writer) -> None:
    with pytest.raises(UsageError, match="64-bit"):
        writer.metric("m", 10**400)


@given(st.text(max_size=20) | st.text("ab./- :_é\n", max_size=8))
def test_names_are_taken_as_mlflow_takes_them(name: str) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.utils.validation import _validate_param_name

    try:
        _validate_param_name(name)
        theirs = not name.endswith("\n")  # which their pattern overlooks
    except MlflowException:
        theirs = False
    try:
        ours = check_name("parameter", name) == name
    except UsageError:
        ours = False
    assert ours == theirs


@pytest.mark.parametrize("name", ["", "a" * 251, "a\0b", "../up", "a//b", "/a", "half \ud800", 7])
def test_names_that_mlflow_refuses(writer: Writer, name: Any) -> None:
    for log in (writer.metrics, writer.params, writer.tags):
        with pytest.raises(UsageError):
            log({"fine": 1, name: 1})
    assert writer.waiting == 0


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../../x", "a\\b", "a\0"])
def test_paths_that_lead_elsewhere(writer: Writer, path: str) -> None:
    with pytest.raises(UsageError, match="artifact"):
        writer.file(b"", path)
    assert check_path("reports/plot (1).png")


@pytest.mark.parametrize(
    "text", ["naïve ☃ 漢字 🦀 \u202e", "line\nline\t\r", "", " ", "\u0301", "'\"%s"]
)
def test_text_of_every_kind(project: Project, run_id: str, writer: Writer, text: str) -> None:
    writer.params({"p ü": text})
    writer.tags({"t": text})
    assert writer.flush()
    data = _data(project, run_id)
    assert (data.params["p ü"], data.tags["t"]) == (text, text)


@pytest.mark.parametrize("text", ["nul \0", "half \udc80"])
def test_text_that_no_database_keeps(writer: Writer, text: str) -> None:
    for log in (writer.params, writer.tags):
        with pytest.raises(UsageError, match="'b'"):
            log({"a": "fine", "b": text})
    assert writer.waiting == 0


def test_ten_thousand_parameters(project: Project, run_id: str, writer: Writer) -> None:
    params = {f"p{number}": number for number in range(10_000)}
    writer.params(params)
    assert writer.flush()
    assert _data(project, run_id).params == {key: str(value) for key, value in params.items()}


def test_a_long_value_is_kept_whole_beside_its_beginning(
    project: Project, run_id: str, writer: Writer
) -> None:
    long = "é" * 100_000
    names = {"group/long": "group/long", "ü" * 120: None}
    writer.params(dict.fromkeys(names, long))
    writer.tags({"note": long})
    assert writer.flush()
    data = _data(project, run_id)
    assert data.params["group/long"] == shortened(long, 6000)
    assert len(data.params["ü" * 120]) == 6000
    assert data.tags["note"] == shortened(long, 8000)
    assert read_text(project, run_id, "params/group/long.txt") == long
    assert read_text(project, run_id, "tags/note.txt") == long
    assert len(client(project).list_artifacts(run_id, "params")) == 2
    assert not list((project.state / "spool" / "files").iterdir())


def test_a_parameter_keeps_its_value(project: Project, run_id: str, writer: Writer) -> None:
    writer.params({"depth": 3})
    writer.params({"depth": "3"})  # the same text
    with pytest.raises(UsageError, match="'depth' was logged as '3' and can't become '4'"):
        writer.params({"other": 1, "depth": 4})
    assert writer.flush()
    assert _data(project, run_id).params == {"depth": "3"}


def test_equal_metrics_of_one_moment_are_as_many_as_were_logged(
    project: Project, run_id: str, writer: Writer
) -> None:
    for _ in range(100):
        writer.metric("same", 1.0)
    assert writer.flush()
    assert len(_history(project, run_id, "same")) == 100


def test_what_mlflow_refuses_is_kept_with_the_reason_and_stops_nobody(
    project: Project, run_id: str, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    client(project).log_param(run_id, "p7", "another process's")
    with caplog.at_level(logging.WARNING, _LOGGER):
        writer.params({f"p{number}": number for number in range(50)})
        writer.metric("after", 1.0)
        assert writer.flush()
    assert len(_data(project, run_id).params) == 50
    assert _history(project, run_id, "after") == [(0, 1.0)]
    [refused] = _refused(project, run_id)
    assert refused["entry"] == ["param", "p7", "7"]
    assert "Changing param values is not allowed" in refused["reason"]
    assert "refused 1 of what was logged" in caplog.text


def test_entries_of_a_deleted_run_are_refused_together(
    project: Project, run_id: str, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    client(project).delete_run(run_id)
    writer.metrics({f"m{number}": number for number in range(2000)})
    assert writer.flush()
    assert len(_refused(project, run_id)) == 2000
    assert "must be in the 'active' state" in caplog.text


def test_left_behind_and_delivered(
    project: Project, run_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool.create(project.state / "spool", {"run_id": run_id, "create": None})
    spool.append(encode([["metric", "m", 1.0, 1, 1], ["tag", "t", "x"], ["later kind", "?"]]))
    spool.append(b'not json\n["metric", "m", 2.0, 2, 2]\n["met')
    spool.release()
    delivery = deliver(project, run_id)
    assert (delivery.sent, delivery.waiting) == (3, 0)
    assert {refusal.reason.partition(":")[0] for refusal in delivery.refused} == {
        "this version of Workbench doesn't know what it is",
        "unreadable",
        "cut off while it was written",
    }
    assert all(
        isinstance(refusal, Refusal) and run_id in str(refusal) for refusal in delivery.refused
    )
    assert _history(project, run_id, "m") == [(1, 1.0), (2, 2.0)]
    assert deliver(project, run_id) == type(delivery)()
    assert not _left(project, run_id)


def test_a_living_writers_spool_is_its_own(project: Project, run_id: str, writer: Writer) -> None:
    with closing(sqlite3.connect(_database(project), isolation_level=None)) as db:
        db.execute("begin immediate")
        writer.metric("m", 1.0)
        assert deliver(project, run_id).waiting == 0
        db.execute("rollback")
    assert writer.flush(patience=30)
    assert _history(project, run_id, "m") == [(0, 1.0)]


def test_a_forked_child_writes_a_file_of_its_own(
    project: Project, run_id: str, writer: Writer
) -> None:
    from workbench.tracking.writer import writer_of

    shared = writer_of(project, run_id)
    shared.metric("parent", 1.0)
    child = os.fork()
    if child == 0:
        shared.metric("child", 2.0)
        os._exit(0)  # without a word: nothing is sent by the child itself
    assert os.waitpid(child, 0)[1] == 0
    shared.metric("parent", 3.0, step=1)
    assert shared.close().sent == 1
    assert _history(project, run_id, "parent") == [(0, 1.0), (1, 3.0)]
    assert _history(project, run_id, "child") == [(0, 2.0)]


def test_a_handle_logs_everything(project: Project, run_id: str) -> None:
    import matplotlib.pyplot as plt

    run = Run(project, run_id)
    run.log_metric("a", 1, step=2)
    run.log_metrics({"b": 2}, prefix="test_")
    run.log_params({"depth": 3})
    run.set_tags({"who": "me"})
    digest = run.log_dataset("rows", pl.DataFrame({"x": [1, 2]}), "training")
    run.log_json({"nan": math.nan, "path": Path("x")}, "reports/r.json")
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    run.log_figure(figure, "plots/line (1).svg")
    plt.close(figure)
    finish_run(project, run_id, "FINISHED")
    stored = client(project).get_run(run_id)
    assert stored.info.status == "FINISHED"
    assert stored.data.metrics == {"a": 1.0, "test_b": 2.0}
    assert (stored.data.params, stored.data.tags["who"]) == ({"depth": "3"}, "me")
    [logged] = stored.inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("rows", digest[:32])
    assert [tag.value for tag in logged.tags] == ["training"]
    assert read_json(project, run_id, "reports/r.json")["path"] == "x"
    assert read_text(project, run_id, "plots/line (1).svg").startswith("<?xml")
    assert not _left(project, run_id)


_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
_KEYS = st.from_regex(r"[a-z][a-z0-9_./ -]{0,20}[a-z]", fullmatch=True).filter(
    lambda key: posixpath.normpath(key) == key  # MLflow takes no other
)


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    name=_TEXTS.filter(bool),
    tags=st.dictionaries(_KEYS, _TEXTS),
    params=st.dictionaries(_KEYS, _TEXTS),
)
def test_a_run_created_and_ended_by_sql_is_what_mlflow_would_have_made(
    project: Project, name: str, tags: dict[str, str], params: dict[str, str]
) -> None:
    tags = {"mlflow.user": "somebody", **tags}
    mlflow = client(project)
    experiment = mlflow.get_experiment_by_name(project.name).experiment_id
    theirs = mlflow.create_run(experiment, run_name=name, tags=tags).info.run_id
    for key, value in params.items():
        mlflow.log_param(theirs, key, value)
    mlflow.set_tag(theirs, "later", name)
    mlflow.set_terminated(theirs, "FAILED", 4711)
    path = _database(project)
    ours = insert_run(path, project.name, name, tags, params)
    assert ours is not None
    assert insert_tags(path, ours, [["tag", "later", name]])
    assert insert_end(path, ours, [["end", "FAILED", 4711]])
    assert _all_of(path, ours) == _all_of(path, theirs)


def _all_of(path: Path, run_id: str) -> list[list[tuple[Any, ...]]]:
    """Everything that the store has of a run but its id and when it began."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        row = dict(db.execute("select * from runs where run_uuid = ?", (run_id,)).fetchone())
        row["artifact_uri"] = row["artifact_uri"].replace(run_id, "ID")
        rest = {key: row[key] for key in row if key not in ("run_uuid", "start_time")}
        query = "select key, value from {} where run_uuid = ?"
        texts = [
            sorted(map(tuple, db.execute(query.format(table), (run_id,))))
            for table in ("tags", "params")
        ]
    return [sorted(rest.items()), *texts]


def test_a_runs_files_are_where_mlflow_looks_for_them(project: Project, run_id: str) -> None:
    run = Run(project, run_id)
    run.log_text("héllo", "a/b c/d.txt")
    finish_run(project, run_id, "FINISHED")
    assert read_text(project, run_id, "a/b c/d.txt") == "héllo"
    [folder] = client(project).list_artifacts(run_id)
    assert folder.path == "a"
