"""Reading runs by SQL gives what MLflow gives, in its order, on a store of odd things."""

from __future__ import annotations

import logging
import math
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Metric, ViewType
from mlflow.store.db.utils import _get_latest_schema_revision
from polars.testing import assert_frame_equal
from sqlalchemy import create_engine

from tests.projects import copy_folder
from tests.run_stores import EXPERIMENTS, fill_store, filters, orders
from workbench.errors import NotFoundError, StoreError, UsageError
from workbench.project import Project
from workbench.settings import Settings
from workbench.tracking.reader import indexes, queries, records_frame, schema
from workbench.tracking.reader.filters import parse_order
from workbench.tracking.runs import (
    delete_run,
    facets,
    get_run,
    list_runs,
    metric_history,
    restore_run,
    runs_frame,
    tag_run,
)

VIEWS = {"active": ViewType.ACTIVE_ONLY, "deleted": ViewType.DELETED_ONLY, "all": ViewType.ALL}


def project_on(folder: Path, uri: str = "") -> Project:
    return Project(
        folder, Settings(name="project", tracking_uri=uri or f"sqlite:///{folder / 'mlflow.db'}")
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Read it; a test that changes runs makes its own."""
    project = project_on(tmp_path_factory.mktemp("runs"))
    fill_store(MlflowClient(tracking_uri=project.tracking_uri))
    return project


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's migrations take a second; done once, and then copied."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").create_experiment("project")
    return path


@pytest.fixture
def small(tmp_path: Path, empty: Path) -> tuple[Project, MlflowClient, str]:
    """A store with the project's experiment and nothing in it."""
    project = project_on(tmp_path)
    copy_folder(empty, tmp_path / empty.name)
    client = MlflowClient(tracking_uri=project.tracking_uri)
    return project, client, client.get_experiment_by_name("project").experiment_id


@pytest.fixture
def no_api(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("MLflow's API was asked")

    monkeypatch.setattr("workbench.tracking.reader.api.client", refuse)


def searched(project: Project, text: str, order: list[str], lifecycle: str = "active") -> list[str]:
    client = MlflowClient(tracking_uri=project.tracking_uri)
    found = [client.get_experiment_by_name(name) for name in EXPERIMENTS]
    runs = client.search_runs(
        [each.experiment_id for each in found],
        text,
        run_view_type=VIEWS[lifecycle],
        order_by=order,
    )
    return [run.info.run_id for run in runs]


def distinct(parts: list[str]) -> list[str]:
    """Leave out what names a field a second time: MLflow refuses that."""
    kept: list[str] = []
    for part in parts:
        with suppress(UsageError):
            parse_order(", ".join([*kept, part]))
            kept.append(part)
    return kept


@pytest.mark.parametrize(
    ("few", "enough"),
    [(2, 1), (2, queries.ENOUGH), (queries.FEW, queries.ENOUGH)],
    ids=["walking", "meeting", "counting"],
)
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=filters, parts=orders, lifecycle=st.sampled_from(sorted(VIEWS)), data=st.data())
def test_pages_are_those_of_mlflow(
    store: Project,
    few: int,
    enough: int,
    text: str,
    parts: list[str],
    lifecycle: Any,
    data: st.DataObject,
) -> None:
    order = distinct(parts)
    expected = searched(store, text, order, lifecycle)
    limit, offset = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "FEW", few)
        patch.setattr(queries, "ENOUGH", enough)
        found = list_runs(
            store,
            text,
            ", ".join(order),
            limit,
            offset=offset,
            experiments=EXPERIMENTS,
            lifecycle=lifecycle,
        )
        frame = runs_frame(
            store, text, ", ".join(order), experiments=EXPERIMENTS, lifecycle=lifecycle, columns=[]
        )
    assert [run.run_id for run in found] == expected[offset : offset + limit]
    assert frame["run_id"].to_list() == expected


def test_a_record_is_what_mlflow_has(store: Project, no_api: None) -> None:
    client = MlflowClient(tracking_uri=store.tracking_uri)
    for record in list_runs(store, limit=100):
        run = client.get_run(record.run_id)
        assert (record.name, record.status) == (run.info.run_name, run.info.status)
        assert record.start_time == datetime.fromtimestamp(run.info.start_time / 1000, tz=UTC)
        assert (record.end_time is None) == (run.info.end_time is None)
        assert (record.user, record.artifact_uri) == (run.info.user_id, run.info.artifact_uri)
        assert (record.params, record.tags) == (run.data.params, run.data.tags)
        assert record.experiment == "project"
        assert record.metrics.keys() == run.data.metrics.keys()
        for key, value in record.metrics.items():
            assert value == run.data.metrics[key] or math.isnan(value + run.data.metrics[key])


def test_reading_imports_no_mlflow(store: Project) -> None:
    code = f"""if True:
        import sys
        from pathlib import Path
        from workbench.project import Project
        from workbench.settings import Settings
        from workbench.tracking.runs import facets, get_run, list_runs, runs_frame
        project = Project(Path(), Settings(name="project", tracking_uri={store.tracking_uri!r}))
        run, *_ = list_runs(project, "metrics.a > 0", "metrics.a desc")
        get_run(project, run.run_id), runs_frame(project), facets(project)
        assert "mlflow" not in sys.modules, "mlflow was imported"
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_known_revision_is_that_of_the_mlflow_installed() -> None:
    """When this fails: compare the tables with our queries, then add the new revision."""
    assert _get_latest_schema_revision() in schema.KNOWN_REVISIONS


def test_a_filter_with_a_quirk_is_answered_by_mlflow(store: Project) -> None:
    with_quote = "tags.library != 'it''s'"
    found = list_runs(store, with_quote, limit=100, experiments=EXPERIMENTS)
    assert [run.run_id for run in found] == searched(store, with_quote, [])
    with pytest.raises(UsageError, match="Invalid clause"):
        list_runs(store, "(metrics.a > 1)")


def test_an_unknown_schema_is_read_through_mlflow_and_said_once(
    store: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    expected = list_runs(store, "metrics.a > 0", "metrics.a")
    monkeypatch.setattr(schema, "KNOWN_REVISIONS", frozenset({"older"}))
    schema._say_once.cache_clear()
    with caplog.at_level(logging.WARNING, "workbench.tracking"):
        assert list_runs(store, "metrics.a > 0", "metrics.a") == expected
        assert list_runs(store, limit=3, offset=2) == list_runs(store)[2:5]
        assert get_run(store, expected[0].run_id[:8]) == get_run(store, expected[0].run_id)
    (said,) = [message for message in caplog.messages if "unknown MLflow schema" in message]
    assert said.endswith("reading through MLflow's own API, slower")


def test_frames_and_facets_of_the_api_are_those_of_sql(
    store: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = list_runs(store, "metrics.a > 0")[0].run_id

    def everything() -> tuple[Any, ...]:
        return (
            runs_frame(store, order_by="metrics.a"),
            runs_frame(store, "params.p = 'nothing'"),
            metric_history(store, run_id, "a"),
            facets(store),
            facets(store, "status = 'FAILED'"),
        )

    by_sql = everything()
    monkeypatch.setattr("workbench.tracking.reader.frame._FEW", 2)  # key by key, as for many runs
    by_key = everything()
    monkeypatch.setattr(schema, "KNOWN_REVISIONS", frozenset())
    by_api = everything()
    for other in (by_key, by_api):
        for mine, theirs in zip(by_sql[:3], other[:3], strict=True):
            assert_frame_equal(mine, theirs, check_column_order=False)
        assert by_sql[3:] == other[3:]


def test_the_frame_has_every_run_and_every_value(store: Project, no_api: None) -> None:
    frame, records = runs_frame(store), list_runs(store, limit=100)
    assert_frame_equal(frame, records_frame(records))
    assert frame.schema["start_time"] == pl.Datetime("us", "UTC")
    nan = frame.filter(pl.col("metrics.a").is_nan())
    assert nan.height == sum(math.isnan(run.metrics.get("a", 0)) for run in records) > 0
    assert frame["metrics.a"].null_count() == sum("a" not in run.metrics for run in records) > 0


def test_a_frame_names_its_columns_or_is_refused(
    store: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = runs_frame(store, columns=["params.p", "metrics.b c"])
    assert frame.columns[5:] == ["metrics.b c", "params.p"]
    with pytest.raises(NotFoundError, match=r"unknown column 'metrics.c': .* metrics.a"):
        runs_frame(store, columns=["metrics.c"])
    monkeypatch.setattr("workbench.tracking.reader.frame.CELLS", 10)
    with pytest.raises(UsageError, match="too many for one frame: name the columns"):
        runs_frame(store)


def test_a_history_is_in_the_order_of_its_steps(small: Any) -> None:
    project, client, experiment = small
    run_id = client.create_run(experiment).info.run_id
    values = [Metric("loss", value, 1000 * step, step) for step, value in [(2, 0.1), (0, math.nan)]]
    client.log_batch(run_id, metrics=values)
    found = metric_history(project, run_id[:10], "loss")
    assert found["step"].to_list() == [0, 2]
    assert found["value"].is_nan().to_list() == [True, False]
    assert found["timestamp"][1] == datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)
    with pytest.raises(
        NotFoundError, match=r"unknown metric 'los' of run \w{8}: did you mean loss"
    ):
        metric_history(project, run_id, "los")


def test_a_run_is_found_by_its_beginning(small: Any, no_api: None) -> None:
    project, client, experiment = small
    ids = sorted(client.create_run(experiment).info.run_id for _ in range(4))
    with closing(sqlite3.connect(project.root / "mlflow.db")) as database, database:
        for run_id, other in zip(ids[:2], ["abcd" + "0" * 28, "abcd" + "1" * 28], strict=True):
            for table, column in (("runs", "run_uuid"), ("tags", "run_uuid")):
                database.execute(
                    f"update {table} set {column} = ? where {column} = ?", (other, run_id)
                )
    assert get_run(project, "abcd0").run_id == "abcd" + "0" * 28
    assert get_run(project, ids[3][:12]).run_id == ids[3]
    with pytest.raises(
        UsageError, match=r"several runs begin with abcd: abcd0+, abcd1+: write mor"
    ):
        get_run(project, "abcd")
    for unknown in ("abc", "ffffffff", "'", "%", "_" * 32, "\N{SNOWMAN}"):
        with pytest.raises(NotFoundError, match="see `workbench runs list`"):
            get_run(project, unknown)


def test_before_the_first_run_there_are_none_and_nothing_is_made(
    tmp_path: Path, no_api: None
) -> None:
    project = project_on(tmp_path)
    assert list_runs(project) == []
    assert runs_frame(project).columns == ["run_id", "name", "status", "start_time", "end_time"]
    assert facets(project).statuses == {}
    with pytest.raises(UsageError, match="unknown kind"):
        list_runs(project, "metics.a > 1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (-1, 0), (5, -1)])
def test_an_impossible_page_is_refused(store: Project, limit: int, offset: int) -> None:
    with pytest.raises(UsageError, match="expected 1 or more"):
        list_runs(store, limit=limit, offset=offset)


def test_what_is_no_database_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is no database, and longer than a header of one")
    with pytest.raises(StoreError, match=r"mlflow.db: can't be read: file is not a database"):
        list_runs(project_on(tmp_path))


def test_deleting_restoring_and_tagging(small: Any) -> None:
    project, client, experiment = small
    run_id = client.create_run(experiment).info.run_id
    tag_run(project, run_id[:8], "note", "weiß")
    assert get_run(project, run_id).tags["note"] == "weiß"
    tag_run(project, run_id, "note", None)
    tag_run(project, run_id, "note", None)  # gone already
    assert "note" not in get_run(project, run_id).tags
    delete_run(project, run_id)
    assert list_runs(project) == []
    assert [run.lifecycle_stage for run in list_runs(project, lifecycle="deleted")] == ["deleted"]
    with pytest.raises(UsageError, match="runs: "):
        tag_run(project, run_id, "note", "of a deleted run")
    restore_run(project, run_id)
    assert [run.run_id for run in list_runs(project)] == [run_id]
    with pytest.raises(NotFoundError):
        delete_run(project, "0" * 32)


def index_names(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("select name from sqlite_master where type = 'index'")
        return {name for (name,) in rows if name.startswith("workbench_")}


@pytest.fixture
def look_again() -> Iterator[Callable[[], None]]:
    yield indexes._looked.clear
    indexes._looked.clear()


def test_indexes_come_back_after_a_migration(
    tmp_path: Path, look_again: Callable[[], None]
) -> None:
    """A store of an older MLflow, with our indexes, through the real command, and read again."""
    from alembic import command
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase

    path = tmp_path / "mlflow.db"
    config = _get_alembic_config(f"sqlite:///{path}")
    older = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()][12]
    engine = create_engine(f"sqlite:///{path}")
    InitialBase.metadata.create_all(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, older)
    indexes.prepare(engine)
    engine.dispose()
    assert index_names(path) == set(indexes.INDEXES["sqlite"])
    upgrade = [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{path}"]
    subprocess.run(upgrade, check=True, capture_output=True)
    client = MlflowClient(tracking_uri=f"sqlite:///{path}")
    fill_store(client, 6)
    project = project_on(tmp_path)
    look_again()
    assert len(list_runs(project, "metrics.a > -2", "metrics.a")) == len(
        client.search_runs([client.get_experiment_by_name("project").experiment_id], "metrics.a>-2")
    )
    assert index_names(path) == set(indexes.INDEXES["sqlite"])


def statistics(path: Path) -> int | None:
    """How many runs the planner believes in."""
    with closing(sqlite3.connect(path)) as database:
        row = database.execute(
            "select stat from sqlite_stat1 where tbl = 'runs' limit 1"
        ).fetchone()
        return int(row[0].split()[0]) if row else None


def test_statistics_are_refreshed_when_runs_have_doubled(
    small: Any, look_again: Callable[[], None]
) -> None:
    project, _, experiment = small
    path = project.root / "mlflow.db"

    def add(count: int) -> None:
        with closing(sqlite3.connect(path)) as database, database:
            database.executemany(
                "insert into runs (run_uuid, status, start_time, lifecycle_stage, experiment_id) "
                "values (lower(hex(randomblob(16))), 'FINISHED', ?, 'active', ?)",
                [(each, experiment) for each in range(count)],
            )
        look_again()
        list_runs(project, limit=1)

    add(10)
    add(390)
    assert statistics(path) == 400
    add(300)
    assert statistics(path) == 400
    add(300)
    assert statistics(path) == 1000


def test_a_read_only_store_is_read_without_our_indexes(
    small: Any, look_again: Callable[[], None]
) -> None:
    project, client, experiment = small
    run_id = client.create_run(experiment).info.run_id
    uri = f"sqlite:///file:{project.root / 'mlflow.db'}?mode=ro&uri=true"
    assert get_run(project_on(project.root, uri), run_id).run_id == run_id
    assert list_runs(project_on(project.root, uri))[0].run_id == run_id
    assert index_names(project.root / "mlflow.db") == set()


def test_a_locked_store_is_read_without_our_indexes(
    small: Any, look_again: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, client, experiment = small
    run_id = client.create_run(experiment).info.run_id
    monkeypatch.setattr(indexes, "_PATIENCE", 50)
    with closing(sqlite3.connect(project.root / "mlflow.db", isolation_level=None)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("begin immediate")
        assert list_runs(project)[0].run_id == run_id
        assert index_names(project.root / "mlflow.db") == set()
        writer.execute("rollback")
    look_again()
    list_runs(project)
    assert index_names(project.root / "mlflow.db") == set(indexes.INDEXES["sqlite"])
