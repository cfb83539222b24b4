"""Reading runs by SQL on a real PostgreSQL: MLflow's answers, and inserts that go on working."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Param, RunTag, ViewType
from polars.testing import assert_frame_equal
from sqlalchemy import create_engine, text

from tests.run_stores import EXPERIMENTS, fill_store, filters, orders
from tests.servers import postgresql
from workbench.errors import StoreError
from workbench.project import Project
from workbench.settings import Settings
from workbench.tracking.reader import indexes, queries, records_frame
from workbench.tracking.runs import facets, get_run, list_runs, metric_history, runs_frame

VIEWS = {"active": ViewType.ACTIVE_ONLY, "deleted": ViewType.DELETED_ONLY, "all": ViewType.ALL}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("postgresql")
    with postgresql(folder) as url:
        fill_store(MlflowClient(tracking_uri=url))
        yield Project(folder, Settings(name="project", tracking_uri=url))


def searched(project: Project, filter_: str, order: list[str], lifecycle: str) -> list[str]:
    client = MlflowClient(tracking_uri=project.tracking_uri)
    ids = [client.get_experiment_by_name(name).experiment_id for name in EXPERIMENTS]
    view = VIEWS[lifecycle]
    runs = client.search_runs(ids, filter_, run_view_type=view, order_by=order)
    return [run.info.run_id for run in runs]


@pytest.mark.parametrize(
    ("few", "enough"),
    [(2, 1), (2, queries.ENOUGH), (queries.FEW, queries.ENOUGH)],
    ids=["walking", "meeting", "counting"],
)
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    condition=filters,
    order=orders.map(lambda parts: parts[:1]),
    lifecycle=st.sampled_from(sorted(VIEWS)),
)
def test_pages_are_those_of_mlflow(
    store: Project, few: int, enough: int, condition: str, order: list[str], lifecycle: Any
) -> None:
    expected = searched(store, condition, order, lifecycle)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "FEW", few)
        patch.setattr(queries, "ENOUGH", enough)
        found = list_runs(
            store,
            condition,
            order[0],
            20,
            offset=3,
            experiments=EXPERIMENTS,
            lifecycle=lifecycle,
        )
    assert [run.run_id for run in found] == expected[3:23]


def test_frame_facets_and_history(store: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    records = list_runs(store, limit=100)
    assert_frame_equal(runs_frame(store), records_frame(records))
    assert sum(facets(store).statuses.values()) == len(records)
    measured = next(run for run in records if "a" in run.metrics)
    assert metric_history(store, measured.run_id, "a").height == 1
    assert get_run(store, measured.run_id[:10]) == measured
    monkeypatch.setattr("workbench.tracking.reader.frame._FEW", 2)
    assert_frame_equal(runs_frame(store), records_frame(records))


def test_long_values_are_logged_and_found_with_our_indexes(store: Project) -> None:
    """A row of PostgreSQL's index has room for 2.7 kB; these values are longer."""
    list_runs(store)
    engine = create_engine(store.tracking_uri)
    with engine.connect() as connection:
        rows = connection.execute(text("select indexname from pg_indexes")).scalars()
        assert set(indexes.INDEXES["postgresql"]) <= set(rows)
    engine.dispose()
    client = MlflowClient(tracking_uri=store.tracking_uri)
    experiment = client.get_experiment_by_name("other").experiment_id
    run_id = client.create_run(experiment).info.run_id
    long, wide = "".join(chr(33 + i % 5 + i * i % 60) for i in range(6000)), "€" * 250
    long = long.replace("'", "_").replace('"', "_").replace("\\", "_")
    client.log_batch(run_id, params=[Param("long", long), Param("wide", wide)])
    client.set_tag(run_id, "k" * 250, wide)
    client.log_batch(run_id, tags=[RunTag("long", long)])
    for condition in (f"params.long = '{long}'", f"tags.{'k' * 250} = '{wide}'"):
        found = list_runs(store, condition, experiments=["other"])
        assert [run.run_id for run in found] == [run_id]
    assert list_runs(store, f"params.long = '{long[:-1]}'", experiments=["other"]) == []


def test_a_database_without_tables_has_no_runs(tmp_path: Path) -> None:
    with postgresql(tmp_path) as url:
        project = Project(tmp_path, Settings(name="project", tracking_uri=url))
        assert list_runs(project) == []
    with pytest.raises(StoreError, match="can't be read"):
        list_runs(project)
