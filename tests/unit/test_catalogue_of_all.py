"""The catalogue of all kinds of things: listed, found, and shown with the chain around them."""

from __future__ import annotations

import json

import mlflow
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from workbench import Project
from workbench.catalogue import list_entries, search, show
from workbench.cli.app import app
from workbench.data import frame_digest, read
from workbench.errors import NotFoundError
from workbench.factory.scaffold import create_project
from workbench.features import apply
from workbench.lineage import link
from workbench.registry import register
from workbench.store import GateRow, database, now
from workbench.tracking import create_run, current_run, finish_run

SETTINGS = """
name = "x"
[sources.trips]
address = "trips.csv"
description = "Every trip of the tram"
owner = "Depot"
tags = ["raw"]
[sources.stops]
address = "https://ada:geheim@example.org/stops.csv"
"""

FEATURES = '''
import polars as pl
from workbench.features import Count, feature_view, request_view

print("nothing of the project's code runs")


@feature_view(
    entity="city", owner="Depot", tags=["live"], event_time="at", aggregates=[Count(over="24h")]
)
def busy(trips):
    """How busy the line has been."""
    return trips.with_columns(pl.col("at").str.to_datetime(time_zone="UTC"))


@request_view(owner="us", features={"hour": "hour of the day"})
def clock():
    """What the clock says."""
    return {"hour": pl.col("at").dt.hour()}
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("catalogue") / "project"
    create_project(root)
    (root / "workbench.toml").write_text(SETTINGS)
    (root / "features").mkdir(exist_ok=True)
    (root / "features" / "trips.py").write_text(FEATURES)
    (root / "trips.csv").write_text("id,city,at\n1,Oslo,2024-01-01T08:00:00\n")
    project = Project.find(root)
    apply(project)
    _train(project)
    return project


def _train(project: Project) -> None:
    """Train a model on a frame, register it, and put it through a factory's gate."""
    trips = f"dataset:trips@{frame_digest(read('trips', project))[:12]}"
    link(project, [trips], "view:busy@1", "computed")
    link(project, ["view:busy@1"], "feature:busy:count_24h@1", "has")
    tags = {"mlflow.source.git.commit": "a" * 40, "execution.linear": "true"}
    run_id = create_run(project, "train", tags=tags, params={})
    mlflow.set_tracking_uri(project.tracking_uri)
    with mlflow.start_run(run_id=run_id):
        run = current_run(project)
        run.log_dataset(
            "frame", pl.DataFrame({"n": [1, 2]}), "training", ["feature:busy:count_24h@1"]
        )
        run.log_model(LogisticRegression().fit([[1], [2]], [0, 1]), ["n"])
    finish_run(project, run_id, "FINISHED")
    register(project, "flights-late", run_id, owner="ada")
    gate = {"policy": "p", "outcome": "passed", "report": {}, "digest": "d", "evaluated_at": now()}
    with database(project).session() as session:
        session.add(GateRow(factory="late", model="flights-late", version="1", **gate))
    link(project, ["model:flights-late/1"], "predictions:7", "scored")


def found(project: Project, text: str, **how: object) -> list[str]:
    return [f"{e.kind}:{e.name}" for e in search(project, text, **how)]  # type: ignore[arg-type]


def test_everything_is_listed(project: Project) -> None:
    assert [f"{entry.kind}:{entry.name}" for entry in list_entries(project)] == [
        "source:stops",
        "source:trips",
        "dataset:trips",
        "view:busy",
        "function:clock",
        "model:flights-late",
        "feature:busy:count_24h",
        "feature:clock:hour",
    ]
    assert [entry.name for entry in list_entries(project, "model")] == ["flights-late"]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("tram", ["source:trips"]),
        ("trips kind:source", ["source:trips"]),
        ("kind:view owner:depot", ["view:busy"]),
        ("column:city", ["view:busy", "dataset:trips", "source:trips", "feature:busy:count_24h"]),
        ("used_by:flights-late kind:source", ["source:trips"]),
        ("used_by:flights-late kind:view", ["view:busy"]),
        ("used_by:flights-late kind:feature", ["feature:busy:count_24h"]),
        ("used_by:busy", ["source:trips"]),
        ("used_by:late kind:model", ["model:flights-late"]),
        ("clcok", ["function:clock", "feature:clock:hour"]),
        ("tag:raw", ["source:trips"]),
        ("geheim", []),
        ('"; drop', []),
    ],
)
def test_things_are_found_by_what_is_said_of_them(
    project: Project, text: str, hits: list[str]
) -> None:
    assert sorted(found(project, text)) == sorted(hits)


def test_what_has_the_name_comes_first(project: Project) -> None:
    assert set(found(project, "trips")[:2]) == {"source:trips", "dataset:trips"}
    assert "view:busy" in found(project, "trips")  # it reads them


def test_a_search_may_be_for_one_kind(project: Project) -> None:
    assert found(project, "trips", kind="dataset") == ["dataset:trips"]
    assert found(project, "busy", kind="feature") == ["feature:busy:count_24h"]
    assert len(found(project, "", limit=3)) == 3


def test_a_change_is_seen_by_the_next_search(project: Project) -> None:
    assert found(project, "kind:model registered") == []
    before = found(project, "kind:model")
    link(project, ["model:flights-late/1"], "predictions:8", "scored")
    assert found(project, "kind:model") == before
    assert search(project, "kind:model")[0].uses == show(project, "flights-late").entry.uses


def test_no_credential_is_shown(project: Project) -> None:
    [stops] = [entry for entry in list_entries(project, "source") if entry.name == "stops"]
    assert stops.address == "https://example.org/stops.csv"


def test_an_entry_is_shown_with_its_chain(project: Project) -> None:
    shown = show(project, "flights-late")
    assert shown.entry.used_by == ["factory:late"]
    assert {edge.source.partition(":")[0] for edge in shown.upstream} >= {"run", "dataset", "view"}
    assert [edge.target for edge in shown.downstream][:1] == ["predictions:7"]
    trips = show(project, "source:trips")
    assert trips.entry.used_by == ["view:busy", "model:flights-late"]
    assert "model:flights-late/1" in {edge.target for edge in trips.downstream}
    feature = show(project, "busy:count_24h")
    assert feature.entry.kind == "feature"
    sources = {edge.source.partition("@")[0] for edge in feature.upstream}
    assert sources == {"dataset:trips", "view:busy"}
    assert "model:flights-late/1" in {edge.target for edge in feature.downstream}
    assert show(project, "clock:hour").upstream == []  # unused, and its view reads no source
    assert show(project, "clock").downstream == []
    with pytest.raises(NotFoundError, match=r"did you mean clock\?"):
        show(project, "clok")
    with pytest.raises(NotFoundError, match="unknown model 'trips'"):
        show(project, "trips", "model")


def test_the_command_says_the_same_and_runs_no_project_code(project: Project) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["-C", str(project.root), "catalogue", *arguments])
        assert done.exit_code == 0, done.output
        assert "nothing of the project's code runs" not in done.output
        return done.stdout

    hits = json.loads(run("search", "tram", "--json"))
    assert [hit["name"] for hit in hits] == ["trips"]
    assert "flights-late" in run("list", "--kind", "model")
    shown = json.loads(run("show", "busy", "--json"))
    assert shown["entry"]["kind"] == "view"
    assert "registered" in run("show", "flights-late")
