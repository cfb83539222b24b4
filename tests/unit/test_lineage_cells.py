"""A job writes the whole chain: cells, commit, data, features, run, columns, model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.jobs.notebooks import write_notebook
from tests.jobs.test_notebook_session import kernel
from tests.projects import ready_project
from workbench.features.frames import build_frame
from workbench.git import Repository
from workbench.jobs import Job, JobRequest, run_jobs
from workbench.lineage import (
    Lineage,
    Touch,
    cell_edges,
    cell_node,
    downstream,
    executed_cells,
    show,
    upstream,
)
from workbench.lineage.scored import find_row
from workbench.project import Project
from workbench.registry import Scorer, register
from workbench.serving import score_window
from workbench.store import now

FEATURES = '''\
import polars as pl

from workbench.features import Mean, feature_view, request_view, spine


@spine(key="id", event_time="at", label="y", label_time="known")
def asks(shops: pl.LazyFrame) -> pl.LazyFrame:
    """Rows to predict."""
    at = pl.col("day").str.to_datetime(time_zone="UTC")
    return shops.select("id", "shop", "rent", "y", at=at, known=at)


@feature_view(entity="shop", owner="us", event_time="at", aggregates=[Mean("sold", over="7d")])
def sales(shops: pl.LazyFrame) -> pl.LazyFrame:
    """What a shop sold."""
    return shops.with_columns(at=pl.col("day").str.to_datetime(time_zone="UTC"))


@request_view(owner="us", features={"share": "rent by sales"})
def asked() -> dict[str, pl.Expr]:
    """What a request says."""
    return {"share": pl.col("rent") / pl.col("sales__sold_mean_7d")}
'''

READ = """\
import workbench as wb
spine = wb.features.load_spine("asks")
rows = wb.features.training_frame(spine, ["sales", "asked"], event_time="at")
"""
FIT = """\
from sklearn.linear_model import LogisticRegression
columns = ["sales__sold_mean_7d", "asked__share"]
run = wb.tracking.current_run()
run.log_dataset("train", rows, "training", made_from=[])
model = LogisticRegression(C=float(c)).fit(rows.select(columns).fill_null(0).to_pandas(), rows["y"])
"""
LOG = "run.log_model(model, columns)"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Job]:
    """A project whose features are joined, trained on and logged in three cells of a job."""
    project = ready_project(tmp_path_factory.mktemp("chain") / "project")
    days = [f"2024-01-{day:02}T00:00:00" for day in range(1, 31)]
    rows = {
        "id": [f"row {n}" for n in range(30)],
        "shop": ["a", "b"] * 15,
        "day": days,
        "sold": [float(n % 7 + 1) for n in range(30)],
        "rent": [float(n % 5 + 1) for n in range(30)],
        "unused": [0] * 30,
        "y": [n % 2 == 0 for n in range(30)],
    }
    pl.DataFrame(rows).write_csv(project.root / "shops.csv")
    with (project.root / "workbench.toml").open("a") as settings:
        settings.write('\n[sources.shops]\naddress = "shops.csv"\n')
    (project.root / "features" / "shops.py").write_text(FEATURES)
    notebook = project.root / "notebooks" / "t.ipynb"
    write_notebook(notebook, READ, FIT, LOG, "unseen = 1", parameters="c: float = 1.0")
    Repository(project.root).commit(["features", "notebooks", "workbench.toml"], "All of it")
    project = Project.find(project.root)
    [job] = run_jobs(project, [JobRequest("notebooks/t.ipynb", {"c": 2.0})])
    assert job.state == "succeeded", job.error
    return project, job


@pytest.fixture(scope="module")
def scored(trained: tuple[Project, Job]) -> tuple[Project, Job]:
    """The same, its model registered and at work."""
    project, job = trained
    assert job.run_id is not None
    version = register(project, "late", job.run_id, owner="ada")
    scorer = Scorer.load(project, "late", version)
    frame = pl.DataFrame(
        {"id": ["x/1", "y"], "sales__sold_mean_7d": [1.0, 2.0], "asked__share": [1.0, 0.5]}
    )
    score_window(
        project,
        scorer,
        frame,
        factory="shops",
        keep=["id"],
        window=(now(), now()),
        name="today",
    )
    return project, job


def kinds(lineage: Lineage) -> set[str]:
    return {node.kind for node in lineage.nodes}


def test_every_cell_that_ran_leads_to_the_run_and_says_what_it_did(
    trained: tuple[Project, Job],
) -> None:
    project, job = trained
    ran = [edge for edge in upstream(project, f"run:{job.run_id}") if edge.relation == "ran"]
    assert len(ran) == 6, "the parameters, what was given for them, and four more"
    assert job.output is not None
    cells = executed_cells((project.root / job.output).read_bytes())
    read, fit, log = (
        next(cell for cell in cells if cell.source.strip() == source.strip())
        for source in (READ, FIT, LOG)
    )
    did = {
        (edge.relation, edge.target.partition("@")[0])
        for edge in downstream(project, cell_node("notebooks/t.ipynb", read.id, read.source))
    }
    run = f"run:{job.run_id}"
    assert {("reads", "dataset:shops"), ("joins", "spine:asks"), ("ran", run)} <= did
    joined = {node.rpartition(":")[0] for relation, node in did if relation == "joins"}
    assert {"feature:sales", "feature:asked"} <= joined
    made = downstream(project, cell_node("notebooks/t.ipynb", fit.id, fit.source))
    assert ("makes", "dataset:train") in {(e.relation, e.target.partition("@")[0]) for e in made}
    logged = downstream(project, cell_node("notebooks/t.ipynb", log.id, log.source))
    assert {(e.relation, e.target) for e in logged if e.target == run} == {
        ("ran", run),
        ("logged", run),
    }


def test_a_cell_leads_to_the_predictions_and_they_lead_to_it(
    scored: tuple[Project, Job],
) -> None:
    project, _ = scored
    up = show("prediction:shops/x/1", down=False, project=project)
    assert {"cell", "commit", "job", "run", "model", "dataset", "view", "spine"} <= kinds(up)
    assert up.row is not None
    assert (up.row.key, up.row.model) == ("x/1", "late")
    [cell] = [e.source for e in up.edges if e.relation == "logged" and e.source[:5] == "cell:"]
    down = show(cell, up=False, project=project)
    assert [node.name for node in down.kind("predictions")] == up.starts
    parts = cell.rpartition("@")[0]
    assert show(parts, project=project).starts == [cell], "the newest of that cell's states"
    assert cell in show("notebooks/t.ipynb", project=project).starts


def test_two_notebooks_that_read_the_same_data_are_not_mixed(scored: tuple[Project, Job]) -> None:
    project, _ = scored
    source = "import workbench as wb\nrows = wb.data.read('shops')"
    write_notebook(project.root / "notebooks" / "other.ipynb", source)
    name = "notebooks/other.ipynb"
    tracked, untracked = run_jobs(project, [JobRequest(name), JobRequest(name, track=False)])
    assert (tracked.state, untracked.state) == ("succeeded", "succeeded")
    other = show(name, up=False, project=project)
    names = {node.name.partition("@")[0] for node in other.nodes if node.distance}
    assert names == {"dataset:shops", f"run:{tracked.run_id}", f"job:{untracked.id}"}
    above = show("prediction:shops/y", down=False, project=project)
    assert not [node for node in above.kind("cell") if "other.ipynb" in node.name]


def test_columns_lead_from_the_source_to_what_the_model_asks_for(
    scored: tuple[Project, Job],
) -> None:
    project, job = scored
    sold = show("feature:sales:sold_mean_7d", project=project)
    names = {node.name.partition("@")[0] for node in sold.nodes}
    assert {
        "column:shops.sold",
        "dataset:shops",
        f"input:{job.run_id}/sales__sold_mean_7d",
    } <= names
    assert {"feature:asked:share", "model:late/1"} <= names
    assert "column:shops.unused" not in names
    share = show("feature:asked:share", down=False, project=project)
    above = {node.name.partition("@")[0] for node in share.nodes}
    assert {"feature:sales:sold_mean_7d", "column:shops.sold"} <= above
    assert "column:asks.rent" not in above, "the rows may be anybody's"
    build_frame(project, "asks", ["sales", "asked"])
    share = show("feature:asked:share", down=False, project=project)
    above = {node.name.partition("@")[0] for node in share.nodes}
    assert {"column:asks.rent", "column:shops.rent", "feature:sales:sold_mean_7d"} <= above
    model = show("model:late/1", down=False, columns=True, project=project)
    assert {"input", "feature", "column"} <= kinds(model)
    assert not {"input", "column"} & kinds(show("model:late/1", project=project))


def test_the_newest_scored_row_of_a_key(scored: tuple[Project, Job]) -> None:
    project, _ = scored
    row = find_row(project, "prediction:shops/y")
    day = row.node.partition("/")[2].partition("@")[0]
    assert find_row(project, f"predictions:shops/{day}#y") == row
    with pytest.raises(LookupError, match="no row has the key 'z' in 1 scored window"):
        find_row(project, "prediction:shops/z")
    with pytest.raises(LookupError, match="unknown scored factory 'shop': did you mean shops"):
        find_row(project, "prediction:shop/y")
    with pytest.raises(LookupError, match="unknown scored window '1999'"):
        find_row(project, "predictions:shops/1999#y")
    with pytest.raises(ValueError, match="expected prediction:FACTORY/KEY"):
        find_row(project, "prediction:shops")


def test_an_alias_is_asked_of_mlflow(
    scored: tuple[Project, Job], cli_json: Callable[..., Any], cli: Callable[..., Any]
) -> None:
    from workbench.tracking import client

    project, _ = scored
    client(project).set_registered_model_alias("late", "best", "1")
    found = cli_json("lineage", "show", "model:late@best", "--up", folder=project.root)
    assert found["starts"] == ["model:late/1"]
    for node, said in {
        "model:late@worst": "unknown alias 'worst' of model late: there are: best",
        "model:lat@best": "unknown model 'lat': did you mean late?",
    }.items():
        done = cli("lineage", "show", node, folder=project.root)
        assert done.returncode == 2
        assert said in done.stderr


def test_a_notebook_that_somebody_works_in(trained: tuple[Project, Job]) -> None:
    project, _ = trained
    path = project.root / "notebooks" / "own.ipynb"
    cells = ["a = 1", "import workbench as wb\nrows = wb.data.read('shops')", "a = 2"]
    write_notebook(path, *cells)
    [first, read, last] = executed_cells(path.read_bytes().replace(b"null", b"1"))
    with kernel(path) as working:
        working.run(first.source)
        working.run("%load_ext workbench")
        working.run(read.source)
        working.run(last.source)
        found = show("notebooks/own.ipynb", up=False, project=project)
    [run] = found.kind("run")
    assert {edge.source for edge in found.edges if edge.relation == "ran"} == {
        cell_node("notebooks/own.ipynb", cell.id, cell.source) for cell in (first, read, last)
    }
    [(reader, data)] = [(e.source, e.target) for e in found.edges if e.relation == "reads"]
    assert reader == cell_node("notebooks/own.ipynb", read.id, read.source)
    assert data.startswith("dataset:shops@")
    assert "commit" in kinds(show(run.name, down=False, project=project))


def test_cells_are_named_as_they_ran() -> None:
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": "# text", "id": "m"},
            {"cell_type": "code", "source": ["a = ", "1"], "id": "one", "execution_count": 1},
            {"cell_type": "code", "source": "b", "id": "never", "execution_count": None},
            {"cell_type": "code", "source": "  ", "id": "empty", "execution_count": 2},
            {"cell_type": "code", "source": "c", "execution_count": 3},
            {
                "cell_type": "code",
                "source": "d",
                "id": "random",
                "metadata": {"tags": ["injected-parameters"]},
                "execution_count": 4,
            },
        ]
    }
    cells = executed_cells(json.dumps(notebook).encode())
    assert [(cell.id, cell.source) for cell in cells] == [
        ("one", "a = 1"),
        ("5", "c"),
        ("injected-parameters", "d"),
    ]
    touches = [
        Touch(count=3, relation="reads", node="dataset:x@1"),
        Touch(count=9, relation="reads", node="y"),
    ]
    edges = cell_edges("n.ipynb", cells, touches, "run:1")
    assert [edge.relation for edge in edges] == ["ran", "ran", "ran", "reads"]
    assert edges[-1].source == cell_node("n.ipynb", "5", "c")


@pytest.mark.parametrize("broken", [b"", b"{}", b"[1]", b'{"cells": [{}]}', b"\xff"])
def test_a_notebook_that_cannot_be_read_has_no_cells(broken: bytes) -> None:
    assert executed_cells(broken) == []


def test_the_folder_of_a_job_has_the_notes(trained: tuple[Project, Job], tmp_path: Path) -> None:
    project, job = trained
    notes = (project.state / "jobs" / job.id / "captured.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in notes]
    assert {"made", "fitted"} <= {note["kind"] for note in told}
    [fit] = [note for note in told if note["kind"] == "fitted"]
    assert fit["columns"] == ["sales__sold_mean_7d", "asked__share"]
    assert fit["cell"] == 5
